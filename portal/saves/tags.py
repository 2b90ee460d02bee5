"""Unreal's property tags, scanned with their offsets.

A tag (FPropertyTag, Unreal 4) is: FString name, FString type, int32 size of the value, int32 index,
the type's extras, a byte that says whether a 16-byte guid follows, the value. A list of tags ends
with the name `None`. A value is only looked into when somebody asks, so that 20 MB of records that
nobody reads cost one step each, and types that are not known pass by their size.

Nothing here recurses: a caller goes down one level at a time, at most `MAX_DEPTH` sizes deep.
Every fault is a `SaveError`.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from portal.saves.errors import damaged
from portal.saves.fstrings import read_fstring

MAX_DEPTH = 64  # sizes around a value; a mission, the deepest that is read, has six
MAX_TAGS = 4096  # in one list; a large record of the game has some 70

_SIZE_INDEX = struct.Struct("<ii")
_INT = struct.Struct("<i")
_GUID = 16

# How many names the extras of a type hold, and how many bytes follow them.
_EXTRAS = {
    "StructProperty": (1, _GUID),
    "BoolProperty": (0, 1),
    "ByteProperty": (1, 0),
    "EnumProperty": (1, 0),
    "ArrayProperty": (1, 0),
    "SetProperty": (1, 0),
    "MapProperty": (2, 0),
}


class Tag(NamedTuple):
    """One tag; offsets are bytes from the buffer's start.

    `slot` is the index in a static array, 0 for all else.
    `inner` is the first name of the extras (a struct's name, an enum's, an array's inner type).
    `enclosing` are the offsets of the int32 sizes that this tag lies in, outermost first.
    """

    name: str
    type: str
    inner: str
    slot: int
    start: int
    size_at: int
    value: int
    end: int
    enclosing: tuple[int, ...]

    @property
    def extras(self) -> int:
        """Where the extras begin; there a bool has its value."""
        return self.size_at + 8

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes that change with the length of the value."""
        return (*self.enclosing, self.size_at)


class Properties(NamedTuple):
    """A list of tags by name; of two with one name the later counts, as it does for the game.

    `start` and `end` bound the list with its closing `None`; elements of static arrays (a slot
    above 0) are left out.
    """

    start: int
    end: int
    enclosing: tuple[int, ...]
    tags: dict[str, Tag]


def read_properties(
    buffer: bytes, start: int, end: int, enclosing: tuple[int, ...] = ()
) -> Properties:
    """The list of tags at `start`, which must close before `end`."""
    if len(enclosing) > MAX_DEPTH:
        raise damaged(f"values are nested more than {MAX_DEPTH} deep", start)
    tags: dict[str, Tag] = {}
    at = start
    for _ in range(MAX_TAGS):
        name, after = read_fstring(buffer, at, end)
        if name == "None":
            return Properties(start, after, enclosing, tags)
        tag = _read_tag(buffer, (name, at, after), end, enclosing)
        if tag.slot == 0:
            tags[name] = tag
        at = tag.end
    raise damaged(f"more than {MAX_TAGS} properties follow each other", start)


class TagHead(NamedTuple):
    """What stands before a value; `size` is what the tag says, which the value may not have."""

    name: str
    type: str
    inner: str
    slot: int
    start: int
    size_at: int
    size: int
    value: int


def read_head(buffer: bytes, start: int, end: int) -> TagHead | None:
    """The head of the tag at `start`; None for the name that closes a list."""
    name, at = read_fstring(buffer, start, end)
    return None if name == "None" else _head_of(buffer, (name, start, at), end)


def _head_of(buffer: bytes, named: tuple[str, int, int], end: int) -> TagHead:
    name, start, at = named
    type_, size_at = read_fstring(buffer, at, end)
    if size_at + 8 > end:
        raise damaged("a property is cut off", start)
    size, slot = _SIZE_INDEX.unpack_from(buffer, size_at)
    names, extra = _EXTRAS.get(type_, (0, 0))
    at, inner = size_at + 8, ""
    for number in range(names):
        text, at = read_fstring(buffer, at, end)
        inner = inner if number else text
    return TagHead(
        name, type_, inner, slot, start, size_at, size, _after_guid(buffer, at + extra, end)
    )


def _read_tag(
    buffer: bytes, named: tuple[str, int, int], end: int, enclosing: tuple[int, ...]
) -> Tag:
    name, type_, inner, slot, start, size_at, size, value = _head_of(buffer, named, end)
    if size < 0 or value + size > end:
        raise damaged("a property has a length that cannot be", size_at)
    return Tag(name, type_, inner, slot, start, size_at, value, value + size, enclosing)


def _after_guid(buffer: bytes, at: int, end: int) -> int:
    """The offset of the value: behind the byte that announces a guid, and behind the guid."""
    if at >= end or buffer[at] > 1:
        raise damaged("a property is cut off or no property", at)
    return at + 1 + buffer[at] * _GUID


def read_struct(buffer: bytes, tag: Tag | None) -> Properties | None:
    """The properties of a struct; None where there is none, or another type."""
    if tag is None or tag.type != "StructProperty":
        return None
    return read_properties(buffer, tag.value, tag.end, tag.sizes)


def read_stream(buffer: bytes, tag: Tag) -> Properties:
    """The properties in an array of bytes; its size and its count both measure them."""
    if tag.type != "ArrayProperty" or tag.inner != "ByteProperty":
        raise damaged("a record is not an array of bytes", tag.start)
    length = tag.end - tag.value - 4
    if _count(buffer, tag, max(length, 0)) != length:
        raise damaged("a record has a length that cannot be", tag.value)
    return read_properties(buffer, tag.value + 4, tag.end, (*tag.sizes, tag.value))


def read_structs(buffer: bytes, tag: Tag | None, limit: int) -> Iterator[Properties]:
    """The elements of an array of structs, in turn; none where it is missing or another type.

    More than `limit` of them are an error, so that no save can take long.

    The elements must fill the array to its last byte, or the error comes behind the last one.
    """
    if tag is None or tag.type != "ArrayProperty" or tag.inner != "StructProperty":
        return
    count = _count(buffer, tag, limit)
    if count == 0:
        return
    name, after = read_fstring(buffer, tag.value + 4, tag.end)
    inner = _read_tag(buffer, (name, tag.value + 4, after), tag.end, tag.sizes)
    at = inner.value
    for _ in range(count):
        element = read_properties(buffer, at, inner.end, inner.sizes)
        yield element
        at = element.end
    if at != inner.end or inner.end != tag.end:
        raise damaged("an array has a length that cannot be", tag.value)


def _count(buffer: bytes, tag: Tag, limit: int) -> int:
    if tag.value + 4 > tag.end:
        raise damaged("an array is cut off", tag.value)
    count = int(_INT.unpack_from(buffer, tag.value)[0])
    if not 0 <= count <= limit:
        raise damaged("an array has a count that cannot be", tag.value)
    return count
