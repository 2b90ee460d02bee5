"""Shared parts of the operator's commands: connections, errors, progress, the log of commands."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sql
from sql.database import check_owner, connect_whole, read_migrations
from sql.errors import MigrationError, UpkeepError

# Called with what is being done, how much of it is done, and how much there is; in any unit.
Progress = Callable[[str, int, int], None]

BUSY_SECONDS = 30
# Steps of SQLite's machine, some 10 ms, after which a long statement lets Ctrl-C through.
STEPS = 1_000_000


def silent(_what: str, _done: int, _of: int) -> None:
    """Report no progress."""


@contextmanager
def opened(database: Path) -> Iterator[sqlite3.Connection]:
    """A connection that writes to a database of this version. Raises `UpkeepError`.

    Errors of SQLite and the system within the block become `UpkeepError` too, and Ctrl-C ends a
    statement that runs.
    """
    with failures(database), closing(existing(database)) as connection:
        (version,) = connection.execute("pragma user_version").fetchone()
        if version != len(read_migrations()):
            raise UpkeepError(
                f"{database} is of another version of the portal; start this one once, "
                "so that it is brought up to date"
            )
        connection.set_progress_handler(lambda: 0, STEPS)
        yield connection


def existing(database: Path) -> sqlite3.Connection:
    """A connection to a database of any version. Raises `UpkeepError`, sqlite3.Error or OSError."""
    if not database.is_file():
        raise UpkeepError(f"{database}: there is no database yet; the portal makes it")
    try:
        check_owner(database, read_migrations())
    except MigrationError as error:
        raise UpkeepError(str(error)) from error
    return connect_whole(database, BUSY_SECONDS)


@contextmanager
def failures(place: Path) -> Iterator[None]:
    """Turn every expected error of the block into an `UpkeepError` that names the place."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
            raise KeyboardInterrupt from None
        raise UpkeepError(f"{place}: {error}") from error
    except OSError as error:
        raise UpkeepError(f"{error.filename or place}: {error.strerror}") from error


def horizon(connection: sqlite3.Connection) -> str:
    """The day before which rows were pruned, YYYY-MM-DD; "" if none ever were."""
    row = connection.execute(sql.load()["prune_horizon"]).fetchone()
    return str(row[0]) if row else ""


def note(connection: sqlite3.Connection, name: str, detail: str) -> None:
    """Store that a command was run now."""
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    connection.execute(sql.load()["set_operation"], {"name": name, "at": at, "detail": detail})
