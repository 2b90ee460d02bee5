"""What webhooks have said, over all processes: a counter for each project in shared memory."""

import mmap
import struct

_COUNT = struct.Struct("<Q")


class Hints:
    """Made before the processes are forked, and used by all of them without a lock: two that add at
    once may add one, which makes the same difference to whoever looks."""

    def __init__(self, projects: int) -> None:
        self._memory = mmap.mmap(-1, max(1, projects) * _COUNT.size)

    def count(self, project: int) -> int:
        """How often something was said of the project at that place of the configuration."""
        (count,) = _COUNT.unpack_from(self._memory, project * _COUNT.size)
        return int(count)

    def add(self, project: int) -> None:
        """Something has changed in it."""
        count = (self.count(project) + 1) % (1 << 64)
        _COUNT.pack_into(self._memory, project * _COUNT.size, count)
