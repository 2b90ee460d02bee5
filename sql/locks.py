"""File locks between processes (flock), which end with the process that holds them."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UPKEEP = "upkeep.lock"
COMMAND = "command.lock"


def lock(descriptor: int, wait: bool = False) -> bool:
    """Lock an open file, or a folder, until its descriptor is closed; whether this has succeeded.

    Without `wait` it fails where another descriptor holds the lock. Raises OSError.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(path: Path, wait: bool = False) -> Iterator[bool]:
    """Make and lock a file for the block; its value is whether this process has the lock.

    It always has with `wait`. The file is opened for reading only: a command that root has run
    leaves one that the portal's own user cannot write, but can lock. Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        yield lock(descriptor, wait)
    finally:
        os.close(descriptor)


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Lock a folder for the block, waiting for whoever has it. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        lock(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)
