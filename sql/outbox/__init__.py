"""Page events that wait for Umami, in a database of their own.

Where an event is, from commit to commit: waiting -> in flight, marked before it is handed over ->
gone, with an outcome counted in the same transaction. What is found in flight at a start has no
outcome that anybody knows: it counts as uncertain and is never sent again.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sql
from sql.database import connect_reader, patiently
from sql.errors import OutboxError

SCHEMA = Path(__file__).parent / "schema"
QUERIES = Path(__file__).parent / "queries"
# What becomes of an event that is not in here any more; the schema says what each means.
OUTCOMES = ("sent", "refused", "uncertain", "dropped")


@dataclass(frozen=True, slots=True)
class Outcome:
    """So many events ended so, the last at `last_at`, which is aware."""

    amount: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class State:
    """Events in the outbox and their bytes; `oldest` is when the first came that waits, aware.

    `outcomes` has those of all others, by their name of OUTCOMES, once there is one.
    """

    waiting: int
    in_flight: int
    bytes: int
    oldest: datetime | None
    outcomes: Mapping[str, Outcome]

    def amount(self, outcome: str) -> int:
        """How many events ended so."""
        return self.outcomes[outcome].amount if outcome in self.outcomes else 0


def look(path: Path) -> State:
    """What is in it now; blocking. Raises `OutboxError`."""
    statements = sql.load(QUERIES)
    try:
        with closing(connect_reader(path)) as connection:
            connection.execute("begin")
            events, size = connection.execute(statements["outbox_size"]).fetchone()
            (in_flight,) = connection.execute(statements["in_flight"]).fetchone()
            oldest = connection.execute(statements["oldest_waiting"]).fetchone()
            outcomes = connection.execute(statements["outcomes"]).fetchall()
    except sqlite3.Error as error:
        raise OutboxError(f"{path}: cannot be read: {error}") from error
    return State(
        events - in_flight,
        in_flight,
        size,
        _time(oldest[0]) if oldest else None,
        {name: Outcome(amount, _time(last_at)) for name, amount, last_at in outcomes},
    )


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@contextmanager
def transaction(connection: sqlite3.Connection, deadline: float) -> Iterator[None]:
    """One that writes, begun before the monotonic deadline. Raises sqlite3.Error."""
    patiently(connection, deadline, "begin immediate", {})
    try:
        yield
        connection.execute("commit")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("rollback")
        raise


def add_outcomes(connection: sqlite3.Connection, amounts: Mapping[str, int], now: int) -> None:
    """Count events that came to their end; within a transaction. Raises sqlite3.Error."""
    statement = sql.load(QUERIES)["add_outcome"]
    for name, amount in amounts.items():
        if amount:
            connection.execute(statement, {"name": name, "amount": amount, "now": now})
