"""The index of the catalog: where it is, whether it is whole, and where its statements are.

It holds nothing that could not be made again from the folders of tables, so it is not synced, and
one that cannot be used is made anew.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

from sql.database import connect, migrate, migrated_schema, schema_of
from sql.errors import MigrationError

SCHEMA = Path(__file__).parent / "schema"
QUERIES = Path(__file__).parent / "queries"


def prepare(path: Path) -> str:
    """Create it, or make it anew where it is damaged or another portal's; why, or "" if it is
    whole. Raises `MigrationError`.

    Readers that have it open go on with the old file until they find that there is another.
    """
    existed = path.exists()
    why = _what_is_wrong(path)
    if why:
        try:
            remove(path)
        except OSError as error:
            raise MigrationError(f"{path}: {error}") from error
        migrate(path, SCHEMA)
    return why if existed else ""


def mark_damaged(path: Path) -> None:
    """Say, to whichever process writes it, that something in it cannot be read."""
    with suppress(OSError):
        _mark(path).touch(mode=0o600)


def to_be_made(path: Path) -> bool:
    """Whether it is known to be damaged, or is not there."""
    return _mark(path).exists() or not path.exists()


def remove(path: Path) -> None:
    """Delete it."""
    for each in (*_files(path), _mark(path)):
        with suppress(FileNotFoundError):
            each.unlink()


def _what_is_wrong(path: Path) -> str:
    """A sentence; "" if it is whole as far as can be seen without reading all of it."""
    try:
        migrate(path, SCHEMA)
        if _mark(path).exists():
            return "Something in it could not be read."
        with closing(connect(path)) as connection:
            if schema_of(connection) != migrated_schema(SCHEMA):
                return "Its tables are not those that this portal makes."
    except (MigrationError, sqlite3.Error) as error:
        return f"{error}"
    return ""


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.damaged")


def size(path: Path) -> int:
    """Its bytes on the disk."""
    total = 0
    for each in _files(path):
        with suppress(FileNotFoundError):
            total += each.stat().st_size
    return total


def _files(path: Path) -> Iterable[Path]:
    return (path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm"))
