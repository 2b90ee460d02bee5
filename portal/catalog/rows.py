"""One row: its values with those that the table gives it, what it refers to, what refers to it."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.catalog.model import Dataset, StoredRow, TableEntry, Version
from portal.catalog.snapshot import Catalog
from portal.catalog.tables import defaults
from portal.catalog.values import Reference, Value, canonical, references

REFERRERS = 100  # that are shown


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A field of a row; `own` if the row has it, and `usual` if that is as the table's default."""

    name: str
    value: Value
    own: bool
    usual: bool


@dataclass(frozen=True, slots=True)
class Referrer:
    """A row that refers to another."""

    entry: TableEntry
    name: str


@dataclass(frozen=True, slots=True)
class RowPage:
    """Everything about a row in one version; `referrers` are the first of `referrer_count`.

    `versions` are all of the catalog, the newest first. `before` and `after` are the names of the
    rows next to it, None at an end of the table.
    """

    dataset: Dataset
    entry: TableEntry
    versions: list[Version]
    item: StoredRow
    fields: list[FieldValue]
    links: Mapping[Reference, TableEntry]
    referrers: list[Referrer]
    referrer_count: int
    before: str | None
    after: str | None


def row_page(
    catalog: Catalog, version: str | None, category: str, table: str, name: str
) -> RowPage:
    """All that the page of a row shows, from one snapshot; None is the newest version.

    Raises `NotFound`, `Unavailable`.
    """
    dataset = catalog.dataset(catalog.version(version))
    entry = catalog.table(dataset, category, table)
    item = catalog.item(dataset, entry, name)
    fields = field_values(item, defaults(catalog.head(entry)))
    links = catalog.existing(dataset, references([field.value for field in fields]))
    tables = catalog.places.tables
    linking = catalog.held(dataset, catalog.linked_from(entry, name))
    first = catalog.items(linking[:REFERRERS])
    referrers = [Referrer(dataset.by_id[tables[each.id]], each.name) for each in first]
    before, after = _neighbours(catalog, entry, item)
    return RowPage(
        dataset=dataset,
        entry=entry,
        versions=list(reversed(catalog.versions)),
        item=item,
        fields=fields,
        links=links,
        referrers=referrers,
        referrer_count=len(linking),
        before=before,
        after=after,
    )


def field_values(item: StoredRow, values: Mapping[str, Value]) -> list[FieldValue]:
    """Every field that a row has of its own or by default, in the order of the table."""
    own = item.values
    return [
        FieldValue(
            name,
            own.get(name, values.get(name)),
            name in own,
            name in values and (name not in own or canonical(own[name]) == canonical(values[name])),
        )
        for name in dict.fromkeys([*values, *own])
        if name != "Name"
    ]


def _neighbours(
    catalog: Catalog, entry: TableEntry, item: StoredRow
) -> tuple[str | None, str | None]:
    """The names of the rows before and after it in the table."""
    rows = catalog.members(entry)
    at = rows.index(item.id)
    near = {each: rows[each] for each in (at - 1, at + 1) if 0 <= each < len(rows)}
    names = {each.id: each.name for each in catalog.items([*near.values()])}
    before, after = near.get(at - 1), near.get(at + 1)
    return names.get(before) if before else None, names.get(after) if after else None
