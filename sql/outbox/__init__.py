"""Transactional outbox: every page event on its way to Umami, in a database of its own.

Where an event is, from commit to commit: waiting -> in flight, marked before it is handed over ->
gone, with an outcome counted in the same transaction. What is found in flight at a start has no
outcome that anybody knows: it counts as uncertain and is never sent again.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sql
from sql.database import connect_reader
from sql.errors import OutboxError

SCHEMA = Path(__file__).parent / "schema"
QUERIES = Path(__file__).parent / "queries"
# What becomes of an event that is not in here any more; the schema says what each means.
OUTCOMES = ("sent", "ignored", "refused", "uncertain", "dropped")
REASONS = ("share", "room")  # for which a bound drops events; see `State.drops`


@dataclass(frozen=True, slots=True)
class Outcome:
    """So many events ended so, the last at `last_at`, which is aware; `sample` is what Umami said
    of one of the last, or empty."""

    amount: int
    last_at: datetime
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    """So many events of so many clients found no room, the last at `last_at`, which is aware."""

    amount: int
    clients: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class State:
    """Events in the outbox and their bytes; `oldest` is when the first came that waits, aware.

    `outcomes` has those of all others, by their name of OUTCOMES, once there is one; `drops` has
    those that a bound has dropped in the last month, by "share" (their client had its share of the
    outbox) and "room" (the outbox was full).
    """

    waiting: int
    in_flight: int
    bytes: int
    oldest: datetime | None
    outcomes: Mapping[str, Outcome]
    drops: Mapping[str, Drop]

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
            drops = connection.execute(statements["drops"]).fetchall()
    except sqlite3.Error as error:
        raise OutboxError(f"{path}: cannot be read: {error}") from error
    return State(
        events - in_flight,
        in_flight,
        size,
        _time(oldest[0] / 1000) if oldest else None,
        {name: Outcome(amount, _time(at), sample) for name, amount, at, sample in outcomes},
        {reason: Drop(amount, clients, _time(at)) for reason, amount, clients, at in drops},
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def add_outcomes(
    connection: sqlite3.Connection, amounts: Mapping[str, int], now: int, sample: str = ""
) -> None:
    """Count events that came to their end; within a transaction. Raises sqlite3.Error."""
    statement = sql.load(QUERIES)["add_outcome"]
    for name, amount in amounts.items():
        if amount:
            parameters = {"name": name, "amount": amount, "now": now, "sample": sample}
            connection.execute(statement, parameters)
