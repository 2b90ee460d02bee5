"""Rebuild of distinct clients from the rows that the background pass has counted.

The pass must not run meanwhile. Clients last seen before the horizon stay as they are, since their
rows are deleted; so do the windows of days that reach back behind it.
"""

import sqlite3
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Protocol

import sql
from sql.database import transaction
from sql.operations import Progress

# The page shows so many days, each with the 30 days that end with it.
DAYS = 90
WINDOW = 30
STEPS = 8


class Apply(Protocol):
    """Runs statements over numbered changes, so many in one transaction."""

    def __call__(
        self, what: str, names: list[str], changes: int, parameters: Mapping[str, str | int]
    ) -> bool: ...


class ClientsRebuild:
    """One rebuild, on a connection with the scratch tables and the background pass's turn."""

    def __init__(self, connection: sqlite3.Connection, apply: Apply, progress: Progress) -> None:
        self._connection = connection
        self._apply = apply
        self._progress = progress
        self._statements = sql.load()
        self._step = 0

    def run(self, horizon: str) -> int:
        """Mend the clients and their counts; how many of either differed."""
        counted = dict(self._connection.execute(self._statements["client_progress"]).fetchall())
        bounds = {**counted, "horizon": horizon}
        (day,) = self._connection.execute(self._statements["client_day"]).fetchone()
        if day is None:
            return 0  # the pass has never been here
        days = _days(date.fromisoformat(day), horizon)
        self._connection.execute("begin")
        for name in ("fresh_scopes", "fresh_sections", "compare_clients", "fresh_client_totals"):
            self._compute(name, bounds)
        for name in _DAYS:
            self._compute(name, {**counted, **days})
        self._connection.execute("commit")
        return self._mend_clients(horizon) + self._mend_counts({**days, "horizon": horizon})

    def _mend_clients(self, horizon: str) -> int:
        """First those that are missing or wrong; if there are too many then, find these."""
        changes = self._change()
        (surplus,) = self._connection.execute(
            self._statements["surplus_clients"], {"horizon": horizon}
        ).fetchone()
        if surplus:
            self._connection.execute(self._statements["forget_client_changes"])
            self._compute("find_surplus_clients", {"horizon": horizon})
            changes += self._change()
        return changes

    def _change(self) -> int:
        (changes,) = self._connection.execute(self._statements["client_changes"]).fetchone()
        self._apply("clients mended", ["mend_clients", "drop_clients"], changes, {})
        return int(changes)

    def _mend_counts(self, parameters: Mapping[str, str | int]) -> int:
        """Their counts are few, some hundred for each day of the years: one transaction."""
        changes = 0
        with transaction(self._connection):
            for name in _COUNTS:
                done = self._connection.execute(self._statements[name], parameters)
                changes += done.rowcount
        return changes

    def _compute(self, name: str, parameters: Mapping[str, str | int]) -> None:
        self._progress("clients compared, steps", min(self._step, STEPS), STEPS)
        self._step += 1
        self._connection.execute(self._statements[name], parameters)


def _days(today: date, horizon: str) -> dict[str, str | int]:
    """The day whose rows are being counted, and the first days of what is rebuilt."""
    since_90 = str(today - timedelta(days=DAYS - 1))
    since = max(str(today - timedelta(days=DAYS + WINDOW - 2)), horizon)
    return {
        "today": str(today),
        "since": since,
        "since_90": max(since_90, horizon),
        "since_30": str(date.fromisoformat(since) + timedelta(days=WINDOW - 1)),
    }


_DAYS = ("fresh_visits", "fresh_section_visits", "fresh_client_days", "earlier_client_days")
_COUNTS = (
    "mend_client_totals",
    "drop_client_totals",
    "mend_client_sums",
    "drop_client_sums",
    "mend_client_days",
    "empty_client_days",
)
