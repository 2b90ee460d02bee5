"""A table as a list: which rows, in which order, with which columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from portal.catalog.filtering import NAME, TableQuery, filter_rows
from portal.catalog.merging import merged_field
from portal.catalog.model import StoredRow, TableEntry
from portal.catalog.snapshot import Catalog
from portal.catalog.tables import defaults
from portal.catalog.values import Value

PER_PAGE = 100
COLUMNS = 6  # that are shown until others are chosen


@dataclass(frozen=True, slots=True)
class TablePage:
    """A page of a list: `total` rows are in it, `all_rows` in the table. `columns` are shown, of
    `fields`, which are all there are."""

    items: list[StoredRow]
    total: int
    all_rows: int
    page: int
    pages: int
    columns: Sequence[str]
    fields: Sequence[str]
    head: Mapping[str, Value]
    defaults: Mapping[str, Value] = field(default_factory=dict)

    def value(self, item: StoredRow, name: str) -> Value:
        """What a row has in a field."""
        return effective(item, self.defaults, name)


def table_page(catalog: Catalog, entry: TableEntry, query: TableQuery) -> TablePage:
    """A page of a table."""
    head = catalog.head(entry)
    values = defaults(head)
    counts = catalog.fields(entry)
    fields = list(dict.fromkeys([*values, *counts]))
    rows: Sequence[int] = catalog.members(entry)
    chosen = rows if query.whole else filter_rows(catalog, rows, values, query)
    page, pages = _pages(query.page, len(chosen))
    items = catalog.items(chosen[(page - 1) * PER_PAGE : page * PER_PAGE])
    columns = [name for name in query.columns if name in fields] or _usual(fields, counts)
    return TablePage(items, len(chosen), len(rows), page, pages, columns, fields, head, values)


def effective(item: StoredRow, values: Mapping[str, Value], name: str) -> Value:
    """What a row has in a field: its own value merged with the table's default."""
    return item.name if name == NAME else merged_field(item.body, values, name)


def _pages(wanted: int, total: int) -> tuple[int, int]:
    pages = max(1, -(-total // PER_PAGE))
    return min(max(1, wanted), pages), pages


def _usual(fields: Sequence[str], counts: Mapping[str, int]) -> list[str]:
    """The fields that most rows have a value of their own in, in the order of the table."""
    best = sorted(fields, key=lambda name: -counts.get(name, 0))[:COLUMNS]
    return [name for name in fields if name in best]
