"""The recorder: events from any number of requests, committed in groups by one thread."""

import asyncio
import logging
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple

from sql.batch import Event, Row, encode, row
from sql.errors import RecordError
from sql.writer import PRUNE_SECONDS, Writer

log = logging.getLogger(__name__)

# Events in one commit. While one batch is written the loop fills the next: with 512 waiting 62,000
# events a second, and 47,000 with batches of 1,000, which take turns with the loop. Short ones also
# let other processes write.
BATCH = 256
# Beyond this, waiting is worse than an error.
QUEUE_LIMIT = 50_000
# Seconds after which a thread that waits for Python's lock may demand it. At the default of 5 ms a
# loop that never rests, but gives the lock up for an instant each millisecond, takes it back every
# time: one that span for 1.5 s let a single batch through. At 0.5 ms events waited 14 ms (p99).
SWITCH_SECONDS = 0.0005

Waiter = asyncio.Future[None]


class Entry(NamedTuple):
    """`waiter` is None for a posted event; `queued` is monotonic, in seconds."""

    kind: str
    row: Row
    waiter: Waiter | None
    queued: float


class Recorder:
    """Commits events in the order they come, many at once, without blocking the event loop.

    Slot `slot` of `slots` is this process's own: its spill file, and those that an earlier run
    with more processes left. After `start` any task of any event loop may `record` and any thread
    may `post`, until `close`. Must be started after the last fork.

    An event is committed within about a second or goes to the spill file, which is replayed in
    order, before newer events, as soon as the database can be written. A crash loses no event that
    `record` returned for, and records none twice.
    """

    def __init__(self, database: Path, spill_dir: Path, slot: int = 0, slots: int = 1) -> None:
        self._places = database, spill_dir, slot, slots
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._open = False
        self._lost = 0

    def start(self) -> None:
        """Reserve the spill file and start to write; shortens the process's switch interval.

        Raises `RecordError` when another process has the slot or the spill file cannot be opened.
        """
        try:
            writer = Writer(*self._places)
        except OSError as error:
            raise RecordError(f"nothing can be spilled: {error}") from error
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))
        self._thread = threading.Thread(target=self._run, args=[writer], name="recorder")
        self._thread.daemon = True
        self._thread.start()
        self._open = True

    async def record(self, event: Event) -> None:
        """Return once the event is committed, or synced to the spill file.

        Raises `RecordError` when it can be neither. An event is recorded also if the task that
        waits for it is cancelled.
        """
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._put(event, waiter)
        await waiter

    def post(self, event: Event) -> None:
        """Record without waiting. That it failed is logged, once for each burst of failures."""
        try:
            self._put(event, None)
        except RecordError as error:
            self._loses(1, error)

    def close(self, timeout: float = 30) -> None:
        """Return when all that was queued is committed or spilled, waiting so many seconds.

        Blocks; a loop whose tasks still wait for `record` must keep running meanwhile.
        """
        if self._thread is None:
            return
        self._open = False
        self._queue.put(None)
        self._thread.join(timeout)
        if self._thread.is_alive():
            log.error("the recorder has not ended; %d events are queued", self._queue.qsize())

    def _put(self, event: Event, waiter: Waiter | None) -> None:
        if not self._open:
            raise RecordError("the recorder is not running")
        if self._queue.qsize() >= QUEUE_LIMIT:
            raise RecordError(f"{QUEUE_LIMIT} events are queued")
        self._queue.put(Entry(event.kind, row(event), waiter, time.monotonic()))

    def _run(self, writer: Writer) -> None:
        """The thread: whatever ends it, nobody is left waiting for it."""
        try:
            self._write(writer)
        except Exception as error:
            log.exception("the recorder has failed")
            self._open = False
            while entries := self._take(0)[0]:
                self._tell(entries, RecordError(repr(error)))

    def _write(self, writer: Writer) -> None:
        writer.replay()  # what an earlier run left
        closing = False
        while not closing:
            entries, closing = self._take(PRUNE_SECONDS if writer.empty else 1)
            if entries:
                self._store(writer, entries)
            else:
                writer.replay()
            writer.prune()
        writer.close()

    def _take(self, seconds: float) -> tuple[list[Entry], bool]:
        """What is queued, waiting that long for a first entry; and whether it is the last."""
        entries: list[Entry] = []
        with suppress(Empty):
            entry = self._queue.get(timeout=seconds)
            while entry is not None:
                entries.append(entry)
                if len(entries) == BATCH:
                    return entries, False
                entry = self._queue.get_nowait()
            return entries, True
        return entries, False

    def _store(self, writer: Writer, entries: list[Entry]) -> None:
        failure = None
        try:
            writer.store(encode((entry.kind, entry.row) for entry in entries), entries[0].queued)
        except Exception as error:
            failure = error if isinstance(error, RecordError) else RecordError(repr(error))
            if failure is not error:
                log.exception("a batch of events failed")
        self._tell(entries, failure)

    def _tell(self, entries: list[Entry], failure: RecordError | None) -> None:
        """Resolve the waiters: one wake-up for each loop, however many wait."""
        loops: dict[asyncio.AbstractEventLoop, list[Waiter]] = {}
        for entry in entries:
            if entry.waiter is not None:
                loops.setdefault(entry.waiter.get_loop(), []).append(entry.waiter)
        for loop, waiters in loops.items():
            with suppress(RuntimeError):  # the loop is closed, and nobody waits
                loop.call_soon_threadsafe(_resolve, waiters, failure)
        if failure is None:
            self._recovers()
        elif posted := sum(entry.waiter is None for entry in entries):
            self._loses(posted, failure)

    def _loses(self, count: int, failure: RecordError) -> None:
        if not self._lost:
            log.error("events that nobody waits for are lost: %s", failure)
        self._lost += count

    def _recovers(self) -> None:
        if self._lost:
            log.error("events are recorded again; lost: %d", self._lost)
            self._lost = 0


def _resolve(waiters: list[Waiter], failure: RecordError | None) -> None:
    for waiter in waiters:
        if waiter.done():
            continue  # cancelled
        if failure is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(RecordError(str(failure)))
