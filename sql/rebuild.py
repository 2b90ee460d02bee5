"""Rebuild: compute the totals again from the rows, while the portal serves.

The right totals are computed in one read transaction, beside the portal and for as long as it
takes; only where they differ is written, in transactions so short that the recorder can write
between them.
What is written are changes, so it does not matter what is counted meanwhile, and a rebuild that
ends too early, however, leaves nothing worse than it was and can simply be run again.
"""

import random
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import sql
from sql.database import transaction
from sql.errors import UpkeepError
from sql.locks import COMMAND, UPKEEP, locked
from sql.operations import Progress, horizon, note, opened, silent
from sql.rebuild_clients import ClientsRebuild
from sql.sections import CATALOG, SECTIONS

SCRATCH = Path(__file__).parent / "scratch.sql"

# Rows read by one statement, some 0.1 s, and changes in one transaction, which takes some 50 ms.
ROWS = 50_000
CHANGES = 2_000
# In KiB if negative. What is sorted is kept in as much memory too, before it goes to the disk.
CACHE = -262_144
# A new day may begin while the sums over days are compared; then they are compared again.
ATTEMPTS = 3


class Rebuilt(NamedTuple):
    """How many rows were read, and how many totals, sums and clients differed from them.

    `since` is the day they were rebuilt from, YYYY-MM-DD, or "" for all.
    """

    rows: int
    totals: int
    sums: int
    clients: int
    since: str


def rebuild(database: Path, progress: Progress = silent) -> Rebuilt:
    """Rebuild all that can be from rows: the days from the horizon of the last prune on.

    Needs room beside the database for about as much again. Raises `UpkeepError`: no database, no
    room, or another command is at work.
    """
    with opened(database) as connection:
        scratch(connection, database.parent)
        with locked(database.with_name(COMMAND), wait=False) as mine:
            if not mine:
                raise UpkeepError(f"{database}: another rebuild or prune is at work")
            return Rebuild(connection, progress).run(database.with_name(UPKEEP))


def scratch(connection: sqlite3.Connection, folder: Path) -> None:
    """Make the tables of `scratch.sql`, in files of that folder that have no name.

    The usual place, /tmp, may be small or in memory. (SQLite calls the pragma deprecated, since it
    holds for the whole process; this one has no other use for it.)
    """
    quoted = str(folder.absolute()).replace("'", "''")
    connection.execute(f"pragma temp_store_directory = '{quoted}'")
    connection.execute("pragma temp_store = file")
    connection.execute(f"pragma cache_size = {CACHE}")
    connection.execute(f"pragma temp.cache_size = {CACHE}")
    connection.executescript(SCRATCH.read_text(encoding="utf-8"))


class Rebuild:
    """One rebuild, on a connection with the scratch tables."""

    def __init__(self, connection: sqlite3.Connection, progress: Progress) -> None:
        self._connection = connection
        self._progress = progress
        self._statements = sql.load()

    def run(self, upkeep: Path) -> Rebuilt:
        """All of it; the file is where the background pass takes its turns."""
        since = horizon(self._connection)
        rows, totals = self._totals(since)
        with locked(upkeep, wait=True):
            sums = self._sums()
            clients = ClientsRebuild(self._connection, self._apply, self._progress).run(since)
        with transaction(self._connection):
            note(self._connection, "rebuild", f"{totals + sums + clients} mended")
        return Rebuilt(rows, totals, sums, clients, since)

    def _totals(self, since: str) -> tuple[int, int]:
        """Correct the daily totals: how many rows there are, and how many totals differed."""
        self._connection.execute("begin")
        known = dict.fromkeys(_KNOWN, 0) | self._read_rows(since)
        self._progress("comparing totals", 0, 1)
        self._execute("compare_counts", {"horizon": since})
        rows = self._number("fresh_rows")
        self._connection.execute("commit")
        names = [f"{verb}_{section}" for verb in ("mend", "drop") for section in _TOTALS]
        changes = self._number("count_changes")
        self._apply("totals mended", names, changes, known)
        return rows, changes

    def _read_rows(self, since: str) -> dict[str, int]:
        """Add up the rows; the id of the last one of each section, as the statements take it."""
        tables = self._connection.execute(self._statements["event_ids"]).fetchall()
        spans = {section: (first - 1, last) for section, first, last in tables if last}
        done, of = 0, sum(last - before for before, last in spans.values())
        for section in SECTIONS:
            before, last = spans.get(section.id, (0, 0))
            for after in range(before, last, ROWS):
                upto = min(after + ROWS, last)
                span = {"after": after, "upto": upto, "horizon": since}
                self._execute(f"fresh_{section.id}", span)
                if section is CATALOG:
                    self._execute("fresh_empty_searches", span)
                done += upto - after
                self._progress("rows read", done, of)
        return {f"known_{section}": last for section, (_, last) in spans.items()}

    def _sums(self) -> int:
        """Correct the sums over days, whose last day may move on meanwhile."""
        for _ in range(ATTEMPTS):
            self._progress("comparing sums", 0, 1)
            self._connection.execute("begin")
            day = self._day()
            for kind in _SUMS:
                self._execute(f"forget_{kind}_changes", {})
                self._execute(f"compare_{kind}s", {})
            self._connection.execute("commit")
            changes = {kind: self._number(f"{kind}_changes") for kind in _SUMS}
            if all(
                self._apply(
                    "sums mended", [f"mend_{kind}s", f"drop_{kind}s"], changes[kind], {}, day
                )
                for kind in _SUMS
            ):
                return sum(changes.values())
        raise UpkeepError("the sums over days change all the time; is a clock wrong?")

    def _day(self) -> str:
        return str(self._connection.execute(self._statements["rolled_up_to"]).fetchone()[0])

    def _apply(
        self,
        what: str,
        names: list[str],
        changes: int,
        parameters: Mapping[str, str | int],
        day: str | None = None,
    ) -> bool:
        """Run the statements over the numbered changes, so many in one transaction.

        With a `day`, stop where the windows no longer end on it; whether they always did.
        """
        for after in range(0, changes, CHANGES):
            with transaction(self._connection):
                if day is not None and self._day() != day:
                    return False
                for name in names:
                    self._execute(name, {**parameters, "after": after, "upto": after + CHANGES})
            self._progress(what, min(after + CHANGES, changes), changes)
            # SQLite's lock has no queue: leave the recorder time to take it.
            time.sleep(random.uniform(0.001, 0.003))  # noqa: S311 - a pause  # nosec B311
        return True

    def _number(self, name: str) -> int:
        return int(self._connection.execute(self._statements[name]).fetchone()[0])

    def _execute(self, name: str, parameters: Mapping[str, str | int]) -> None:
        self._connection.execute(self._statements[name], parameters)


_TOTALS = (*(section.id for section in SECTIONS), "requests")
_KNOWN = tuple(f"known_{section.id}" for section in SECTIONS)
_SUMS = ("rollup", "day_rollup")
