"""Results of benchmarks, and how they are printed."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Bar:
    """One limit: what was measured, and whether the limit is met."""

    what: str
    measured: str
    bound: str
    met: bool

    def line(self) -> str:
        """The line that is printed."""
        return f"{'met   ' if self.met else 'MISSED'}  {self.what}: {self.measured} ({self.bound})"


@dataclass(slots=True)
class Outcome:
    """The table of one benchmark, and its bars."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The table with aligned columns."""
        table = [["", *self.columns], *self.rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(
                cell.rjust(width) if n else cell.ljust(width)
                for n, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in table
        ]
        return "\n".join([self.title, *lines, *self.notes]) + "\n"


def at_most(what: str, value: float, bound: float, form: str = "{:.2f}", unit: str = "") -> Bar:
    """A bar that a smaller value meets."""
    return Bar(
        what, form.format(value) + unit, f"at most {form.format(bound)}{unit}", value <= bound
    )


def at_least(what: str, value: float, bound: float, form: str = "{:.2f}", unit: str = "") -> Bar:
    """A bar that a larger value meets."""
    return Bar(
        what, form.format(value) + unit, f"at least {form.format(bound)}{unit}", value >= bound
    )


class Samples:
    """One value for each round and name; all names have the same rounds."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def add(self, name: str, value: float) -> None:
        """Add the value of the next round."""
        self._values.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        """The median over all rounds."""
        return statistics.median(self._values[name])

    def ratio(self, name: str, yardstick: str) -> float:
        """The median of each round's ratio: what slows a whole round cancels out."""
        pairs: Iterable[tuple[float, float]] = zip(
            self._values[name], self._values[yardstick], strict=True
        )
        return statistics.median(value / base if base else float("inf") for value, base in pairs)
