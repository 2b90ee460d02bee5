"""Writer of the recorder: commits batches, or spills them and replays them later."""

import heapq
import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from operator import attrgetter
from pathlib import Path

import sql
from sql.batch import KINDS, Batch
from sql.database import is_busy, patiently, transaction
from sql.errors import MigrationError, RecordError
from sql.held import HeldConnection
from sql.spill import Spill, replayed
from sql.spillformat import SpilledBatch

log = logging.getLogger(__name__)

# How long a batch waits for a locked database before it is spilled, in seconds; and how long while
# the last attempt failed, so that those behind it do not queue up.
PATIENCE = 1.0
DEGRADED_PATIENCE = 0.02
# Events in one transaction of a replay: short enough for other processes to get their turn.
CHUNK = 1000
PRUNE_SECONDS = 60

_TROUBLE = sqlite3.Error, OSError, MigrationError

# Expanded when this is imported, so that processes that are forked later share the texts.
sql.load()


class Writer:
    """The one connection of a process that writes, and the spill files of its slot.

    One thread at a time may use it. `RecordError` from the constructor means that another process
    has the slot.
    """

    def __init__(self, database: Path, spill_dir: Path, slot: int, slots: int) -> None:
        self._database = database
        self._statements = sql.load()
        self._held = HeldConnection(database)
        self._failing = False
        self._replayed = 0
        self._prune_at = 0.0
        self._spill = Spill(spill_dir / f"{slot}.spill")
        self._spills = [self._spill, *_adopted(spill_dir, slot, slots)]
        try:
            self._spill.reserve()
        except OSError as error:
            log.warning("no room to spill events to %s: %s", spill_dir, error)

    def store(self, batch: Batch, queued: float) -> None:
        """Commit the batch, or sync it to the spill file; `queued` is its earliest monotonic time.

        Whatever was spilled before is replayed first, so that the window sees events in the order
        of time. Raises `RecordError` when neither can be done.
        """
        deadline = queued + PATIENCE
        try:
            if self._replay(deadline):
                self._commit(batch, deadline)
                return
        except _TROUBLE as error:
            self._fails(error)
        self._spill.append(batch)

    def replay(self) -> None:
        """Try to commit what was spilled; to be called each second while anything is."""
        try:
            self._replay(time.monotonic() + PATIENCE)
        except _TROUBLE as error:
            self._fails(error)

    def prune(self) -> None:
        """Once a minute, drop what the window no longer needs. Not while spilled events need it."""
        if time.monotonic() < self._prune_at or not self.empty:
            return
        self._prune_at = time.monotonic() + PRUNE_SECONDS
        now = {"now": int(time.time())}
        with (
            suppress(*_TROUBLE),
            self._transaction(time.monotonic() + DEGRADED_PATIENCE) as connection,
        ):
            connection.execute(self._statements["prune_window"], now)

    def rest(self, idle: bool) -> float:
        """What is to be done between batches; in how many seconds again, if none comes."""
        if idle:
            self.replay()
        self.prune()
        return PRUNE_SECONDS if self.empty else 1

    @property
    def empty(self) -> bool:
        """Whether nothing is spilled."""
        return not self._pending()

    def close(self) -> None:
        """A last attempt to replay; what cannot be waits in the file for the next start."""
        self.replay()
        self._held.close()
        for spill in self._spills:
            spill.close()

    def _commit(self, batch: Batch, deadline: float) -> None:
        """One kind, as nearly always, is one statement and so a transaction of its own: that takes
        Python's lock a third as often, and commits a tenth more."""
        if len(batch.kinds) > 1:
            with self._transaction(deadline) as connection:
                self._insert(connection, batch.kinds, batch.payload)
            return
        statement = self._statements[batch.kinds[0]]
        parameters = {"batch": batch.payload.decode()}
        patiently(self._held.get(), self._shortened(deadline), statement, parameters)
        self._failing = False

    def _pending(self) -> list[Spill]:
        return [spill for spill in self._spills if not spill.empty]

    def _replay(self, deadline: float) -> bool:
        """Commit what was spilled, a chunk at least; whether that is all. Raises `_TROUBLE`."""
        while pending := self._pending():
            if events := self._replay_chunk(pending, deadline):
                self._replayed += events
            else:
                self._recycle(pending, deadline)
                log.warning("%d spilled events are in the database now", self._replayed)
                self._replayed = 0
            if time.monotonic() > deadline:
                break
        return self.empty

    def _replay_chunk(self, spills: list[Spill], deadline: float) -> int:
        """Commit the earliest records and, with them, how far each file is; return the events."""
        events = 0
        with self._transaction(deadline) as connection:
            files = [spill.records(replayed(connection, spill.id)) for spill in spills]
            for record in heapq.merge(*files, key=attrgetter("time")):
                self._take(connection, record)
                events += record.events
                if events >= CHUNK:
                    break
        return events

    def _take(self, connection: sqlite3.Connection, record: SpilledBatch) -> None:
        self._insert(connection, KINDS, record.payload)
        offset = {"spill": record.spill, "replayed": record.end}
        connection.execute(self._statements["advance_spill"], offset)

    def _recycle(self, spills: list[Spill], deadline: float) -> None:
        """Void what is in the database; only then may that forget how far the files were."""
        done = [spill.id for spill in spills]
        for spill in spills:
            spill.recycle()
        with self._transaction(deadline) as connection:
            for spill_id in done:
                connection.execute(self._statements["forget_spill"], {"spill": spill_id})

    def _insert(
        self, connection: sqlite3.Connection, kinds: tuple[str, ...], payload: bytes
    ) -> None:
        batch = {"batch": payload.decode()}
        for kind in kinds:
            connection.execute(self._statements[kind], batch)

    @contextmanager
    def _transaction(self, deadline: float) -> Iterator[sqlite3.Connection]:
        connection = self._held.get()
        with transaction(connection, self._shortened(deadline)):
            yield connection
        self._failing = False

    def _shortened(self, deadline: float) -> float:
        """The deadline, or an earlier one while the last attempt failed."""
        return min(deadline, time.monotonic() + DEGRADED_PATIENCE) if self._failing else deadline

    def _fails(self, error: Exception) -> None:
        if not self._failing:
            log.warning("events are spilled, since %s cannot be written: %s", self._database, error)
        self._failing = True
        if not is_busy(error):
            self._held.close()  # the file may be replaced, or its disk come back


def _adopted(folder: Path, slot: int, slots: int) -> Iterator[Spill]:
    """The files that an earlier run with more processes left behind, shared among the slots."""
    for path in folder.glob("*.spill"):
        if path.stem.isdecimal() and int(path.stem) >= slots and int(path.stem) % slots == slot:
            try:
                yield Spill(path)
            except RecordError as error:
                log.warning("%s", error)
