"""The recorder: events from any number of requests, committed in groups by one thread."""

from collections.abc import Sequence
from pathlib import Path

from sql.batch import Event, Row, encode, row
from sql.errors import RecordError
from sql.groups import GroupCommit
from sql.writer import Writer

EventItem = tuple[str, Row]


class Recorder(GroupCommit[EventItem]):
    """Commits events in the order they come, many at once, without blocking the event loop.

    Slot `slot` of `slots` is this process's own: its spill file, and those that an earlier run
    with more processes left. `start` raises `RecordError` when another process has the slot or the
    spill file cannot be opened; from then on any task of any event loop may `record` and any thread
    may `post`, until `close`. Must be started after the last fork.

    An event is committed within about a second or goes to the spill file, which is replayed in
    order, before newer events, as soon as the database can be written. A crash loses no event that
    `record` returned for, and records none twice.
    """

    def __init__(self, database: Path, spill_dir: Path, slot: int = 0, slots: int = 1) -> None:
        super().__init__("recorder", lambda: _EventStore(database, spill_dir, slot, slots))

    async def record(self, event: Event) -> None:
        """Return once the event is committed, or synced to the spill file.

        Raises `RecordError` when it can be neither. An event is recorded also if the task that
        waits for it is cancelled.
        """
        await self._record((event.kind, row(event)))

    def post(self, event: Event) -> None:
        """Record without waiting. That it failed is logged, once for each burst of failures."""
        self._post((event.kind, row(event)))


class _EventStore:
    """The writer, as the thread uses it."""

    def __init__(self, database: Path, spill_dir: Path, slot: int, slots: int) -> None:
        try:
            self._writer = Writer(database, spill_dir, slot, slots)
        except OSError as error:
            raise RecordError(f"nothing can be spilled: {error}") from error
        self.rest, self.close = self._writer.rest, self._writer.close

    def store(self, items: Sequence[EventItem], queued: float) -> None:
        self._writer.store(encode(items), queued)
