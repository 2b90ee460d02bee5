"""A table's file, read: pure, and never an error but `BadTable`."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from portal.catalog.values import Value, storable

MOST_LEVELS = 64  # of nesting; real tables have eight, and what shows and compares them recurses
MOST_ROW = 1 << 20  # characters of a row's JSON; a page shows all of it, and real ones have some KB
_MOST_PROBLEMS = 5  # of one kind that are named, each with where it is


class BadTable(Exception):  # noqa: N818 - what it is
    """The file holds no table; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class DataTable:
    """`head` is the file without its Rows. Rows have unique names; `problems` are sentences."""

    head: Mapping[str, Value]
    rows: Mapping[str, Mapping[str, Value]]
    problems: tuple[str, ...]

    @property
    def defaults(self) -> Mapping[str, Value]:
        """The values of what rows leave out."""
        return defaults(self.head)


def defaults(head: Mapping[str, Value]) -> Mapping[str, Value]:
    """Those of a head; none where it has none that can be used."""
    found = head.get("Defaults")
    return found if isinstance(found, dict) else {}


def read(content: bytes) -> DataTable:
    """The table in a file: UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    A row without a Name, and the second of two with one name, are kept under names made for them.
    """
    try:
        document = json.loads(content, parse_constant=_refuse, parse_float=_finite)
    except UnicodeDecodeError:
        raise BadTable("is not text in UTF-8 or UTF-16.") from None
    except json.JSONDecodeError as error:
        raise BadTable(f"is not JSON: line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise BadTable("is nested too deep.") from None
    except MemoryError:
        raise BadTable("takes more memory than a table may need.") from None
    except ValueError:  # what is left is Python's bound on the digits of whole numbers
        raise BadTable("holds a number of too many digits.") from None
    if _deeper(document, MOST_LEVELS):
        raise BadTable("is nested too deep.")
    if not isinstance(document, dict):
        raise BadTable("holds no JSON object.")
    rows = document.pop("Rows", [])
    if not isinstance(rows, list):
        raise BadTable("has Rows that are no list.")
    return _table(document, rows)


def too_large(names: list[str]) -> list[str]:
    """What to say of rows that cannot be shown."""
    quoted = [f'"{name[:60]}"' for name in names]
    said = _said(quoted, "has over 1 MiB and is left out", "have over 1 MiB each and are left out")
    return [said] if said else []


def _table(head: dict[str, Value], entries: list[Any]) -> DataTable:
    rows: dict[str, Mapping[str, Value]] = {}
    strange, nameless, twice = [], [], []
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            strange.append(f"{number}")
            continue
        name = entry.get("Name")
        if not isinstance(name, str) or not name:
            nameless.append(f"{number}")
            name = f"#{number}"
        name = storable(name)
        if name in rows:
            twice.append(f'"{name[:60]}"')
            name = _free(rows, name)
        rows[name] = entry
    problems = (
        _said(strange, "is no object and is left out", "are no objects and are left out"),
        _said(nameless, "has no Name and is called by its number", "have no Name and are numbered"),
        _said(twice, "is there again and is numbered", "are there again and are numbered"),
    )
    return DataTable(head, rows, tuple(filter(None, problems)))


def _free(rows: Mapping[str, object], name: str) -> str:
    number = 2
    while f"{name}#{number}" in rows:
        number += 1
    return f"{name}#{number}"


def _said(which: list[str], one: str, many: str) -> str:
    """A sentence about so many rows, some of them named."""
    if not which:
        return ""
    named = ", ".join(which[:_MOST_PROBLEMS])
    more = f" and {len(which) - _MOST_PROBLEMS} more" if len(which) > _MOST_PROBLEMS else ""
    return f"Row {named} {one}." if len(which) == 1 else f"Rows {named}{more} {many}."


def _refuse(constant: str) -> NoReturn:
    raise BadTable(f"is not JSON: {constant} is no number.")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise BadTable(f"holds a number that is too large: {text[:20]}.")
    return number


def _deeper(document: Value, most: int) -> bool:
    """Whether more than so many lists and objects are within one another."""
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(most):
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [each for some in inner for each in some if isinstance(each, dict | list)]
        if not level:
            return False
    return True
