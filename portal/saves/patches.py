"""Changes of a buffer of property tags: bytes replaced, and every size around them mended."""

import struct
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from portal.saves.errors import SaveError
from portal.saves.tags import Properties, Tag

_INT = struct.Struct("<i")
_INT_MAX = (1 << 31) - 1


class Patch(NamedTuple):
    """Bytes `start` to `end` become `new`.

    `sizes` are the offsets of the int32 sizes that measure them; `count_at` is the offset of an
    int32 count of elements, to which `added` are added. All offsets are the unchanged buffer's.
    """

    start: int
    end: int
    new: bytes
    sizes: tuple[int, ...] = ()
    count_at: int = 0
    added: int = 0


def apply_patches(buffer: bytes, patches: Iterable[Patch]) -> bytes:
    """The buffer with all patches applied; what none of them names is verbatim.

    Raises `SaveError` where two of them touch one place, or a size would not fit an int32.
    """
    patches = list(patches)
    spans = sorted([(p.start, p.end, p.new) for p in patches] + _mended(buffer, patches))
    view, pieces, at = memoryview(buffer), list[bytes | memoryview](), 0
    for start, end, new in spans:
        if start < at:
            raise SaveError("Two of the changes touch the same place.", "Make them one by one.")
        pieces += (view[at:start], new)
        at = end
    pieces.append(view[at:])
    return b"".join(pieces)


def _mended(buffer: bytes, patches: list[Patch]) -> list[tuple[int, int, bytes]]:
    """The sizes and counts that change, as spans."""
    growth: Counter[int] = Counter()
    for patch in patches:
        for size_at in patch.sizes:
            growth[size_at] += len(patch.new) - (patch.end - patch.start)
        if patch.added:
            growth[patch.count_at] += patch.added
    return [(at, at + 4, _grown(buffer, at, by)) for at, by in growth.items() if by]


def _grown(buffer: bytes, at: int, by: int) -> bytes:
    number = int(_INT.unpack_from(buffer, at)[0]) + by
    if not 0 <= number <= _INT_MAX:
        raise SaveError("The changed save would be too large for the game's format.")
    return _INT.pack(number)


def removal(array: Tag, elements: Iterable[Properties]) -> list[Patch]:
    """Take these elements out of an array of structs."""
    return [Patch(e.start, e.end, b"", e.enclosing, array.value, -1) for e in elements]
