"""The way out of the outbox: one batch at a time, by one process."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path

import sql
from sql.database import connect
from sql.errors import OutboxError
from sql.outbox import QUERIES, add_outcomes, transaction

PATIENCE = 5.0  # seconds, for processes that write to it


class Sending:
    """The batch in flight. For one process at a time, and one thread at a time.

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
            connection.execute(self._statements["forget_handed_over"])
            add_outcomes(connection, {"uncertain": count}, int(time.time()))
        return int(count)

    def take(self, most_events: int, most_bytes: int) -> list[str]:
        """The bodies of the next batch, one at least if any waits; they are in flight then."""
        with self._errors() as connection:
            parameters = {"most": most_events}
            rows = connection.execute(self._statements["first_waiting"], parameters).fetchall()
        sizes = accumulate(len(body) for _, body in rows)
        batch = [row for row, size in zip(rows, sizes, strict=True) if size <= most_bytes]
        batch = batch or rows[:1]
        if batch:
            # Nobody else takes any away, so these still wait.
            parameters = {"now": int(time.time()), "last": batch[-1][0]}
            with self._transaction() as connection:
                connection.execute(self._statements["hand_over"], parameters)
        return [body for _, body in batch]

    def put_back(self) -> None:
        """The batch did not leave."""
        with self._transaction() as connection:
            connection.execute(self._statements["take_back"])

    def end(self, outcomes: Mapping[str, int]) -> None:
        """The batch is over: so many events of it came to each end."""
        with self._transaction() as connection:
            connection.execute(self._statements["forget_handed_over"])
            add_outcomes(connection, outcomes, int(time.time()))

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

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
