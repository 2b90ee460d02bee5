"""Values of tables: text as people read it, references, how one is shown and compared.

Texts are Unreal's macros NSLOCTEXT("namespace", "key", "text") and INVTEXT("text"). A reference is
an object with `RowName` and `DataTableName`, or the same as the key of a map or as a text, in the
notation of Unreal's ExportText: `(RowName="Rope",DataTableName="D_Items")`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Value = Any  # what json.loads gives

_QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_LOCALIZED = re.compile(rf"NSLOCTEXT\(\s*{_QUOTED}\s*,\s*{_QUOTED}\s*,\s*{_QUOTED}\s*\)", re.DOTALL)
_INVARIANT = re.compile(rf"INVTEXT\(\s*{_QUOTED}\s*\)", re.DOTALL)
_EXPORTED = re.compile(
    r'\((?:RowName="?(?P<row>[^",()]+)"?,\s*DataTableName="?(?P<table>[^",()]+)"?'
    r'|DataTableName="?(?P<table2>[^",()]+)"?,\s*RowName="?(?P<row2>[^",()]+)"?)\)'
)
_REFERENCE_KEYS = frozenset({"RowName", "DataTableName"})
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
NOTHING = "None"  # how Unreal writes a name that names nothing


@dataclass(frozen=True, slots=True)
class Text:
    """A text with the key under which translations have it; "" for one that is never translated."""

    text: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """To a row of a table, by their names."""

    table: str
    row: str


def localized(value: Value) -> Text | None:
    """The text that a macro stands for; None for any other value."""
    if not isinstance(value, str) or not value.endswith(")"):
        return None
    if found := _LOCALIZED.fullmatch(value):
        space, key, text = map(_unescaped, found.groups())
        return Text(text, f"{space}, {key}" if space else key)
    if found := _INVARIANT.fullmatch(value):
        return Text(_unescaped(found[1]))
    return None


def reference(value: Value) -> Reference | None:
    """The row that an object or a text refers to; None for any other value, or where it refers to
    none.

    A table may be named by its path in the game ("/Game/Data/D_Items.D_Items").
    """
    if isinstance(value, Mapping):
        row, table = value.get("RowName"), value.get("DataTableName")
    elif isinstance(value, str) and value.startswith("(") and (found := _EXPORTED.fullmatch(value)):
        row, table = found["row"] or found["row2"], found["table"] or found["table2"]
    else:
        return None
    if not isinstance(row, str) or not isinstance(table, str) or not row or row == NOTHING:
        return None
    if table.startswith("/"):
        table = table.rpartition("/")[2].rpartition(".")[2]
    return Reference(table, row) if table and table != NOTHING else None


def only_reference(value: Value) -> Reference | None:
    """The row that a value refers to, if it holds nothing else beside that."""
    found = reference(value)
    return found if found and (isinstance(value, str) or value.keys() <= _REFERENCE_KEYS) else None


def tableless(value: Value) -> str:
    """The row that an object names without saying of which table; "" for any other value."""
    if not isinstance(value, Mapping) or not value.keys() <= _REFERENCE_KEYS:
        return ""
    row = value.get("RowName")
    named = isinstance(row, str) and row not in ("", NOTHING) and not reference(value)
    return str(row) if named else ""


def names_nothing(value: Value) -> bool:
    """Whether an object is a reference and nothing else, but to no row."""
    return (
        isinstance(value, Mapping)
        and value.keys() <= _REFERENCE_KEYS
        and "RowName" in value
        and value["RowName"] in (NOTHING, "")
    )


def references(value: Value) -> Iterator[Reference]:
    """All that are in a value, however deep: in objects, in lists, in keys and values of maps."""
    if isinstance(value, Mapping):
        if found := reference(value):
            yield found
        for name, inner in value.items():
            if name.startswith("(") and (found := reference(name)):
                yield found
            if isinstance(inner, Mapping | list | str):
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
    elif isinstance(value, str) and (found := reference(value)):
        yield found


def plain(value: Value) -> str:
    """A value as one line of text, as cells and CSV files have it."""
    if value is None:
        return ""
    if isinstance(value, str):
        if text := localized(value):
            return text.text
        found = reference(value)
        return found.row if found else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if found := only_reference(value):
        return found.row
    if names_nothing(value):
        return NOTHING
    if row := tableless(value):
        return row
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {plain(inner)}" for name, inner in value.items())
    return ", ".join(map(plain, value))


def canonical(value: Value) -> str:
    """The same text for values that are equal: the order of an object's fields is none."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def compact(value: Value) -> str:
    """As JSON, short, and with the fields in their order."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can hold and UTF-8 cannot
        return json.dumps(value, separators=(",", ":"))
    return text


def storable(text: str) -> str:
    """A text as it can stand in a database, in an address and on a page."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), text)
