"""The outbox's consumer: one event in flight at a time, for one process."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import sql
from sql.database import connect, transaction
from sql.errors import OutboxError
from sql.outbox import QUERIES, add_outcomes

PATIENCE = 5.0  # seconds, for processes that write to it


class OutboxEvent(NamedTuple):
    """`time` is when it happened, in Unix milliseconds; `body` is its JSON."""

    id: int
    time: int
    body: str


class Ended(NamedTuple):
    """How the event `id` ended: a name of OUTCOMES, and what Umami said, if that matters."""

    id: int
    outcome: str
    sample: str = ""


class Sending:
    """The event in flight. For one process at a time, and one thread at a time.

    Each method is one transaction. All raise `OutboxError`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._statements = sql.load(QUERIES)
        self._connection: sqlite3.Connection | None = None

    def abandon(self) -> int:
        """At the start: what an earlier run had in flight is uncertain; how many that were."""
        with self._transaction() as connection:
            (count,) = connection.execute(self._statements["in_flight"]).fetchone()
            connection.execute(self._statements["forget_in_flight"])
            add_outcomes(connection, {"uncertain": count}, int(time.time()))
        return int(count)

    def take(self, ended: Ended | None = None) -> OutboxEvent | None:
        """Write down how the last event ended, if one was in flight, and hand over the next.

        One transaction for both, since each costs the disk a sync. None where none waits.
        """
        if ended is None and not self._waits():
            return None
        now = int(time.time())
        with self._transaction() as connection:
            if ended is not None:
                self._end(connection, ended, now)
            first = connection.execute(self._statements["first_waiting"]).fetchone()
            if first is None:
                return None
            number, moment, body = first
            connection.execute(self._statements["hand_over"], {"now": now, "id": number})
        return OutboxEvent(number, moment, body)

    def put_back(self, ended: Ended | None = None) -> None:
        """What is in flight did not leave, and waits again, but for the event that has `ended`.

        That one is counted once, also where a `take` before, which seemed to fail, had done it.
        """
        with self._transaction() as connection:
            if ended is not None:
                self._end(connection, ended, int(time.time()))
            connection.execute(self._statements["take_back"])

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _end(self, connection: sqlite3.Connection, ended: Ended, now: int) -> None:
        gone = connection.execute(self._statements["forget_sent"], {"id": ended.id})
        add_outcomes(connection, {ended.outcome: gone.rowcount}, now, ended.sample)

    def _waits(self) -> bool:
        """Whether anything waits, without the write lock."""
        with self._errors() as connection:
            return connection.execute(self._statements["first_waiting"]).fetchone() is not None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with (
            self._errors() as connection,
            transaction(connection, time.monotonic() + PATIENCE),
        ):
            yield connection

    @contextmanager
    def _errors(self) -> Iterator[sqlite3.Connection]:
        """The connection; it is opened anew after an error."""
        try:
            if self._connection is None:
                self._connection = connect(self._path, busy_seconds=0.005)
            yield self._connection
        except sqlite3.Error as error:
            self.close()
            raise OutboxError(f"{self._path}: {error}") from error
