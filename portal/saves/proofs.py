"""Wrong sizes in property tags that the content around them proves.

Most values say by themselves where they end: a text has a length, a list closes with `None`. A size
that says something else is wrong where the next property follows at the value's own end, and none
at the end that the size gives. Older editors wrote such files: they changed a text and left a size
around it. Nothing is repaired where the bytes allow two readings.
"""

import struct
from collections.abc import Iterable
from typing import NamedTuple

from portal.saves.errors import SaveError
from portal.saves.fstrings import read_fstring
from portal.saves.tags import MAX_DEPTH, MAX_TAGS, TagHead, read_head

MAX_FIXES = 16
_INT = struct.Struct("<i")
_FIXED = {
    "IntProperty": 4,
    "UInt32Property": 4,
    "FloatProperty": 4,
    "Int64Property": 8,
    "UInt64Property": 8,
    "DoubleProperty": 8,
    "BoolProperty": 0,
}
_TEXTS = {"StrProperty", "NameProperty", "EnumProperty"}


class Fix(NamedTuple):
    """An int32 at `at` that says `old` and has to say `new`; `of` is the property's name."""

    at: int
    old: int
    new: int
    of: str


class NotProvenError(Exception):
    """The bytes do not say which size is wrong."""


def prove(buffer: bytes, deep: frozenset[str] = frozenset()) -> list[Fix]:
    """The sizes to correct so that the whole buffer is read; empty where nothing is proven.

    Records (arrays of bytes) are looked into where the class named before them is in `deep`.
    """
    proof = _Proof(buffer, deep)
    try:
        end = proof.list_end(0, 0)
    except (NotProvenError, SaveError, RecursionError):
        return []
    closed = not any(buffer[end:])  # what the game puts behind a stream are zeros
    return proof.fixes if closed and len(proof.fixes) <= MAX_FIXES else []


def fixed(buffer: bytes, fixes: Iterable[Fix]) -> bytes:
    """The buffer with the corrected sizes."""
    content = bytearray(buffer)
    for fix in fixes:
        _INT.pack_into(content, fix.at, fix.new)
    return bytes(content)


class _Proof:
    """One walk through a buffer; `fixes` are what it has proven so far."""

    def __init__(self, buffer: bytes, deep: frozenset[str]) -> None:
        self._buffer, self._deep = buffer, deep
        self.fixes: list[Fix] = []
        self._class = ""

    def list_end(self, at: int, depth: int) -> int:
        """The end of the list of tags at `at`, behind its closing name."""
        if depth > MAX_DEPTH:
            raise NotProvenError
        for _ in range(MAX_TAGS):
            head = read_head(self._buffer, at, len(self._buffer))
            if head is None:
                return at + 9  # "None" with its length and its zero
            if not head.name or not head.type:
                raise NotProvenError
            at = self._value_end(head, depth)
        raise NotProvenError

    def _value_end(self, head: TagHead, depth: int) -> int:
        """Where a value ends: by its content where that is proven, else by its size."""
        declared, known = head.value + head.size, len(self.fixes)
        try:
            measured = self._measured(head, depth)
        except (NotProvenError, SaveError):
            measured = None
        if measured == declared:
            return declared
        by_size = head.size >= 0 and self._follows(declared)
        if measured is None or (by_size and not self._follows(measured)):
            del self.fixes[known:]  # the value has a form of its own, which only its size measures
            if not by_size:
                raise NotProvenError
            return declared
        if by_size or not self._follows(measured):
            raise NotProvenError
        self.fixes.append(Fix(head.size_at, head.size, measured - head.value, head.name))
        return measured

    def _follows(self, at: int) -> bool:
        """Whether a property, or the end of a list, stands there."""
        try:
            name, after = read_fstring(self._buffer, at, len(self._buffer))
            if name == "None":
                return True
            type_, _ = read_fstring(self._buffer, after, len(self._buffer))
        except (SaveError, struct.error):
            return False
        return name.isidentifier() and type_.endswith("Property")

    def _measured(self, head: TagHead, depth: int) -> int | None:
        """The end that a value's content gives; None for what does not say."""
        if head.type in _FIXED:
            return head.value + _FIXED[head.type]
        if head.type in _TEXTS:
            text, end = read_fstring(self._buffer, head.value, len(self._buffer))
            if head.name == "ComponentClassName":
                self._class = text.rpartition(".")[2]
            return end
        if head.type == "StructProperty":
            return self.list_end(head.value, depth + 1)
        if head.type == "ArrayProperty":
            return self._array_end(head, depth)
        return None

    def _array_end(self, head: TagHead, depth: int) -> int | None:
        count, at = self._int(head.value), head.value + 4
        if head.inner == "ByteProperty":
            return self._record_end(head, count, depth)
        if head.inner in _TEXTS:
            for _ in range(count):
                _, at = read_fstring(self._buffer, at, len(self._buffer))
            return at
        if head.inner in _FIXED and head.inner != "BoolProperty":
            return at + count * _FIXED[head.inner]
        if head.inner != "StructProperty" or not count:
            return None
        inner = read_head(self._buffer, at, len(self._buffer))
        if inner is None:
            raise NotProvenError
        at = inner.value
        for _ in range(count):
            at = self.list_end(at, depth + 1)
        if at != inner.value + inner.size:
            self.fixes.append(Fix(inner.size_at, inner.size, at - inner.value, head.name))
        return at

    def _record_end(self, head: TagHead, count: int, depth: int) -> int:
        """The end of an array of bytes; of a record's, with the zeros behind its list."""
        start = head.value + 4
        if self._class not in self._deep:
            return start + count
        end = self.list_end(start, depth + 1) + 4
        if any(self._buffer[end - 4 : end]):
            raise NotProvenError
        if end != start + count:
            self.fixes.append(Fix(head.value, count, end - start, f"{head.name} of {self._class}"))
        return end

    def _int(self, at: int) -> int:
        if at + 4 > len(self._buffer):
            raise NotProvenError
        number = int(_INT.unpack_from(self._buffer, at)[0])
        if not 0 <= number <= len(self._buffer):
            raise NotProvenError
        return number
