"""A row through all versions: when it came, changed and went."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.catalog.addresses import history
from portal.catalog.diffs import RowChange, row_change
from portal.catalog.model import StoredRow, TableEntry, Version
from portal.catalog.naming import near
from portal.catalog.snapshot import Catalog
from portal.catalog.tables import defaults
from portal.catalog.values import Value
from portal.errors import NotFound


@dataclass(frozen=True, slots=True)
class Step:
    """What became of the row with a version; `until` is the last one in which it stayed so.

    `change` is None for what was there in the first version of all.
    """

    version: Version
    until: Version
    change: RowChange | None
    there: bool


def row_history(catalog: Catalog, category: str, table: str, name: str) -> list[Step]:
    """Every step, the newest first. Raises `NotFound`."""
    entries = _entries(catalog, category, table)
    forms = {item.id: item for item in catalog.forms(next(iter(entries.values())).id, name)}
    members = {entry.content: set(catalog.members(entry)) for entry in entries.values()}
    steps: list[Step] = []
    before: tuple[StoredRow | None, Mapping[str, Value]] = (None, {})
    for version in catalog.versions:
        entry = entries.get(version.id)
        item = next((forms[row] for row in forms if entry and row in members[entry.content]), None)
        values = defaults(catalog.head(entry)) if entry else {}
        change = None
        if steps and (item is not None or before[0] is not None):
            change = row_change(before[0], item, before[1], values)
        if steps and not (change and (change.fields or (item is None) != (before[0] is None))):
            last = steps[-1]
            steps[-1] = Step(last.version, version, last.change, last.there)
        else:
            steps.append(Step(version, version, change, item is not None))
        before = (item, values)
    if not any(step.there for step in steps):
        known = catalog.names_ever(next(iter(entries.values())))
        places = near(name, known, lambda each: history(category, table, each))
        raise NotFound(f'No version has a row "{name}" in {category}/{table}.', near=places)
    return [step for step in steps if step.there or step.change][::-1]


def _entries(catalog: Catalog, category: str, table: str) -> dict[int, TableEntry]:
    """The table in each version that has it, by the version's number."""
    found = {}
    for version in catalog.versions:
        for entry in catalog.dataset(version).categories.get(category, ()):
            if entry.name == table:
                found[version.id] = entry
    if not found:
        # No version has it, so this says what is near.
        catalog.table(catalog.dataset(catalog.version(None)), category, table)
    return found
