"""Unreal's FString: an int32 length, then the characters with a closing zero.

A positive length counts bytes, each one character (Latin-1); a negative one counts UTF-16LE units.
The zero is counted; an empty text has the length 0 and no zero. Source: Unreal's String.cpp,
`operator<<(FArchive&, FString&)`.
"""

import struct

from portal.saves.errors import damaged

_INT = struct.Struct("<i")


def read_fstring(buffer: bytes, at: int, end: int) -> tuple[str, int]:
    """The text at `at` and the offset behind it; nothing at or beyond `end` belongs to it.

    Halves of surrogate pairs come as U+FFFD: this is for reading, the bytes stay as they are.
    """
    start = at + 4
    if start > end:
        raise damaged("a text is cut off", at)
    (length,) = _INT.unpack_from(buffer, at)
    stop = start + length if length >= 0 else start - 2 * length
    if stop > end:
        raise damaged("a text is longer than what holds it", at)
    if length == 0:
        return "", stop
    zero = 1 if length > 0 else 2
    if any(buffer[stop - zero : stop]):
        raise damaged("a text does not end where it says", at)
    codec = "latin-1" if length > 0 else "utf-16-le"
    return buffer[start : stop - zero].decode(codec, "replace"), stop


def write_fstring(text: str) -> bytes:
    """The text as the game writes it: one byte a character for ASCII, UTF-16 for all else."""
    if not text:
        return _INT.pack(0)
    if text.isascii():
        return _INT.pack(len(text) + 1) + text.encode("ascii") + b"\0"
    units = text.encode("utf-16-le") + b"\0\0"
    return _INT.pack(-(len(units) // 2)) + units
