"""The way into the outbox: events from any number of requests, committed in groups."""

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import sql
from sql.database import connect, transaction
from sql.errors import RecordError
from sql.groups import GroupCommit, Waiter
from sql.outbox import QUERIES, add_outcomes
from sql.outbox.room import Bounds, Room, Waiting, first_reports

log = logging.getLogger(__name__)

BOUNDS = Bounds(events=500_000, bytes=256 << 20)  # weeks of a small community's page views

# How long a batch waits for the write lock, in seconds; and how long while the last attempt failed.
PATIENCE = 1.0
DEGRADED_PATIENCE = 0.02


class Outbox(GroupCommit[Waiting]):
    """One process's way in; any number of processes share the database, which must exist.

    An event beyond the bounds (see `Room`) is dropped, and counted as that.
    """

    def __init__(self, path: Path, bounds: Bounds = BOUNDS) -> None:
        self._uncounted = uncounted = _Uncounted()
        super().__init__("outbox", lambda: _OutboxStore(path, bounds, uncounted))

    async def put(self, event: Waiting) -> None:
        """Return once it is committed, or dropped. A database that cannot be written is logged:
        the page that sent the event could do nothing about it."""
        try:
            await self._record(event)
        except RecordError as error:
            self._loses(1, error)

    def post(self, event: Waiting) -> None:
        """Keep it without waiting; a failure is logged."""
        self._post(event)

    def _put(self, item: Waiting, waiter: Waiter | None) -> None:
        """Queue an event; one for which the queue has no room counts as dropped, too."""
        try:
            super()._put(item, waiter)
        except RecordError:
            self._uncounted.add(1)
            raise


class _Uncounted:
    """How many events were dropped and are still to be counted in the database; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._amount = 0

    def __bool__(self) -> bool:
        return self._amount > 0

    def add(self, amount: int) -> None:
        with self._lock:
            self._amount += amount

    def take(self) -> int:
        """All of them: the caller counts them now."""
        with self._lock:
            taken, self._amount = self._amount, 0
        return taken


class _OutboxStore:
    """The writer thread's connection. What could not be written is counted once it can be."""

    def __init__(self, path: Path, bounds: Bounds, uncounted: _Uncounted) -> None:
        self._path = path
        self._bounds = bounds
        self._statements = sql.load(QUERIES)
        self._connection: sqlite3.Connection | None = None
        self._uncounted = uncounted
        self._failing = False

    def store(self, items: Sequence[Waiting], queued: float) -> None:
        uncounted = self._uncounted.take()
        try:
            self._write(items, uncounted, queued + PATIENCE)
        except sqlite3.Error as error:
            self._uncounted.add(uncounted + len(items))
            self._fails(error)
            raise RecordError(f"the outbox cannot be written: {error}") from error
        self._failing = False

    def rest(self, idle: bool) -> float:
        """Count what is still uncounted, once a second."""
        if idle and self._uncounted:
            with suppress(RecordError):
                self.store([], time.monotonic())
        return 1.0 if self._uncounted else 60.0

    def close(self) -> None:
        self.rest(idle=True)
        self._disconnect()

    def _write(self, events: Sequence[Waiting], uncounted: int, deadline: float) -> None:
        if self._failing:
            deadline = min(deadline, time.monotonic() + DEGRADED_PATIENCE)
        if self._connection is None:
            self._connection = connect(self._path, busy_seconds=0.005)
        connection = self._connection
        now = int(time.time())
        with transaction(connection, deadline):
            room = Room(connection, self._bounds)
            if fitting := room.take(first_reports(connection, events)):
                rows = [(event.time, event.client, event.body) for event in fitting]
                text = json.dumps(rows, separators=(",", ":"))
                connection.execute(self._statements["put_events"], {"events": text})
            add_outcomes(connection, {"dropped": uncounted + room.write_drops(now)}, now)

    def _fails(self, error: sqlite3.Error) -> None:
        if not self._failing:
            log.error("page events are lost, since %s cannot be written: %s", self._path, error)
        self._failing = True
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
