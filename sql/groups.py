"""Group commit: items from any number of callers, stored together by one thread."""

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Generic, NamedTuple, Protocol, TypeVar

from sql.errors import RecordError

log = logging.getLogger(__name__)

# Items in one commit. While one batch is written the loop fills the next: with 512 waiting 62,000
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
T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Store(Protocol[T_contra]):
    """Where the thread writes to; made before it starts, then used by it alone."""

    def store(self, items: Sequence[T_contra], queued: float) -> None:
        """Store all items; `queued` is the monotonic time of the first. Raises `RecordError`."""

    def rest(self, idle: bool) -> float:
        """Called at the start and after each batch, or with `idle` when none came for so many
        seconds as the last call returned."""

    def close(self) -> None:
        """The last call."""


class Entry(NamedTuple, Generic[T]):
    """`waiter` is None for a posted item; `queued` is monotonic, in seconds."""

    item: T
    waiter: Waiter | None
    queued: float


class GroupCommit(Generic[T]):
    """Stores items in the order they come, many at once, without blocking the event loop.

    After `start` any task of any event loop may wait for `_record` and any thread may `_post`,
    until `close`. Must be started after the last fork. `name` is its name in the log.
    """

    def __init__(self, name: str, open_store: Callable[[], Store[T]]) -> None:
        self._name = name
        self._open_store = open_store
        self._queue: SimpleQueue[Entry[T] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._open = False
        self._lost = 0

    def start(self) -> None:
        """Open the store and start to write; shortens the process's switch interval.

        Raises what opening it raises.
        """
        store = self._open_store()
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))
        self._thread = threading.Thread(target=self._run, args=[store], name=self._name)
        self._thread.daemon = True
        self._open = True
        self._thread.start()

    def close(self, timeout: float = 30) -> None:
        """Return when all that was queued is stored, waiting so many seconds.

        Blocks; a loop whose tasks still wait for an item must keep running meanwhile.
        """
        if self._thread is None:
            return
        self._open = False
        self._queue.put(None)
        self._thread.join(timeout)
        if self._thread.is_alive():
            log.error("the %s has not ended; %d are queued", self._name, self._queue.qsize())

    async def _record(self, item: T) -> None:
        """Return once it is stored; it is, too, if the task that waits for it is cancelled."""
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._put(item, waiter)
        await waiter

    def _post(self, item: T) -> None:
        """Store without waiting. That it failed is logged, once for each burst of failures."""
        try:
            self._put(item, None)
        except RecordError as error:
            self._loses(1, error)

    def _put(self, item: T, waiter: Waiter | None) -> None:
        if not self._open:
            raise RecordError(f"the {self._name} is not running")
        if self._queue.qsize() >= QUEUE_LIMIT:
            raise RecordError(f"{QUEUE_LIMIT} events are queued")
        self._queue.put(Entry(item, waiter, time.monotonic()))

    def _run(self, store: Store[T]) -> None:
        """The thread: whatever ends it, nobody is left waiting for it."""
        try:
            self._write(store)
        except Exception as error:
            log.exception("the %s has failed", self._name)
            self._open = False
            while entries := self._take(0)[0]:
                self._tell(entries, RecordError(repr(error)))

    def _write(self, store: Store[T]) -> None:
        seconds = store.rest(idle=True)
        closing = False
        while not closing:
            entries, closing = self._take(seconds)
            if entries:
                self._store(store, entries)
            seconds = store.rest(idle=not entries)
        store.close()

    def _take(self, seconds: float) -> tuple[list[Entry[T]], bool]:
        """What is queued, waiting that long for a first entry; and whether it is the last."""
        entries: list[Entry[T]] = []
        with suppress(Empty):
            entry = self._queue.get(timeout=seconds)
            while entry is not None:
                entries.append(entry)
                if len(entries) == BATCH:
                    return entries, False
                entry = self._queue.get_nowait()
            return entries, True
        return entries, False

    def _store(self, store: Store[T], entries: list[Entry[T]]) -> None:
        failure = None
        try:
            store.store([entry.item for entry in entries], entries[0].queued)
        except Exception as error:
            failure = error if isinstance(error, RecordError) else RecordError(repr(error))
            if failure is not error:
                log.exception("a batch of events failed")
        self._tell(entries, failure)

    def _tell(self, entries: list[Entry[T]], failure: RecordError | None) -> None:
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
