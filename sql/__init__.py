"""All SQL, and the only code that touches sqlite3.

Statements are stored in `queries/*.sql` and are called by name, so that a name in the code can be
searched for and found:

    -- name: downloads_total
    -- A line that says what it is for.
    select ...

The files are Jinja templates over `sql.sections`: a statement that is the same for every section
but for table and columns is written once, as `old_{{ section.id }}`. `python -m sql` prints all of
them expanded, `python -m sql old_clones` that one.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

from sql.errors import (
    CatalogError,
    DamagedError,
    MigrationError,
    OutboxError,
    ReadError,
    RecordError,
    SqlError,
    StatementError,
)
from sql.sections import SECTIONS, EventSection

__all__ = [
    "CatalogError",
    "DamagedError",
    "MigrationError",
    "OutboxError",
    "ReadError",
    "RecordError",
    "SqlError",
    "StatementError",
    "Statements",
    "load",
]

QUERIES = Path(__file__).parent / "queries"
_NAME = re.compile(r"^-- name: (\w+)\n(?=-- )", re.MULTILINE)


class Statements(dict[str, str]):
    """Statements by name; a name that is not there raises `StatementError`."""

    def __missing__(self, name: str) -> str:
        raise StatementError(f"no statement is named {name}")


@cache
def load(queries: Path = QUERIES) -> Statements:
    """Every statement of that folder; treat it as read-only. Raises `StatementError`."""
    paths = sorted(queries.glob("*.sql"))
    return parse(expand(path.read_text(encoding="utf-8"), sections=SECTIONS) for path in paths)


def expand(template: str, **facts: EventSection | Sequence[EventSection]) -> str:
    """The text for these facts. Raises `StatementError`, as for a name that is not among them.

    Jinja is imported only for a text that needs it: the catalog's indexing runs without the
    installed packages.
    """
    if "{{" not in template and "{%" not in template:
        return template
    return import_module("sql.expansion").expanded(template, **facts)  # type: ignore[no-any-return]


def parse(texts: Iterable[str]) -> Statements:
    """The statements of expanded texts. Raises `StatementError`."""
    statements = Statements()
    for text in texts:
        preamble, *parts = _NAME.split(text)
        if preamble.strip():
            raise StatementError(f"not under a name and a purpose: {preamble.strip()[:60]}")
        for name, body in zip(parts[::2], parts[1::2], strict=True):
            if "-- name:" in body:
                raise StatementError(f"a statement after {name} has no name or no purpose")
            if name in statements:
                raise StatementError(f"two statements are named {name}")
            statements[name] = body.strip()
    return statements
