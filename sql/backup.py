"""Online backup: a copy of the database as it is at one moment, while others write to it."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sql.errors import UpkeepError
from sql.locks import lock
from sql.operations import STEPS, Progress, existing, failures, note, silent

PAGES = 2000  # in one step: 8 MiB


def backup(database: Path, target: Path, progress: Progress = silent) -> int:
    """Copy the database to `target`, mode 0600, one file without a journal; how many bytes.

    The file gets its name once it is whole, checked and synced; until then it is
    `target`.partial. Raises
    `UpkeepError`: there is such a file already, no database, no room, or the copy is damaged.
    """
    _absent(target)
    partial = target.with_name(f"{target.name}.partial")
    with failures(database), closing(existing(database)) as source, failures(target):
        _room(source, target)
        with _written(partial):
            _copy(source, partial, progress)
            _absent(target)
            partial.rename(target)
        _sync(target.parent)
        return target.stat().st_size


def note_backup(database: Path, size: int) -> None:
    """Store that a backup of so many bytes was made now. Raises `UpkeepError`."""
    with failures(database), closing(existing(database)) as connection:
        note(connection, "backup", str(size))


def _absent(target: Path) -> None:
    with failures(target):
        if target.is_symlink() or target.exists():
            raise UpkeepError(f"{target} is there already; a backup overwrites nothing")


@contextmanager
def _written(partial: Path) -> Iterator[None]:
    """Lock and empty the file; delete it at the end unless it was renamed."""
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        if not lock(descriptor):
            raise UpkeepError(f"{partial} is being written by another backup")
        try:
            os.fchmod(descriptor, 0o600)
            os.ftruncate(descriptor, 0)  # a process that was killed may have left a part
            yield
        finally:
            for suffix in ("", "-journal", "-wal", "-shm"):
                with suppress(OSError):
                    partial.with_name(partial.name + suffix).unlink()
    finally:
        os.close(descriptor)


def _room(source: sqlite3.Connection, target: Path) -> None:
    """Raise `UpkeepError` without room for the copy: a full disk could stop the portal itself."""
    (pages,) = source.execute("pragma page_count").fetchone()
    (size,) = source.execute("pragma page_size").fetchone()
    free = shutil.disk_usage(target.parent).free
    if pages * size > free:
        raise UpkeepError(
            f"{target}: no room: the database has {pages * size:,} bytes, and {free:,} are free"
        )


def _copy(source: sqlite3.Connection, partial: Path, progress: Progress) -> None:
    with closing(sqlite3.connect(partial, isolation_level=None)) as copy:
        copy.execute("pragma synchronous = off")  # it is synced as a whole
        # While this transaction reads, each step sees the same moment. Without it a step that
        # finds the database changed starts from the first page again, and may never end.
        source.execute("begin")
        source.execute("select count(*) from sqlite_schema").fetchone()
        source.backup(
            copy,
            pages=PAGES,
            progress=lambda _, left, of: progress("copied pages", of - left, of),
        )
        source.execute("rollback")
        copy.execute("pragma journal_mode = delete").fetchone()
        _check(copy, partial, progress)
    _sync(partial)


def _check(copy: sqlite3.Connection, partial: Path, progress: Progress) -> None:
    """Read every page. `integrity_check` would also compare every index, for several minutes."""
    progress("checked", 0, 1)
    copy.set_progress_handler(lambda: 0, STEPS)
    (answer,) = copy.execute("pragma quick_check(1)").fetchone()
    if answer != "ok":
        raise UpkeepError(f"{partial}: the copy, and so the database, is damaged: {answer}")
    progress("checked", 1, 1)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
