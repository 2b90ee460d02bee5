"""One table of a TOML document: each value checked, each fault collected, no unknown key missed."""

from difflib import get_close_matches
from typing import Any, Self, TypeVar

T = TypeVar("T")


class TomlTable:
    """One table of the document; all tables of a document share one list of faults.

    A method that reads a value never raises. A value that cannot be used leaves a fault, and the
    method returns another value in its place, so that one pass finds everything that is wrong.
    """

    def __init__(self, table: dict[str, Any], prefix: str = "", faults: list[str] | None = None):
        self._table = table
        self._prefix = prefix
        self._faults: list[str] = [] if faults is None else faults
        self._read: set[str] = set()
        self._children: list[Self] = []

    def fault(self, key: str, what: str) -> None:
        """Note that the value of `key` cannot be used."""
        self._faults.append(f"{self._prefix}{key}: {what}")

    def environment_fault(self, name: str, what: str) -> None:
        """Note that a variable of the environment cannot be used."""
        self._faults.append(f"{name}: {what}")

    def faults(self) -> list[str]:
        """Every fault found so far, then every key that nobody read."""
        return self._faults + self._unknown()

    def _unknown(self) -> list[str]:
        own = [
            f"{self._prefix}{key}: unknown key{self._meant(key)}"
            for key in self._table
            if key not in self._read
        ]
        return own + [line for child in self._children for line in child._unknown()]

    def _meant(self, key: str) -> str:
        near = get_close_matches(key.lower(), self._read, n=1)
        return f'; did you mean "{near[0]}"?' if near else ""

    def _take(self, key: str, kind: type[T], default: T | None, what: str) -> T | None:
        self._read.add(key)
        if key not in self._table:
            if default is None:
                self.fault(key, "must be set")
            return default
        value = self._table[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fault(key, f"must be {what}")
            return default
        return value

    def _child(self, table: dict[str, Any], prefix: str) -> Self:
        child = type(self)(table, prefix, self._faults)
        self._children.append(child)
        return child

    def table(self, key: str) -> Self:
        """The table of that name; an empty one where it is missing."""
        return self._child(self._take(key, dict, {}, "a table") or {}, f"{self._prefix}{key}.")

    def tables(self, key: str, least: int = 1, name: str = "") -> list[Self]:
        """The tables of an array of tables, which may be missing only where `least` is 0.

        Faults name each by its value of `name`, or by its number where it has none.
        """
        entries = self._take(key, list, None if least else [], "an array of tables") or []
        if any(not isinstance(entry, dict) for entry in entries):
            self.fault(key, "must be an array of tables")
            return []
        return [
            self._child(e, f"{self._prefix}{key}[{_named(e.get(name), i)}].")
            for i, e in enumerate(entries)
        ]

    def text(self, key: str, default: str | None) -> str:
        """A string without control characters."""
        value = self._take(key, str, default, "a string") or ""
        if any(ord(c) < 32 for c in value):
            self.fault(key, "must not hold control characters")
        return value

    def flag(self, key: str) -> bool:
        """True or false; false where it is missing."""
        return bool(self._take(key, bool, False, "true or false"))

    def integer(self, key: str, default: int, *, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = self._take(key, int, default, "a whole number") or 0
        if not low <= value <= high:
            self.fault(key, f"must be from {low} to {high}")
        return value

    def seconds(self, key: str, default: float) -> float:
        """A length of time above zero and at most a day."""
        value = self._take(key, (int, float), default, "a number of seconds")  # type: ignore[arg-type]
        if value is not None and not 0 < value <= 86_400:
            self.fault(key, "must be above 0 and at most 86400 seconds")
        return float(value or default)

    def optional_strings(self, key: str) -> tuple[str, ...] | None:
        """An array of strings; None where it is missing."""
        return tuple(self.strings(key)) if key in self._table else None

    def strings(self, key: str) -> list[str]:
        """An array of strings; empty where it is missing."""
        entries = self._take(key, list, [], "an array of strings") or []
        if any(not isinstance(entry, str) for entry in entries):
            self.fault(key, "must be an array of strings")
            return []
        return entries


def _named(value: object, number: int) -> str:
    usable = isinstance(value, str) and value.isprintable() and 0 < len(value) <= 63
    return f'"{value}"' if usable else str(number)
