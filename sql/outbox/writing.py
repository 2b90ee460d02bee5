"""The way into the outbox: events from any number of requests, committed in groups."""

import json
import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import sql
from sql.database import connect
from sql.errors import RecordError
from sql.groups import GroupCommit, Waiter
from sql.outbox import QUERIES, add_outcomes, transaction

log = logging.getLogger(__name__)

# All that may wait. Weeks of a small community's page views.
MOST_EVENTS = 500_000
MOST_BYTES = 256 << 20

# How long a batch waits for the write lock, in seconds; and how long while the last attempt failed.
PATIENCE = 1.0
DEGRADED_PATIENCE = 0.02


class Waiting(NamedTuple):
    """An event for later; see the schema."""

    time: int
    body: str


class Ended(NamedTuple):
    """So many events came to that end without ever waiting here."""

    outcome: str
    amount: int


OutboxItem = Waiting | Ended


class Outbox(GroupCommit[OutboxItem]):
    """One process's way in; any number of processes share the database, which must exist.

    An event beyond the bounds is dropped, and counted as that: the newest, so that those that
    wait stay in their order and without a gap.
    """

    def __init__(
        self, path: Path, most_events: int = MOST_EVENTS, most_bytes: int = MOST_BYTES
    ) -> None:
        self._owed = owed = _Owed()
        super().__init__("outbox", lambda: _OutboxStore(path, most_events, most_bytes, owed))

    async def put(self, time: int, body: str) -> None:
        """Return once it is committed, or dropped. Where it cannot be written that is logged: the
        page that sent it could do nothing about it."""
        try:
            await self._record(Waiting(time, body))
        except RecordError as error:
            self._loses(1, error)

    def post(self, time: int, body: str) -> None:
        """Keep it without waiting; a failure is logged."""
        self._post(Waiting(time, body))

    def ended(self, outcome: str, amount: int = 1) -> None:
        """Count events that never waited here."""
        self._post(Ended(outcome, amount))

    def _put(self, item: OutboxItem, waiter: Waiter | None) -> None:
        """An item that cannot even be queued is counted all the same."""
        try:
            super()._put(item, waiter)
        except RecordError:
            self._owed.add(_outcomes([item], {"dropped": 1}))
            raise


class _Owed:
    """Outcomes that are still to be counted in the database; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._amounts: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._amounts)

    def add(self, amounts: Mapping[str, int]) -> None:
        """These too."""
        with self._lock:
            self._amounts.update(amounts)

    def take(self) -> Counter[str]:
        """All of them, which are not owed from now on."""
        with self._lock:
            taken, self._amounts = self._amounts, Counter()
        return taken


def _outcomes(items: Sequence[OutboxItem], otherwise: Mapping[str, int]) -> Counter[str]:
    """Those that the items tell; `otherwise` is of each that would have waited."""
    amounts: Counter[str] = Counter()
    for item in items:
        amounts.update({item.outcome: item.amount} if isinstance(item, Ended) else otherwise)
    return amounts


class _OutboxStore:
    """The thread's connection. What could not be written is counted once it can be."""

    def __init__(self, path: Path, most_events: int, most_bytes: int, owed: _Owed) -> None:
        self._path = path
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._statements = sql.load(QUERIES)
        self._connection: sqlite3.Connection | None = None
        self._owed = owed
        self._failing = False

    def store(self, items: Sequence[OutboxItem], queued: float) -> None:
        events = [item for item in items if isinstance(item, Waiting)]
        owed = self._owed.take()
        try:
            self._write(events, owed + _outcomes(items, {}), queued + PATIENCE)
        except sqlite3.Error as error:
            self._owed.add(owed + _outcomes(items, {"dropped": 1}))
            self._fails(error)
            raise RecordError(f"the outbox cannot be written: {error}") from error
        self._failing = False

    def rest(self, idle: bool) -> float:
        """What is still to be counted, each second."""
        if idle and self._owed:
            with suppress(RecordError):
                self.store([], time.monotonic())
        return 1.0 if self._owed else 60.0

    def close(self) -> None:
        self.rest(idle=True)
        self._disconnect()

    def _write(self, events: list[Waiting], ended: Counter[str], deadline: float) -> None:
        if self._failing:
            deadline = min(deadline, time.monotonic() + DEGRADED_PATIENCE)
        if self._connection is None:
            self._connection = connect(self._path, busy_seconds=0.005)
        connection = self._connection
        with transaction(connection, deadline):
            fitting = self._fitting(connection, events)
            if fitting:
                text = json.dumps(fitting, separators=(",", ":"))
                connection.execute(self._statements["put_events"], {"events": text})
            dropped = {"dropped": len(events) - len(fitting)}
            add_outcomes(connection, ended + Counter(dropped), int(time.time()))

    def _fitting(self, connection: sqlite3.Connection, events: list[Waiting]) -> list[Waiting]:
        """As many of the first as there is room for."""
        count, size = connection.execute(self._statements["outbox_size"]).fetchone()
        for at, event in enumerate(events):
            count, size = count + 1, size + len(event.body)
            if count > self._most_events or size > self._most_bytes:
                return events[:at]
        return events

    def _fails(self, error: sqlite3.Error) -> None:
        if not self._failing:
            log.error("page events are lost, since %s cannot be written: %s", self._path, error)
        self._failing = True
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
