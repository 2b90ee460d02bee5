"""Prune: delete the rows of events before a day and leave their totals.

The order of its steps lets it be interrupted anywhere and run again: every row's client is counted,
then the horizon is recorded, so that no rebuild takes totals for wrong whose rows are deleted; then
the rows are deleted, so many at a time, and the clients last.
"""

import random
import sqlite3
import time
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import sql
from sql.database import transaction
from sql.errors import UpkeepError
from sql.locks import COMMAND, locked
from sql.operations import Progress, failures, opened, silent
from sql.sections import SECTIONS
from sql.upkeep import Upkeep

# Rows, or clients, in one transaction: mostly some 10 ms of the write lock. Clients lie all over
# their table, so each may be a page of the log.
CHUNK = 500


class OldRows(NamedTuple):
    """The rows of one section before a day: how many, their first and last day (or None)."""

    section: str
    rows: int
    first: str | None
    last: str | None


class PrunePreview(NamedTuple):
    """What a prune would take; `clients` is whether there are any of before the day."""

    old: list[OldRows]
    clients: bool

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not self.clients and not any(old.rows for old in self.old)


def preview(database: Path, before: date) -> PrunePreview:
    """What is older than that day. Reads every row; raises `UpkeepError`."""
    bounds = {"before": str(before)}
    statements = sql.load()
    with opened(database) as connection:
        old = [
            OldRows(
                section.id,
                *connection.execute(statements[f"old_{section.id}"], bounds).fetchone(),
            )
            for section in SECTIONS
        ]
        (clients,) = connection.execute(statements["old_clients"], bounds).fetchone()
        return PrunePreview(old, bool(clients))


def prune(database: Path, before: date, today: date, rows: int, progress: Progress = silent) -> int:
    """Delete the rows of days before that one; how many went. `rows` is how many are expected.

    Raises `UpkeepError`: not every client could be counted first, another command is at work, or
    the database cannot be written; what is deleted by then stays so.
    """
    with failures(database), locked(database.with_name(COMMAND), wait=False) as mine:
        if not mine:
            raise UpkeepError(f"{database}: another rebuild or prune is at work")
        counted = 0

        def count(done: int) -> None:
            nonlocal counted
            counted += done
            progress("clients of rows counted", counted, 0)

        Upkeep(database).run(today, count, wait=True)
        with opened(database) as connection:
            return Prune(connection, str(before), rows, progress).run()


class Prune:
    """One prune, on a connection of its own, once every client is counted."""

    def __init__(
        self, connection: sqlite3.Connection, before: str, rows: int, progress: Progress
    ) -> None:
        self._connection = connection
        self._before = before
        self._expected = rows
        self._progress = progress
        self._statements = sql.load()
        self._rows = 0

    def run(self) -> int:
        """Record the horizon, then delete; how many rows went."""
        with transaction(self._connection):
            self._connection.execute(
                self._statements["set_prune_horizon"], {"before": self._before}
            )
        progress = self._connection.execute(self._statements["client_progress"]).fetchall()
        for section, counted in progress:
            self._prune_rows(section, counted)
        self._prune_clients()
        return self._rows

    def _prune_rows(self, section: str, counted: int) -> None:
        """Only rows whose clients are counted: others have come since, late."""
        after = 0
        while upto := self._next(f"next_old_{section}", after=after, counted=counted):
            self._rows += self._delete(f"prune_{section}", after, upto)
            self._progress("rows deleted", self._rows, max(self._rows, self._expected))
            after = upto

    def _prune_clients(self) -> None:
        after, clients = "", 0
        while upto := self._next("next_old_clients", after=after):
            clients += self._delete("prune_clients", after, upto)
            self._progress("clients forgotten", clients, 0)
            after = upto

    def _next(self, name: str, **bounds: int | str) -> Any:
        parameters = {**bounds, "before": self._before, "limit": CHUNK}
        (last,) = self._connection.execute(self._statements[name], parameters).fetchone()
        return last

    def _delete(self, name: str, after: int | str, upto: int | str) -> int:
        bounds = {"after": after, "upto": upto, "before": self._before}
        with transaction(self._connection):
            deleted = self._connection.execute(self._statements[name], bounds).rowcount
        # SQLite's lock has no queue: leave the recorder time to take it.
        time.sleep(random.uniform(0.002, 0.006))  # noqa: S311 - a pause  # nosec B311
        return deleted
