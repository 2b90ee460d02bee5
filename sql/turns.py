"""Turns between processes: a lock on a file that goes with the process, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UPKEEP = "upkeep.lock"
COMMAND = "command.lock"


@contextmanager
def turn(path: Path, wait: bool) -> Iterator[bool]:
    """Whether the turn is this process's; without `wait` it may not be. Raises OSError.

    Whoever may enter the folder may take a turn: a command that root has run leaves a file that
    the portal's own user cannot write.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        yield _lock(descriptor, wait)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, wait: bool) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
