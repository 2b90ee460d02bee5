"""The catalog as its operator sees it: what is in it, and what is wrong with its files."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from portal.catalog.library import Library
from portal.catalog.model import Progress
from portal.catalog.snapshot import Catalog
from portal.errors import Unavailable
from sql import catalog

PROBLEMS = 50  # that are shown


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file; `path` is within the folder of versions."""

    path: str
    sentence: str


@dataclass(frozen=True, slots=True)
class CatalogState:
    """`rows` are those of all versions, each form once; `bytes` what the index takes.

    `problems` are the first of `problem_count`.
    """

    versions: Sequence[str]
    rows: int
    bytes: int
    progress: Sequence[Progress]
    problems: Sequence[Problem]
    problem_count: int

    def plain(self) -> dict[str, Any]:
        """For a program."""
        return asdict(self)


async def read_state(library: Library) -> CatalogState | None:
    """How it is now; None where it cannot be read."""
    try:
        return await library.read(lambda found: _state(found, catalog.size(library.database)))
    except Unavailable:
        return None


def _state(found: Catalog, size: int) -> CatalogState:
    problems = [Problem(path, sentence) for path, sentence in found.problems(PROBLEMS)]
    return CatalogState(
        versions=[version.name for version in found.versions],
        rows=found.number("row_count"),
        bytes=size,
        progress=found.progress(),
        problems=problems,
        problem_count=found.number("problem_count"),
    )
