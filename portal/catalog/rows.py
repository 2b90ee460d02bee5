"""One row: its values with those that the table gives it, what it refers to, what refers to it."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.catalog.links import Links, referrers, resolve
from portal.catalog.merging import merged_field
from portal.catalog.model import Dataset, StoredRow, TableEntry, Version
from portal.catalog.snapshot import Catalog
from portal.catalog.tables import defaults
from portal.catalog.values import Value, canonical, references

REFERRERS = 100  # that are shown


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A field of a row, merged with the table's default. `own` if the row has it, `partly` if some
    of it comes from the default all the same, and `usual` if the default is what the row has."""

    name: str
    value: Value
    own: bool
    partly: bool
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
    links: Links
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
    links = resolve(catalog, dataset, references([field.value for field in fields]))
    tables = catalog.places.tables
    linking = referrers(catalog, dataset, entry, name)
    first = catalog.items(linking[:REFERRERS])
    found = [Referrer(dataset.by_id[tables[each.id]], each.name) for each in first]
    before, after = _neighbours(catalog, entry, item)
    return RowPage(
        dataset=dataset,
        entry=entry,
        versions=list(reversed(catalog.versions)),
        item=item,
        fields=fields,
        links=links,
        referrers=found,
        referrer_count=len(linking),
        before=before,
        after=after,
    )


def field_values(item: StoredRow, values: Mapping[str, Value]) -> list[FieldValue]:
    """Every field that a row has of its own or by default, in the order of the table."""
    return [
        _field(item.values, values, name)
        for name in dict.fromkeys([*values, *item.values])
        if name != "Name"
    ]


def _field(own: Mapping[str, Value], values: Mapping[str, Value], name: str) -> FieldValue:
    whole = merged_field(own, values, name)
    mine = name in own
    partly = mine and name in values and canonical(whole) != canonical(own[name])
    usual = name in values and canonical(whole) == canonical(values[name])
    return FieldValue(name, whole, mine, partly, usual)


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
