"""What differs between two versions, down to the field: always of values merged with Defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from portal.catalog.merging import merged_field
from portal.catalog.model import Dataset, StoredRow, TableEntry
from portal.catalog.snapshot import Catalog
from portal.catalog.tables import defaults
from portal.catalog.values import Value, canonical, names_nothing, only_reference

# A row of the kind "default" is as it was; a default of its table has given it another value.
KINDS = ("added", "removed", "changed", "default")
PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Side:
    """A value on one side; `there` is whether there is one. `own` is whether the row has it itself,
    and not only by default; `part` is what it has itself of an object."""

    value: Value = None
    there: bool = False
    own: bool = True
    part: Value = None

    def within(self, name: str) -> "Side":
        """The same of one field of an object."""
        part = self.value if self.part is None else self.part
        own = self.own and isinstance(part, dict) and name in part
        return Side(self.value.get(name), name in self.value, own, part.get(name) if own else None)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field, old and new."""

    path: str
    old: Side
    new: Side


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that came, went or changed, with its fields. `kind` is of KINDS."""

    kind: str
    name: str
    fields: list[FieldChange]


@dataclass(frozen=True, slots=True)
class TableChange:
    """How many rows of a table came, went and changed. `old` or `new` is None where the table is
    only in the other version; `head` says whether its defaults or its other settings changed."""

    old: TableEntry | None
    new: TableEntry | None
    counts: Mapping[str, int]
    head: bool

    @property
    def entry(self) -> TableEntry:
        """The table, as it is in the newer version that has it."""
        entry = self.new or self.old
        assert entry  # noqa: S101 - one of them has it
        return entry

    @property
    def empty(self) -> bool:
        """Whether it is the same for all that anybody sees: only the order of rows differs."""
        return bool(self.old and self.new) and not self.head and not any(self.counts.values())


@dataclass(frozen=True, slots=True)
class TableDiff:
    """A page of a table's changes: `total` of the kinds that were asked for."""

    change: TableChange
    head: list[FieldChange]
    rows: list[RowChange]
    total: int
    page: int
    pages: int


@dataclass(slots=True)
class _Moved:
    """Numbers of rows by kind, in the order of the table; of changed ones the old and the new."""

    added: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    changed: list[tuple[int, int]] = field(default_factory=list)
    default: list[int] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return {kind: len(getattr(self, kind)) for kind in KINDS}


def changed_tables(catalog: Catalog, old: Dataset, new: Dataset) -> list[TableChange]:
    """The tables that differ, in natural order."""
    changes = []
    for number in {**new.by_id, **old.by_id}:
        before, after = old.by_id.get(number), new.by_id.get(number)
        if before is None or after is None or before.content != after.content:
            change = _change(catalog, before, after)
            if not change.empty:
                changes.append(change)
    return sorted(changes, key=lambda change: change.entry.order)


def table_diff(
    catalog: Catalog, before: TableEntry | None, after: TableEntry | None, kind: str, page: int
) -> TableDiff:
    """A page of what differs in a table; of one kind, or "" for all."""
    moved = _moved(catalog, before, after)
    change = TableChange(before, after, moved.counts(), _heads_differ(before, after))
    wanted: list[tuple[str, int | None, int | None]] = []
    if kind in ("", "changed"):
        wanted += [("changed", old, new) for old, new in moved.changed]
    if kind in ("", "added"):
        wanted += [("added", None, new) for new in moved.added]
    if kind in ("", "removed"):
        wanted += [("removed", old, None) for old in moved.removed]
    if kind in ("", "default"):
        wanted += [("default", row, row) for row in moved.default]
    pages = max(1, -(-len(wanted) // PER_PAGE))
    page = min(max(1, page), pages)
    shown = wanted[(page - 1) * PER_PAGE : page * PER_PAGE]
    old_head, new_head = (catalog.head(each) if each else None for each in (before, after))
    items = {
        item.id: item
        for item in catalog.items([each for _, *both in shown for each in both if each is not None])
    }
    rows = [
        row_change(
            items[old] if old else None,
            items[new] if new else None,
            defaults(old_head or {}),
            defaults(new_head or {}),
        )
        for _, old, new in shown
    ]
    return TableDiff(change, head_changes(old_head, new_head), rows, len(wanted), page, pages)


def row_change(
    old: StoredRow | None,
    new: StoredRow | None,
    old_defaults: Mapping[str, Value],
    new_defaults: Mapping[str, Value],
) -> RowChange:
    """A row, old and new; None where it is not. Of one that came or went its own fields."""
    before, after = old.values if old else {}, new.values if new else {}
    names = [*before, *after]
    kind = "added" if old is None else "removed"
    if old and new:
        names = [*before, *after, *old_defaults, *new_defaults]
        kind = "default" if old.id == new.id else "changed"
    fields = []
    for name in dict.fromkeys(names):
        if name != "Name":
            left = _side(name, before, old_defaults, old is not None)
            right = _side(name, after, new_defaults, new is not None)
            fields += field_changes(name, left, right)
    name = (new or old).name  # type: ignore[union-attr] # one of them is there
    return RowChange(kind, name, fields)


def head_changes(
    old: Mapping[str, Value] | None, new: Mapping[str, Value] | None
) -> list[FieldChange]:
    """What differs of a table but its rows; a default as "Defaults.Health". None for no table."""
    if old is None or new is None:
        return []
    return field_changes("", Side(old, True), Side(new, True))


def field_changes(path: str, old: Side, new: Side) -> list[FieldChange]:
    """The parts of a value that differ, so that a large object shows only these."""
    if old.there and new.there and canonical(old.value) == canonical(new.value):
        return []
    if not (old.there or new.there):
        return []
    if not (_divisible(old) and _divisible(new)):
        return [FieldChange(path, old, new)]
    changes = []
    for name in dict.fromkeys([*old.value, *new.value]):
        inner = f"{path}.{name}" if path else name
        changes += field_changes(inner, old.within(name), new.within(name))
    return changes


def _divisible(side: Side) -> bool:
    """Whether a value is compared field by field; a reference is compared as one value."""
    return side.there and isinstance(side.value, dict) and not _refers(side.value)


def _refers(value: Value) -> bool:
    return bool(only_reference(value) or names_nothing(value))


def _side(name: str, own: Mapping[str, Value], values: Mapping[str, Value], there: bool) -> Side:
    """What a row has in a field: its own value merged with the default, or nothing."""
    if name in own:
        return Side(merged_field(own, values, name), True, True, own[name])
    return Side(values.get(name), there and name in values, own=False)


def _change(catalog: Catalog, before: TableEntry | None, after: TableEntry | None) -> TableChange:
    counts = _moved(catalog, before, after).counts()
    return TableChange(before, after, counts, _heads_differ(before, after))


def _heads_differ(before: TableEntry | None, after: TableEntry | None) -> bool:
    return bool(before and after and before.head != after.head)


def _moved(catalog: Catalog, before: TableEntry | None, after: TableEntry | None) -> _Moved:
    """Rows are compared by the digests of their merged values: no row has to be read."""
    old = catalog.digests(before) if before else {}
    new = catalog.digests(after) if after else {}
    keys = catalog.places.keys
    gone_by_key = {keys[row]: row for row in old if row not in new}
    moved = _Moved()
    for row, digest in new.items():
        if row in old:
            if old[row] != digest:
                moved.default.append(row)
            continue
        before_it = gone_by_key.pop(keys[row], None)
        if before_it is None:
            moved.added.append(row)
        elif old[before_it] != digest:
            moved.changed.append((before_it, row))
    moved.removed = list(gone_by_key.values())
    return moved
