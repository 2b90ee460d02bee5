"""A table as a list: which rows, in which order, with which columns."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from portal.catalog.library import Catalog
from portal.catalog.shelves import Entry, Item
from portal.catalog.tables import defaults
from portal.catalog.values import Value, plain

PER_PAGE = 100
COLUMNS = 6  # that are shown until others are chosen
NAME = "Name"

Key = tuple[int, float, str]


@dataclass(frozen=True, slots=True)
class Wish:
    """How the list was asked for. `sort` is a field, `descending` its order; a row is in it if it
    holds `text` and its `field`, or any if that is "", compares with `value` (`comparison` is of
    COMPARISONS)."""

    page: int = 1
    sort: str = ""
    descending: bool = False
    columns: tuple[str, ...] = ()
    text: str = ""
    field: str = ""
    comparison: str = "contains"
    value: str = ""

    @property
    def whole(self) -> bool:
        """Whether all rows are wanted in their own order."""
        return not (self.sort or self.text or self.value)


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list: `total` rows are in it, `all_rows` in the table. `columns` are shown, of
    `fields`, which are all there are."""

    items: list[Item]
    total: int
    all_rows: int
    page: int
    pages: int
    columns: Sequence[str]
    fields: Sequence[str]
    head: Mapping[str, Value]
    defaults: Mapping[str, Value] = field(default_factory=dict)


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def _at_least(shown: str, value: str) -> bool:
    mine, limit = _number(shown), _number(value)
    return mine is not None and limit is not None and mine >= limit


def _at_most(shown: str, value: str) -> bool:
    mine, limit = _number(shown), _number(value)
    return mine is not None and limit is not None and mine <= limit


COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda shown, value: value.casefold() in shown.casefold(),
    "is": lambda shown, value: value.casefold() == shown.casefold(),
    "is not": lambda shown, value: value.casefold() != shown.casefold(),
    "at least": _at_least,
    "at most": _at_most,
}


def listed(catalog: Catalog, entry: Entry, wish: Wish) -> Listed:
    """A page of a table."""
    head = catalog.head(entry)
    values = defaults(head)
    counts = catalog.fields(entry)
    fields = list(dict.fromkeys([*values, *counts]))
    rows: Sequence[int] = catalog.members(entry)
    if wish.whole:
        total = len(rows)
        page, pages = _pages(wish.page, total)
        items = catalog.items(rows[(page - 1) * PER_PAGE : page * PER_PAGE])
    else:
        chosen = _chosen(catalog.items(rows), values, wish)
        total = len(chosen)
        page, pages = _pages(wish.page, total)
        items = chosen[(page - 1) * PER_PAGE : page * PER_PAGE]
    columns = [name for name in wish.columns if name in fields] or _usual(fields, counts)
    return Listed(items, total, len(rows), page, pages, columns, fields, head, values)


def effective(item: Item, values: Mapping[str, Value], name: str) -> Value:
    """What a row has in a field: its own value, or the table's default."""
    return item.name if name == NAME else item.body.get(name, values.get(name))


def _pages(wanted: int, total: int) -> tuple[int, int]:
    pages = max(1, -(-total // PER_PAGE))
    return min(max(1, wanted), pages), pages


def _usual(fields: Sequence[str], counts: Mapping[str, int]) -> list[str]:
    """The fields that most rows have a value of their own in, in the order of the table."""
    best = sorted(fields, key=lambda name: -counts.get(name, 0))[:COLUMNS]
    return [name for name in fields if name in best]


def _chosen(items: Iterable[Item], values: Mapping[str, Value], wish: Wish) -> list[Item]:
    chosen = [item for item in items if _wanted(item, values, wish)]
    if wish.sort:
        keyed = [(_key(effective(item, values, wish.sort)), item) for item in chosen]
        keyed.sort(key=lambda pair: pair[0], reverse=wish.descending)
        chosen = [item for _, item in keyed]
    return chosen


def _wanted(item: Item, values: Mapping[str, Value], wish: Wish) -> bool:
    if wish.value and not _compares(item, values, wish):
        return False
    text = wish.text.casefold()
    return not text or any(text in shown.casefold() for shown in _shown(item, values))


def _compares(item: Item, values: Mapping[str, Value], wish: Wish) -> bool:
    compare = COMPARISONS[wish.comparison]
    if wish.field:
        return compare(plain(effective(item, values, wish.field)), wish.value)
    every = (compare(shown, wish.value) for shown in _shown(item, values))
    return all(every) if wish.comparison == "is not" else any(every)


def _shown(item: Item, values: Mapping[str, Value]) -> Iterator[str]:
    """All that people see of a row: its name and the values that it has, by default too."""
    yield item.name
    for value in {**values, **item.values}.values():
        yield plain(value)


def _key(value: Value) -> Key:
    """Nothing, then numbers, then texts."""
    if value is None or value in ("", [], {}):
        return (0, 0.0, "")
    if isinstance(value, int | float):
        return (1, float(value) if abs(value) < 1e300 else 1e300, "")
    return (2, 0.0, plain(value).casefold())
