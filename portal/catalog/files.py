"""Tables as files: JSON as they came, CSV with the values that their rows have."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from portal.catalog.cells import json_text
from portal.catalog.library import Library
from portal.catalog.listing import effective
from portal.catalog.model import StoredRow, TableEntry
from portal.catalog.rows import RowPage
from portal.catalog.snapshot import Catalog
from portal.catalog.tables import defaults
from portal.catalog.values import Value, compact, plain
from portal.http.csv_lines import BYTE_ORDER_MARK, csv_lines


@dataclass(frozen=True, slots=True)
class Whole:
    """A table with the numbers of all its rows; the rows are read as they are sent."""

    entry: TableEntry
    head: Mapping[str, Value]
    fields: Sequence[str]
    rows: Sequence[int]


def whole(catalog: Catalog, entry: TableEntry) -> Whole:
    """A table, ready to be sent."""
    head = catalog.head(entry)
    fields = list(dict.fromkeys([*defaults(head), *catalog.fields(entry)]))
    return Whole(entry, head, fields, catalog.members(entry))


async def table_json(library: Library, table: Whole, end: str = "\n") -> AsyncIterator[str]:
    """The table's file as JSON, each row on a line of its own."""
    head = [f"\t{compact(name)}: {compact(value)}" for name, value in table.head.items()]
    yield "{\n" + ",\n".join([*head, '\t"Rows": ['])
    mark = "\n"
    async for lines in library.pieces(table.rows, _json_lines):
        yield mark + lines
        mark = ",\n"
    yield "\n\t]\n}" + end


async def table_csv(library: Library, table: Whole) -> AsyncIterator[str]:
    """A line for each row, with a column for each field."""
    yield BYTE_ORDER_MARK + csv_lines([["Name", *table.fields]])
    values = defaults(table.head)

    def made(items: Sequence[StoredRow]) -> str:
        return csv_lines(
            [item.name, *(plain(effective(item, values, name)) for name in table.fields)]
            for item in items
        )

    async for lines in library.pieces(table.rows, made):
        yield lines


async def category_json(library: Library, tables: Sequence[Whole]) -> AsyncIterator[str]:
    """An object with each table's file under its name."""
    yield "{"
    mark = "\n"
    for table in tables:
        yield f"{mark}{compact(table.entry.name)}: "
        async for piece in table_json(library, table, end=""):
            yield piece
        mark = ",\n"
    yield "\n}\n"


async def category_csv(library: Library, tables: Sequence[Whole]) -> AsyncIterator[str]:
    """A line for each field that a row has a value of its own in: tables have different columns."""
    yield BYTE_ORDER_MARK + csv_lines([["Table", "Name", "Field", "Value"]])
    for table in tables:
        name = table.entry.name

        def made(items: Sequence[StoredRow], name: str = name) -> str:
            return csv_lines(
                [name, item.name, field, plain(value)]
                for item in items
                for field, value in item.values.items()
            )

        async for lines in library.pieces(table.rows, made):
            yield lines


def row_json(page: RowPage) -> str:
    """A row as it stands in its table."""
    return json_text(page.item.body) + "\n"


def row_csv(page: RowPage) -> str:
    """A line for each field."""
    lines = [
        [each.name, plain(each.value), "own" if each.own else "default"] for each in page.fields
    ]
    return BYTE_ORDER_MARK + csv_lines([["Field", "Value", "From"], *lines])


def _json_lines(items: Sequence[StoredRow]) -> str:
    return ",\n".join(f"\t\t{compact(item.body)}" for item in items)
