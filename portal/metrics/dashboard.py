"""The operator's page as data, read from one snapshot of the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from portal.metrics.condition import Condition
from portal.metrics.figures import DAYS, Calendar, Figures, calendar
from portal.metrics.tables import REQUESTS, SECTIONS, TOP, Labels, MetricsTable, Section
from sql.reader import Row, Snapshot

ClientFigures = Mapping[tuple[str, str], Figures]


@dataclass(frozen=True, slots=True)
class MetricsRow:
    """One row. `clients` is None where a table does not count them, as is `results`."""

    labels: Labels
    counts: Figures
    clients: Figures | None = None
    results: int | None = None


@dataclass(frozen=True, slots=True)
class FilledTable:
    """The first rows of a table; `more` says whether there are further ones."""

    table: MetricsTable
    rows: tuple[MetricsRow, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class FilledSection:
    """A section, its total and its tables."""

    section: Section
    total: MetricsRow
    tables: tuple[FilledTable, ...]
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The whole page, at `made_at` (aware). Every window ends on `today`, a UTC day.

    Tables are ranked by the window `ranked`. `behind` says that the rollups could not be moved to
    `today`, since the database cannot be written.
    """

    made_at: datetime
    today: date
    behind: bool
    ranked: str
    sections: tuple[FilledSection, ...]
    requests: FilledTable
    condition: Condition


class Days:
    """The bounds of the windows that end on one day, as parameters of statements.

    `live` is the day up to which rollups are made; the days since are summed by the statements.
    """

    def __init__(self, today: date, live: str, window: str) -> None:
        self.today = today
        self.bounds = {
            "today": str(today),
            "live": live,
            "since_30": self.first(30),
            "since_60": self.first(60),
            "since_90": self.first(90),
            "window": window,
        }

    def first(self, days: int) -> str:
        """The first of the last `days` days, today included."""
        return str(self.today - timedelta(days=days - 1))

    def only(self, *names: str) -> dict[str, str]:
        """The bounds of these names."""
        return {name: self.bounds[name] for name in names}

    def parameters(self, table: MetricsTable) -> dict[str, str]:
        """The parameters of a table's statement."""
        needed = {
            "catalog_top": ("today", "live", "window"),
            "catalog_by_event": ("today", "since_30", "since_60", "since_90", "window"),
        }
        return {**table.parameters, **self.only(*needed.get(table.statement, ("today", "window")))}


def clients(snapshot: Snapshot, days: Days) -> ClientFigures:
    """The distinct clients by section and scope."""
    rows = snapshot.rows(
        "clients_in_windows", before=days.first(31), **days.only("since_30", "since_90")
    )
    return {(section, scope): Figures(*figures) for section, scope, *figures in rows}


def fill(
    snapshot: Snapshot, section: Section, days: Days, known: ClientFigures, drawn: Calendar
) -> FilledSection:
    """Read a section. Its first table is read whole, since its rows are summed for the total."""
    first, *others = (read(snapshot, table, days, section, known) for table in section.tables)
    counts = sum((row.counts for row in first), Figures())
    total = MetricsRow((), counts, known.get((section.id, ""), Figures()))
    return FilledSection(
        section,
        total,
        tuple(
            FilledTable(table, tuple(rows[:TOP]), len(rows) > TOP)
            for table, rows in zip(section.tables, (first, *others), strict=True)
        ),
        drawn,
    )


def read(
    snapshot: Snapshot, table: MetricsTable, days: Days, section: Section, known: ClientFigures
) -> list[MetricsRow]:
    """Read one row more than is shown of a table; all rows of the section's first table."""
    limit = -1 if table is section.tables[0] else TOP + 1
    rows = snapshot.rows(table.statement, limit=limit, **days.parameters(table))
    return [row(table, section.id, values, known) for values in rows]


def row(table: MetricsTable, section: str, values: Row, known: ClientFigures) -> MetricsRow:
    """One row from the values that the table's statement selects."""
    width = len(table.columns)
    labels: Labels = values[:width]
    results: Any = values[width + 4] if table.results else None
    here = known.get((section, table.scope(labels)), Figures()) if table.scope else None
    return MetricsRow(labels, Figures(*values[width : width + 4]), here, results)


def calendars(snapshot: Snapshot, days: Days) -> dict[str, Calendar]:
    """The last ninety days of each section."""
    span = {"since": days.first(DAYS), "today": str(days.today)}
    counts: dict[str, dict[str, int]] = {section.id: {} for section in SECTIONS}
    seen: dict[str, dict[str, int]] = {section.id: {} for section in SECTIONS}
    for section, day, count in snapshot.rows("days", **span):
        counts[section][day] = count
    for section, day, count in snapshot.rows("client_days", **span):
        seen[section][day] = count
    return {name: calendar(days.today, counts[name], seen[name]) for name in counts}


def requests(snapshot: Snapshot, days: Days) -> FilledTable:
    """Requests for files by verdict."""
    rows = snapshot.rows(REQUESTS.statement, limit=-1, **days.parameters(REQUESTS))
    return FilledTable(REQUESTS, tuple(row(REQUESTS, "requests", each, {}) for each in rows), False)
