"""The background pass: days that are over are rolled up, and distinct clients are counted.

Any process may run it at any time: what it did and how far it came is one transaction, and each of
these is short, so that the recorder gets its turn.
"""

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


Told = Callable[[int], None]


def _nothing(_rows: int) -> None:
    """Nobody watches."""


class Upkeep:
    """Keeps a database's rollups and distinct clients; blocking, one thread at a time."""

    def __init__(self, database: Path, chunk: int = CHUNK) -> None:
        self._database = database
        self._chunk = chunk
        self._statements = sql.load()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let `run` return after the transaction it is in; from any thread."""
        self._stopped.set()

    def run(self, today: date, told: Told = _nothing, wait: bool = False) -> None:
        """Bring everything up to date; `told` is called with the rows of each transaction.

        `today` is the current day, UTC. While another process does it, or rebuilds the clients,
        this does nothing, or waits. Raises `UpkeepError` when the database cannot be read or
        written; what is done by then stays done.
        """
        try:
            with locked(self._database.with_name(UPKEEP), wait) as mine:
                if not mine:
                    return
                with closing(connect_whole(self._database, BUSY_SECONDS)) as connection:
                    self._roll_up(connection, today)
                    self._count_clients(connection, today, told)
        except (sqlite3.Error, OSError) as error:
            raise UpkeepError(f"{self._database}: the totals are behind: {error}") from error

    def roll_up(self, today: date) -> None:
        """Only move the windows' last day to today. Raises `UpkeepError`."""
        try:
            with closing(connect_whole(self._database, BUSY_SECONDS)) as connection:
                self._roll_up(connection, today)
        except (sqlite3.Error, OSError) as error:
            raise UpkeepError(f"{self._database}: the totals are behind: {error}") from error

    def _roll_up(self, connection: sqlite3.Connection, today: date) -> None:
        """A day at a time, and back again when the clock was set back."""
        day = None
        while day != today:
            with transaction(connection):
                day = self._day(connection, "rolled_up_to") or today
                if day < today:
                    self._roll(connection, day, 1)
                elif day > today:
                    self._roll(connection, day - timedelta(days=1), -1)

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

    def _count_clients(self, connection: sqlite3.Connection, today: date, told: Told) -> None:
        """Row by row in the order of their days, so that each day can be closed when it is over."""
        going = True
        while going and not self._stopped.is_set():
            with transaction(connection):
                day = self._client_day(connection, today)
                # Of today's rows some may be dated to come, by a clock that was ahead since.
                rows, over = self._count_chunk(connection, day if day < today else date.max)
                if over and day < today:
                    self._close(connection, day)
                going = not over or day < today
            told(rows)
            # SQLite's lock has no queue: leave the recorder time to take it.
            time.sleep(random.uniform(0.001, 0.003) if going else 0)  # noqa: S311 - a pause  # nosec B311

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

    def _close(self, connection: sqlite3.Connection, day: date) -> None:
        over = {"day": str(day), "since_30": str(day - timedelta(days=29))}
        connection.execute(self._statements["close_client_day"], over)
        following = {"day": str(day + timedelta(days=1))}
        connection.execute(self._statements["set_client_day"], following)

    def _day(self, connection: sqlite3.Connection, statement: str) -> date | None:
        (text,) = connection.execute(self._statements[statement]).fetchone()
        return date.fromisoformat(text) if text else None
