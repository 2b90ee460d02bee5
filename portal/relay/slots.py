"""Limit on concurrent transfers, over all processes."""

import mmap
import struct
from collections.abc import Callable

from portal.errors import Unavailable

_COUNT = struct.Struct("q")


class Transfers:
    """A counting semaphore in shared memory, made before the processes are forked.

    Each process has a count of its own there and writes no other, so no lock is needed. The count
    of a killed process is cleared by the process that takes its slot. Between reading the sum and
    adding to it another process can do the same, so the limit can be exceeded by one transfer for
    each other process.
    """

    def __init__(self, limit: int, slots: int = 1) -> None:
        self._limit = limit
        self._memory = mmap.mmap(-1, slots * _COUNT.size)
        self._slot = 0

    def start(self, slot: int) -> None:
        """Take the count of this process, and clear what an earlier one left there."""
        self._slot = slot
        self._add(-self.own)

    @property
    def own(self) -> int:
        """Transfers that run in this process."""
        (count,) = _COUNT.unpack_from(self._memory, self._slot * _COUNT.size)
        return int(count)

    @property
    def running(self) -> int:
        """Transfers that run in all processes."""
        return sum(count for (count,) in _COUNT.iter_unpack(self._memory[:]))

    def _add(self, change: int) -> None:
        _COUNT.pack_into(self._memory, self._slot * _COUNT.size, self.own + change)

    def acquire(self) -> "Slot":
        """Take a place for one transfer. Raises `Unavailable` when all are taken."""
        if self.running >= self._limit:
            raise Unavailable("All transfer slots are taken at the moment.", retry_after=15)
        self._add(1)
        return Slot(self._add)


class Slot:
    """The place of one transfer; releasing it a second time does nothing."""

    def __init__(self, add: Callable[[int], None]) -> None:
        self._add = add
        self._held = True

    def release(self) -> None:
        """Give the place back."""
        if self._held:
            self._held = False
            self._add(-1)

    def __enter__(self) -> None:
        """Keep the place until the end of the block."""

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self.release()
