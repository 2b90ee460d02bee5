"""The background pass: days that are over are rolled up, and distinct clients are counted.

Any process may run it at any time: what it did and how far it came is one transaction, and each of
these is short, so that the recorder gets its turn.
"""

import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import sql
from sql.database import connect_whole, transaction
from sql.errors import UpkeepError
from sql.locks import UPKEEP, locked

# Rows in one transaction: some 20 ms of the write lock.
CHUNK = 1000
BUSY_SECONDS = 5.0
# Before any portal: a machine without a battery for its clock starts with 1970 or 2000.
FIRST_DAY = date(2020, 1, 1)
# In how many days a day with events enters or leaves one of the windows.
DISTANCES = (0, 30 - 1, 60 - 1, 90 - 1)
# So many days before rows that are dated to come are closed by them: all that could be open still,
# unless a clock is set back by more.
CLOSED_AHEAD = timedelta(days=60)

log = logging.getLogger(__name__)


RowsDone = Callable[[int], None]


def _nothing(_rows: int) -> None:
    """Nobody watches."""


class Upkeep:
    """Keeps a database's rollups and distinct clients; blocking, one thread at a time."""

    def __init__(self, database: Path, chunk: int = CHUNK) -> None:
        self._database = database
        self._chunk = chunk
        self._statements = sql.load()
        self._stopped = threading.Event()
        self._unset = False

    def stop(self) -> None:
        """Let `run` return after the transaction it is in; from any thread."""
        self._stopped.set()

    def run(self, today: date, rows_done: RowsDone = _nothing, wait: bool = False) -> None:
        """Bring everything up to date; `rows_done` is called with the rows of each transaction.

        `today` is the current day, UTC. While another process does it, or rebuilds the clients,
        this does nothing, or waits. Raises `UpkeepError` when the database cannot be read or
        written; what is done by then stays done.
        """
        if not self._set(today):
            return
        try:
            with locked(self._database.with_name(UPKEEP), wait) as mine:
                if not mine:
                    return
                with closing(connect_whole(self._database, BUSY_SECONDS)) as connection:
                    self._roll_up(connection, today)
                    self._count_clients(connection, today, rows_done)
        except (sqlite3.Error, OSError) as error:
            raise UpkeepError(f"{self._database}: the totals are behind: {error}") from error

    def roll_up(self, today: date) -> None:
        """Only move the windows' last day to today. Raises `UpkeepError`."""
        if not self._set(today):
            return
        try:
            with closing(connect_whole(self._database, BUSY_SECONDS)) as connection:
                self._roll_up(connection, today)
        except (sqlite3.Error, OSError) as error:
            raise UpkeepError(f"{self._database}: the totals are behind: {error}") from error

    def _roll_up(self, connection: sqlite3.Connection, today: date) -> None:
        """Move the windows' last day to today, or back to it when the clock was set back.

        One day at a time, but over days that change no window at once: so the steps are as many as
        there are days with events, however far the clock was set.
        """
        day, before = None, self._day(connection, "rolled_up_to")
        if before is not None and before > today:
            log.warning("the clock was set back: windows ended on %s and now on %s", before, today)
        while day != today:
            with transaction(connection):
                day = self._day(connection, "rolled_up_to") or today
                if day < today:
                    self._roll_on(connection, day, today)
                elif day > today:
                    self._roll_back(connection, day, today)
            if day != today:
                self._give_way()

    def _roll_on(self, connection: sqlite3.Connection, day: date, today: date) -> None:
        """Close the next day that changes a window, or go on to today if there is none."""
        nearest = today
        for distance in DISTANCES:
            found = self._day(
                connection, "counted_day_from", day=str(day - timedelta(days=distance))
            )
            if found is not None and (today - found).days > distance:
                nearest = min(nearest, found + timedelta(days=distance))
        if nearest < today:
            self._roll(connection, nearest, 1)
        else:
            connection.execute(self._statements["set_rollup_day"], {"day": str(today)})

    def _roll_back(self, connection: sqlite3.Connection, day: date, today: date) -> None:
        """Open the last day that changed a window again, or go back to today if there is none."""
        nearest = today - timedelta(days=1)
        for distance in DISTANCES:
            found = self._day(
                connection, "counted_day_before", day=str(day - timedelta(days=distance))
            )
            if found is not None:
                nearest = max(nearest, found + timedelta(days=distance))
        if nearest >= today:
            self._roll(connection, nearest, -1)
        else:
            connection.execute(self._statements["set_rollup_day"], {"day": str(today)})

    def _roll(self, connection: sqlite3.Connection, day: date, sign: int) -> None:
        """Let the counts of a day that is over in, or take them out again."""
        over = {
            "entering": str(day),
            "leaving_30": str(day - timedelta(days=29)),
            "leaving_before": str(day - timedelta(days=59)),
            "leaving_90": str(day - timedelta(days=89)),
        }
        connection.execute(self._statements["roll_counts"], {**over, "sign": sign})
        name = "roll_day" if sign > 0 else "unroll_day"
        connection.execute(self._statements[name], {"day": str(day)})
        if sign < 0:
            connection.execute(self._statements["forget_empty_rollups"])
        ends = {"day": str(day + timedelta(days=1) if sign > 0 else day)}
        connection.execute(self._statements["set_rollup_day"], ends)

    def _count_clients(
        self, connection: sqlite3.Connection, today: date, rows_done: RowsDone
    ) -> None:
        """Row by row in the order of their days, so that each day is closed before the next.

        Rows may be dated to come, where the clock was ahead or has been set back. They are counted
        too, after the days before them were closed as well.
        """
        going, bound = True, today
        while going and not self._stopped.is_set():
            with transaction(connection):
                day = self._client_day(connection, today)
                rows, over = self._count_chunk(connection, day if day < today else bound)
                if over and day < today:
                    self._close(connection, day, today)
                elif over:
                    ahead = self._day(connection, "uncounted_since")
                    going = ahead is not None
                    if ahead is not None:
                        self._close_before(connection, max(bound, ahead - CLOSED_AHEAD), ahead)
                        bound = max(bound, ahead)
            rows_done(rows)
            if going:
                self._give_way()

    def _close_before(self, connection: sqlite3.Connection, first: date, end: date) -> None:
        """Close the days from the first on before one, where the clock does not say so."""
        for number in range((end - first).days):
            self._count_window(connection, first + timedelta(days=number))

    def _client_day(self, connection: sqlite3.Connection, today: date) -> date:
        """The day whose rows come next, never one that is to come."""
        day = self._day(connection, "client_day")
        if day is not None and day <= today:
            return day
        first = self._day(connection, "first_day") if day is None else None
        day = min(first or today, today)
        connection.execute(self._statements["set_client_day"], {"day": str(day)})
        return day

    def _count_chunk(self, connection: sqlite3.Connection, day: date) -> tuple[int, bool]:
        """Count the next rows of each table; how many, and whether that were all of the day."""
        rows, over = 0, True
        for section, after in connection.execute(self._statements["client_progress"]).fetchall():
            bounds = {"after": after, "day": str(day), "limit": self._chunk}
            upto, last = connection.execute(self._statements[f"next_{section}"], bounds).fetchone()
            over = over and bool(last)
            if upto is None:
                continue
            span = {"after": after, "upto": upto}
            connection.execute(self._statements[f"clients_of_{section}"], span)
            progress = {"section": section, "upto": upto}
            connection.execute(self._statements["set_client_progress"], progress)
            rows += upto - after
        return rows, over

    def _close(self, connection: sqlite3.Connection, day: date, today: date) -> None:
        """Count the clients of the 30 days that end with a day; go on to the next day.

        Where nobody was seen in them, that is the next day on which somebody was.
        """
        seen = self._count_window(connection, day)
        following = day + timedelta(days=1)
        if not seen:
            found = self._day(connection, "next_client_day", day=str(day))
            following = max(following, min(found or today, today))
        connection.execute(self._statements["set_client_day"], {"day": str(following)})

    def _count_window(self, connection: sqlite3.Connection, day: date) -> int:
        """Store the distinct clients of the 30 days that end with a day; of how many scopes."""
        bounds = {"day": str(day), "since_30": str(day - timedelta(days=29))}
        return connection.execute(self._statements["close_client_day"], bounds).rowcount

    def _set(self, today: date) -> bool:
        """Whether the clock shows a day on which there could be a portal."""
        if today >= FIRST_DAY:
            self._unset = False
        elif not self._unset:
            self._unset = True
            log.warning("the clock shows %s: it was never set, and no day is closed by it", today)
        return not self._unset

    def _give_way(self) -> None:
        """Leave the recorder time to take SQLite's lock, which has no queue."""
        time.sleep(random.uniform(0.001, 0.003))  # noqa: S311 - a pause  # nosec B311

    def _day(self, connection: sqlite3.Connection, statement: str, **bounds: str) -> date | None:
        (text,) = connection.execute(self._statements[statement], bounds).fetchone()
        return date.fromisoformat(text[:10]) if text else None
