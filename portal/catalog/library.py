"""Reading the index of the catalog in threads, from one snapshot at a time."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from portal.catalog.model import IndexCache, StoredRow, Version
from portal.catalog.naming import natural
from portal.catalog.snapshot import Catalog
from portal.errors import Unavailable
from sql import catalog
from sql.errors import DamagedError, ReadError
from sql.reader import Reader, Snapshot

T = TypeVar("T")

PIECE = 500  # rows of a download that are read at once


class Library:
    """Runs work on the catalog in threads of its own; belongs to one process's event loop."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self._reader = Reader(database, queries=catalog.QUERIES)
        self._cache: IndexCache | None = None

    async def read(self, work: Callable[[Catalog], T]) -> T:
        """What `work` makes of the catalog as it is now. Raises what it raises, `Unavailable`."""
        try:
            return await self._reader.read(lambda snapshot: work(self._catalog(snapshot)))
        except ReadError as error:
            if isinstance(error, DamagedError):
                catalog.mark_damaged(self.database)  # and it is made anew, by whoever writes it
            raise Unavailable(
                "The catalog cannot be read right now.", "Please try again in a minute.", 60
            ) from error

    async def pieces(
        self, rows: Sequence[int], work: Callable[[Sequence[StoredRow]], T]
    ) -> AsyncIterator[T]:
        """What `work` makes of many rows, so many at a time. Raises `Unavailable`, also when the
        rows are gone."""
        for start in range(0, len(rows), PIECE):
            wanted = rows[start : start + PIECE]

            def made(catalog: Catalog, wanted: Sequence[int] = wanted) -> T | None:
                items = catalog.items(wanted)
                return work(items) if len(items) == len(wanted) else None

            piece = await self.read(made)
            if piece is None:
                raise Unavailable("The catalog has changed.", "Please ask again.", 1)
            yield piece

    def close(self) -> None:
        """Wait for what runs."""
        self._reader.close()

    def _catalog(self, snapshot: Snapshot) -> Catalog:
        ((generation,),) = snapshot.rows("generation")
        cache = self._cache
        if cache is None or cache.generation != generation:
            found = [Version(*row) for row in snapshot.rows("ready_versions")]
            ordered = tuple(sorted(found, key=lambda version: natural(version.name)))
            cache = self._cache = IndexCache(generation, ordered)
        return Catalog(snapshot, cache)
