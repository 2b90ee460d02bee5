"""What is recorded of visitors: the live schema of every database, with a sentence for each column.

The sentences are in recorded.toml. What the schema has and they have not is shown all the same,
without a sentence.
"""

import asyncio
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.config.model import Config
from portal.errors import Unavailable
from sql.errors import ReadError
from sql.live import Table, tables
from sql.reader import Reader

SENTENCES = Path(__file__).parent / "recorded.toml"
FRESH_SECONDS = 60  # a page is asked for more often than rows are counted
OUTBOX = "outbox"  # the part that is a database of its own
PRUNE = "prune"


@dataclass(frozen=True, slots=True)
class Described:
    """A table as it is, and what is said of it: of its rows, how long they stay, each column."""

    table: Table
    what: str
    kept: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """Tables that are of one kind."""

    id: str
    title: str
    intro: str
    tables: tuple[Described, ...]


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Everything; `horizon` is the day before which rows were deleted, "" where none were."""

    parts: tuple[Part, ...]
    horizon: str


def sentences(path: Path = SENTENCES) -> dict[str, Any]:
    """What is said, by part and table."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


class DisclosureReader:
    """Describes the databases; belongs to one process's event loop."""

    def __init__(self, config: Config, reader: Reader) -> None:
        self._main = config.database
        self._outbox = config.outbox if config.umami.website else None
        self._reader = reader
        self._said = sentences()
        self._lock = asyncio.Lock()
        self._latest: tuple[float, Disclosure] | None = None

    async def disclosure(self) -> Disclosure:
        """What is recorded, at most a minute ago. Raises `Unavailable`."""
        async with self._lock:
            now = time.monotonic()
            if self._latest is None or now - self._latest[0] > FRESH_SECONDS:
                self._latest = now, await self._read()
            return self._latest[1]

    async def downloads(self, project: str) -> int:
        """All downloads of a project that were ever counted. Raises `Unavailable`."""
        try:
            ((count,),) = await self._reader.rows("project_downloads", project=project)
        except ReadError as error:
            raise _unreadable() from error
        return int(count)

    async def _read(self) -> Disclosure:
        try:
            operations = await self._reader.rows("operations")
            main = await asyncio.to_thread(tables, self._main)
            outbox = await asyncio.to_thread(tables, self._outbox) if self._outbox else []
        except ReadError as error:
            raise _unreadable() from error
        horizon = next((detail for name, _, detail in operations if name == PRUNE), "")
        return Disclosure(tuple(describe(self._said, main, outbox)), horizon)


def describe(said: Mapping[str, Any], main: list[Table], outbox: list[Table]) -> list[Part]:
    """The tables by the parts of what is said; those of which nothing is said come last."""
    known = {name for part, told in said.items() if part != OUTBOX for name in told}
    parts = [
        _part(id_, told, outbox if id_ == OUTBOX else [t for t in main if t.name in told])
        for id_, told in said.items()
    ]
    rest = [table for table in main if table.name not in known]
    return [
        part for part in (*parts, _part("other", {"title": "Other tables"}, rest)) if part.tables
    ]


def _part(id_: str, told: Mapping[str, Any], found: list[Table]) -> Part:
    described = []
    for table in found:
        about = told.get(table.name, {})
        described.append(
            Described(table, about.get("what", ""), about.get("kept", ""), about.get("columns", {}))
        )
    return Part(id_, told.get("title", ""), told.get("intro", ""), tuple(described))


def _unreadable() -> Unavailable:
    return Unavailable("The database cannot be read right now.", retry_after=60)
