"""What a version holds, as it is held in memory: names and numbers, no rows."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from portal.catalog.naming import natural
from portal.catalog.values import Value


@dataclass(frozen=True, slots=True)
class Version:
    """A version that can be shown; `label` and `date` may be ""."""

    id: int
    name: str
    label: str
    date: str


@dataclass(frozen=True, slots=True)
class Progress:
    """A version that is being read: so many of its files are done."""

    version: str
    done: int
    files: int


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table of a version. `content` and `head` are the numbers of what it holds."""

    id: int
    category: str
    name: str
    content: int
    rows: int
    head: int

    @property
    def path(self) -> str:
        """Its category and name, as a diff is recorded and people say it."""
        return f"{self.category}/{self.name}"

    @property
    def order(self) -> tuple[object, ...]:
        """A key that sorts tables as people see them, by category and name."""
        return natural(self.category), natural(self.name)


class Dataset:
    """All tables of a version, in natural order."""

    def __init__(self, version: Version, entries: list[TableEntry]) -> None:
        self.version = version
        self.entries = sorted(entries, key=lambda entry: entry.order)
        self.rows = sum(entry.rows for entry in entries)

    @cached_property
    def categories(self) -> Mapping[str, list[TableEntry]]:
        """The tables of each category."""
        found: dict[str, list[TableEntry]] = {}
        for entry in self.entries:
            found.setdefault(entry.category, []).append(entry)
        return found

    @cached_property
    def folded_paths(self) -> list[tuple[str, TableEntry]]:
        """The path of each table as words are compared."""
        return [(entry.path.casefold(), entry) for entry in self.entries]

    @cached_property
    def by_id(self) -> Mapping[int, TableEntry]:
        """The tables by their numbers."""
        return {entry.id: entry for entry in self.entries}

    @cached_property
    def by_name(self) -> Mapping[str, list[TableEntry]]:
        """The tables of each name in lower case: references do not say which category."""
        found: dict[str, list[TableEntry]] = {}
        for entry in self.entries:
            found.setdefault(entry.name.casefold(), []).append(entry)
        return found

    def named(self, table: str) -> list[TableEntry]:
        """The tables that a reference can mean, those that are written exactly so first."""
        return sorted(self.by_name.get(table.casefold(), ()), key=lambda each: each.name != table)


@dataclass(frozen=True, slots=True)
class RowIndex:
    """Of every row, by its number, the number of its name and of its table; 0 for none."""

    keys: "array[int]"
    tables: "array[int]"


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """The row that a reference leads to."""

    entry: TableEntry
    name: str
    title: str


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as it is stored: its own values in `body`, with `Name` if it has one. `title` is its
    display name, "" for none."""

    id: int
    name: str
    title: str
    body: Mapping[str, Value]

    @property
    def values(self) -> Mapping[str, Value]:
        """Its own values but the name."""
        return {name: value for name, value in self.body.items() if name != "Name"}


@dataclass(slots=True)
class IndexCache:
    """What one generation of the index says, as far as it was asked; the same for all threads."""

    generation: int
    versions: tuple[Version, ...]
    datasets: dict[int, Dataset] = field(default_factory=dict)
    masks: dict[int, bytearray] = field(default_factory=dict)
    heads: dict[int, Mapping[str, Value]] = field(default_factory=dict)
    places: RowIndex | None = None
