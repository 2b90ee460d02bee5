"""The index of the catalog: what is written to it, and where its statements are.

It holds nothing that could not be made again from the folders of tables, so it is not synced, and
one that cannot be used is made anew.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sql.database import migrate
from sql.errors import MigrationError

log = logging.getLogger("portal.catalog")

SCHEMA = Path(__file__).parent / "schema"
QUERIES = Path(__file__).parent / "queries"


def prepare(path: Path) -> None:
    """Create it, or make it anew where it is damaged or another portal's; before any reader opens
    it. Raises `MigrationError`."""
    try:
        migrate(path, SCHEMA)
    except MigrationError as error:
        log.warning("the catalog's index is made anew: %s", error)
        remove(path)
        migrate(path, SCHEMA)


def remove(path: Path) -> None:
    """Delete it."""
    for each in _files(path):
        with suppress(FileNotFoundError):
            each.unlink()


def size(path: Path) -> int:
    """Its bytes on the disk."""
    total = 0
    for each in _files(path):
        with suppress(FileNotFoundError):
            total += each.stat().st_size
    return total


def _files(path: Path) -> Iterable[Path]:
    return (path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm"))
