"""A writer's connection that notices when another file has taken the database's place.

An open connection goes on with the file it has, even when that file was deleted or another one was
moved to its path: what is committed then is in a file that nobody reads again.
"""

import logging
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sql.database import SCHEMA, check_whole, connect, migrate
from sql.locks import locked_folder

log = logging.getLogger(__name__)


class FileIds(NamedTuple):
    """Device and inode of a database and of its write-ahead log; None where there is no file."""

    database: tuple[int, int] | None
    log: tuple[int, int] | None


def file_ids(path: Path) -> FileIds:
    """Which files are at the path of a database now."""
    return FileIds(_file_id(path), _file_id(_log_of(path)))


class HeldConnection:
    """One connection to the database at a path, opened when first needed; one thread at a time."""

    def __init__(self, path: Path, schema: Path = SCHEMA, busy_seconds: float = 0.005) -> None:
        self._path = path
        self._schema = schema
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        self._ids = FileIds(None, None)

    def get(self) -> sqlite3.Connection:
        """The connection to the file that is at the path now; to be asked for before each commit.

        A file that has replaced another is brought up to date first, once it is whole: it may be
        being copied. A missing one is not made again: that could only hide that it is gone, or be
        in the way of the one that is to come. Raises sqlite3.Error, OSError, or `MigrationError`
        for a file that is no such database.
        """
        ids = file_ids(self._path)
        if self._connection is None or ids != self._ids:
            self.close()
            if ids.database != self._ids.database and ids.database and self._ids.database:
                log.warning("%s is another file now; it is opened anew", self._path)
                self._discard_log()
                check_whole(self._path)
                migrate(self._path, self._schema)
            self._connection = connect(self._path, self._busy_seconds)
            self._ids = file_ids(self._path)
        return self._connection

    def close(self) -> None:
        """Close it; the next `get` opens it anew."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _discard_log(self) -> None:
        """Delete the log of the file that is gone, lest SQLite apply it to the new one.

        Any process may do this first; a log that the new file has got meanwhile is another file.
        """
        with locked_folder(self._path.parent):
            if self._ids.log is not None and file_ids(self._path).log == self._ids.log:
                for suffix in ("-wal", "-shm"):
                    with suppress(FileNotFoundError):
                        self._path.with_name(self._path.name + suffix).unlink()


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _file_id(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
