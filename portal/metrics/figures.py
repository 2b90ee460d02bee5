"""Counts by window, their change against the window before, and counts by day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

DAYS = 90


@dataclass(frozen=True, slots=True)
class Figures:
    """A count in the last 30 days, the 30 before (None: not known), the last 90, all days."""

    days_30: int = 0
    days_before: int | None = 0
    days_90: int = 0
    days_all: int = 0

    @property
    def change(self) -> float | None:
        """Growth over the 30 days before: 0.5 is 50 % more; None where there is no base."""
        if not self.days_before:
            return 0.0 if self.days_before == 0 and not self.days_30 else None
        return self.days_30 / self.days_before - 1

    def __add__(self, other: "Figures") -> "Figures":
        before = (self.days_before, other.days_before)
        return Figures(
            self.days_30 + other.days_30,
            None if before[0] is None or before[1] is None else before[0] + before[1],
            self.days_90 + other.days_90,
            self.days_all + other.days_all,
        )


@dataclass(frozen=True, slots=True)
class Day:
    """One UTC day of a section; `clients` is the number of distinct clients on that day."""

    day: date
    count: int
    clients: int


@dataclass(frozen=True, slots=True)
class Week:
    """Monday to Sunday; None for a day that is not among the last ninety."""

    monday: date
    days: tuple[Day | None, ...]

    @property
    def count(self) -> int:
        """The sum over its days."""
        return sum(day.count for day in self.days if day)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The last ninety days, week by week, the latest first."""

    weeks: tuple[Week, ...]

    @property
    def days(self) -> list[Day]:
        """The days, the earliest first."""
        return [day for week in reversed(self.weeks) for day in week.days if day]

    @property
    def most(self) -> int:
        """The count of the busiest day."""
        return max((day.count for day in self.days), default=0)

    @property
    def most_in_a_week(self) -> int:
        """The count of the busiest week."""
        return max((week.count for week in self.weeks), default=0)


def calendar(today: date, counts: Mapping[str, int], clients: Mapping[str, int]) -> Calendar:
    """The calendar that ends `today`. Counts are by day (YYYY-MM-DD); a missing day is 0."""
    first = today - timedelta(days=DAYS - 1)
    monday = first - timedelta(days=first.weekday())
    weeks = []
    while monday <= today:
        week = (monday + timedelta(days=number) for number in range(7))
        weeks.append(Week(monday, tuple(_days(week, first, today, counts, clients))))
        monday += timedelta(days=7)
    return Calendar(tuple(reversed(weeks)))


def _days(
    week: Iterable[date],
    first: date,
    last: date,
    counts: Mapping[str, int],
    clients: Mapping[str, int],
) -> Iterable[Day | None]:
    for day in week:
        key = day.isoformat()
        known = first <= day <= last
        yield Day(day, counts.get(key, 0), clients.get(key, 0)) if known else None
