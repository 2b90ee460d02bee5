"""How many transfers run at once, over all processes."""

import mmap
import struct
from collections.abc import Callable

from portal.errors import Unavailable

_COUNT = struct.Struct("q")


class Transfers:
    """Counts running transfers against one limit.

    Made before the processes are forked: the counts lie in shared memory, one for each process,
    and each process writes only its own. So no lock is needed, a killed process leaves nothing
    behind but its own count, which its successor clears, and the limit can be passed by at most
    one transfer for each other process.
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
        """Take one transfer's place; `Unavailable` when all are taken."""
        if self.running >= self._limit:
            raise Unavailable("All transfer slots are taken at the moment.", retry_after=15)
        self._add(1)
        return Slot(self._add)


class Slot:
    """One transfer's place, given back once however often it is released."""

    def __init__(self, add: Callable[[int], None]) -> None:
        self._add = add
        self._held = True

    def release(self) -> None:
        """Give the place back."""
        if self._held:
            self._held = False
            self._add(-1)

    def __enter__(self) -> None:
        """Hold it for a block."""

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self.release()
