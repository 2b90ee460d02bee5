"""References resolved: where one leads in a version, and which rows refer to a row.

A reference names a table without its category and a row without regard to case, as Unreal's FName
does. A name that is written exactly so wins over one in another case, and the first table of that
name, in natural order, over others.
"""

import json
from collections.abc import Iterable, Mapping

from portal.catalog.model import Dataset, LinkTarget, TableEntry
from portal.catalog.snapshot import Catalog
from portal.catalog.values import Reference, storable

Links = Mapping[Reference, LinkTarget]


def resolve(catalog: Catalog, dataset: Dataset, links: Iterable[Reference]) -> Links:
    """The rows that are referred to; a reference that leads nowhere in this version is left out."""
    wanted = {link: dataset.named(link.table) for link in links}
    pairs = {(entry.id, storable(link.row)) for link, found in wanted.items() for entry in found}
    known = catalog.rows("existing_rows", pairs=json.dumps(list(pairs))) if pairs else []
    held = set(catalog.held(dataset, (row for *_, row, _ in known)))
    targets: dict[tuple[int, str], LinkTarget] = {}
    for table, asked, name, row, title in known:
        if row in held and (name == asked or (table, asked) not in targets):
            targets[table, asked] = LinkTarget(dataset.by_id[table], name, title)
    resolved = {}
    for link, entries in wanted.items():
        found = (targets.get((entry.id, storable(link.row))) for entry in entries)
        if target := next(filter(None, found), None):
            resolved[link] = target
    return resolved


def referrers(catalog: Catalog, dataset: Dataset, entry: TableEntry, name: str) -> list[int]:
    """The rows of a version that refer to one, by themselves or by their table's Defaults."""
    found = catalog.rows("linked_from", table=entry.name, row=name)
    held = set(catalog.held(dataset, (row for row, _, _ in found)))
    elsewhere = _resolved_elsewhere(catalog, dataset, entry, name, {used for *_, used in found})
    tables = catalog.places.tables
    return list(
        dict.fromkeys(
            row
            for row, head, used in found
            if row in held
            and used not in elsewhere
            and (not head or dataset.by_id[tables[row]].head == head)
        )
    )


def _resolved_elsewhere(
    catalog: Catalog, dataset: Dataset, entry: TableEntry, name: str, spellings: set[str]
) -> set[str]:
    """Names in another case that are the exact name of another row of the same table."""
    others = [Reference(entry.name, used) for used in spellings if used != name]
    targets = resolve(catalog, dataset, others)
    return {
        link.row
        for link, target in targets.items()
        if target.entry.id == entry.id and target.name != name
    }
