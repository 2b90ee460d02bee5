"""Which rows of a table somebody wants to see, and in which order."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from portal.catalog.merging import merged
from portal.catalog.snapshot import Catalog
from portal.catalog.values import Value, plain

NAME = "Name"

Key = tuple[int, float, str]
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class TableQuery:
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


def filter_rows(
    catalog: Catalog, rows: Sequence[int], values: Mapping[str, Value], query: TableQuery
) -> Sequence[int]:
    """The rows that are wanted, of all that a table has; `values` are its defaults."""
    if query.text:
        rows = list(_holding(catalog, rows, values, query.text.casefold()))
    if query.value and not query.field:
        rows = _any_field(catalog, rows, values, query)
    elif query.value:
        compare = COMPARISONS[query.comparison]
        column = _column(catalog, rows, values, query.field)
        rows = [row for row, value in column if compare(plain(value), query.value)]
    if query.sort:
        keyed = [(_key(value), row) for row, value in _column(catalog, rows, values, query.sort)]
        keyed.sort(key=lambda pair: pair[0], reverse=query.descending)
        rows = [row for _, row in keyed]
    return rows


def _column(
    catalog: Catalog, rows: Sequence[int], values: Mapping[str, Value], field: str
) -> Iterator[tuple[int, Value]]:
    """What each row has in a field, by itself or by default."""
    default = values.get(field)
    for row, name, text in catalog.column(rows, field):
        if field == NAME:
            yield row, name
        else:
            yield row, default if text is None else merged(json.loads(text), default)


def _any_field(
    catalog: Catalog, rows: Sequence[int], values: Mapping[str, Value], query: TableQuery
) -> list[int]:
    """The rows of which any value compares so; for "is not", all of them."""
    if query.comparison == "contains":
        return list(_holding(catalog, rows, values, query.value.casefold()))
    compare, joined = COMPARISONS[query.comparison], all if query.comparison == "is not" else any
    return [
        item.id
        for item in catalog.items(rows)
        if joined(
            compare(shown, query.value) for shown in _shown(item.name, merged(item.values, values))
        )
    ]


def _shown(name: str, values: Mapping[str, Value]) -> Iterator[str]:
    """All that people see of a row: its name and the values that it has, by default too."""
    yield name
    for field, value in values.items():
        if field != NAME:
            yield plain(value)


def _holding(
    catalog: Catalog, rows: Sequence[int], values: Mapping[str, Value], text: str
) -> Iterator[int]:
    """The rows that have a text (in lower case) in their name or in a value."""
    words = _WORDS.findall(text)
    # A value that rows have by default is in none of their bodies.
    usual = [field for field in values if text in plain(values[field]).casefold()]
    for row, name, _, body in catalog.bodies(rows):
        if usual or text in name.casefold() or _may_hold(body, words):
            own = json.loads(body)
            if any(text in shown.casefold() for shown in _shown(name, merged(own, values))):
                yield row


def _may_hold(body: str, words: Sequence[str]) -> bool:
    """Whether the words stand in a row's JSON at all: most rows need not be taken apart.

    Where a backslash is escaped, or a letter, a word may stand there in another spelling.
    """
    folded = body.casefold()
    return all(word in folded for word in words) or "\\\\" in body or "\\u" in body


def _key(value: Value) -> Key:
    """Nothing, then numbers, then texts."""
    if value is None or value in ("", [], {}):
        return (0, 0.0, "")
    if isinstance(value, int | float):
        return (1, float(value) if abs(value) < 1e300 else 1e300, "")
    return (2, 0.0, plain(value).casefold())
