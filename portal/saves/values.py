"""Values of property tags: read, and replaced as patches.

Reading gives None for a property that is missing or of another type, since older saves lack fields
and newer ones may change them. A replacement keeps the type that is there.
"""

import struct

from portal.saves.errors import SaveError, damaged
from portal.saves.fstrings import read_fstring, write_fstring
from portal.saves.patches import Patch
from portal.saves.tags import Tag

_INTEGERS = {
    "IntProperty": struct.Struct("<i"),
    "UInt32Property": struct.Struct("<I"),
    "Int64Property": struct.Struct("<q"),
}
_TEXTS = {"StrProperty", "NameProperty", "EnumProperty"}


def read_integer(buffer: bytes, tag: Tag | None) -> int | None:
    """The value of an integer."""
    form = _INTEGERS.get(tag.type) if tag else None
    if tag is None or form is None:
        return None
    if tag.end - tag.value != form.size:
        raise damaged("a number has a length that cannot be", tag.value)
    return int(form.unpack_from(buffer, tag.value)[0])


def read_text(buffer: bytes, tag: Tag | None) -> str | None:
    """The value of a text, a name or an enum (with the enum's name and two colons before it)."""
    if tag is None or tag.type not in _TEXTS:
        return None
    text, after = read_fstring(buffer, tag.value, tag.end)
    if after != tag.end:
        raise damaged("a text is shorter than what holds it", tag.value)
    return text


def read_flag(buffer: bytes, tag: Tag | None) -> bool | None:
    """The value of a bool, which lies before the tag's value."""
    return bool(buffer[tag.extras]) if tag and tag.type == "BoolProperty" else None


def integer_patch(tag: Tag, value: int) -> Patch:
    """Replace an integer. Raises `SaveError` where the type has no room for it."""
    try:
        return Patch(tag.value, tag.end, _INTEGERS[tag.type].pack(value))
    except struct.error as e:
        raise SaveError(f"{tag.name} has no room for {value}.") from e


def text_patch(tag: Tag, value: str) -> Patch:
    """Replace a text, a name or an enum."""
    return Patch(tag.value, tag.end, write_fstring(value), tag.sizes)


def flag_patch(tag: Tag, value: bool) -> Patch:
    """Replace a bool."""
    return Patch(tag.extras, tag.extras + 1, bytes([value]))
