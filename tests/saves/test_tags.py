"""The codec of property tags: scanned with offsets, patched, and never surprised."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.saves.errors import SaveError
from portal.saves.fstrings import read_fstring, write_fstring
from portal.saves.patches import Patch, apply_patches, removal
from portal.saves.tags import (
    MAX_DEPTH,
    read_properties,
    read_stream,
    read_struct,
    read_structs,
)
from portal.saves.values import (
    flag_patch,
    integer_patch,
    read_flag,
    read_integer,
    read_text,
    text_patch,
)
from tests.support.saves import (
    closed,
    enum,
    flag,
    fstring,
    integer,
    octets,
    row,
    stream,
    structure,
    structures,
    tag,
    text,
)

NAMES = st.text(st.characters(codec="utf-16-le", exclude_characters="\0"), max_size=20)
INTS = st.integers(-(2**31), 2**31 - 1)


def nested(name="Bea", value=1, truth=False, items=("a", "b", "c"), guid=b"\0"):
    """Every kind of container around every kind of value that is edited."""
    inner = closed(
        text("Before", "untouched"),
        tag("Odd", "NobodyKnowsProperty", b"\x01\x02\x03"),
        text("Name", name),
        integer("Number", value, guid=guid),
        flag("Truth", truth),
        structures("Items", "Item", [closed(row("Row", item)) for item in items]),
    )
    record = stream(structures("Deep", "Deep", [closed(integer("X", 1)), inner]))
    return closed(
        structure("Box", "Box", octets("BinaryData", record), enum("Kind", "EKind", "One")),
        integer("After", 2),
    )


def inside(buffer):
    top = read_properties(buffer, 0, len(buffer))
    box = read_struct(buffer, top.tags["Box"])
    record = read_stream(buffer, box.tags["BinaryData"])
    return list(read_structs(buffer, record.tags["Deep"], 10))[1]


@given(NAMES)
def test_a_text_is_written_as_the_game_does_and_read_back(name):
    written = write_fstring(name)
    assert written == fstring(name)
    assert read_fstring(b"?" + written + b"?", 1, 1 + len(written)) == (name, 1 + len(written))


@given(name=NAMES, value=INTS, truth=st.booleans(), new=NAMES, number=INTS, other=st.booleans())
def test_patches_give_what_the_new_values_would_have_been_written_as(
    name, value, truth, new, number, other
):
    guid = b"\1" + bytes(16)
    old = nested(name, value, truth, guid=guid)
    tags = inside(old).tags
    assert read_text(old, tags["Name"]) == name
    assert read_integer(old, tags["Number"]) == value
    assert read_flag(old, tags["Truth"]) is truth
    patches = [
        flag_patch(tags["Truth"], other),
        integer_patch(tags["Number"], number),
        text_patch(tags["Name"], new),
    ]
    assert apply_patches(old, patches) == nested(new, number, other, guid=guid)
    assert apply_patches(old, []) == old


@given(st.lists(NAMES, max_size=6), st.data())
def test_elements_are_taken_out_with_all_sizes_and_counts(items, data):
    old = nested(items=items)
    array = inside(old).tags["Items"]
    elements = list(read_structs(old, array, 10))
    kept = [data.draw(st.booleans()) for _ in items]
    gone = [element for element, keep in zip(elements, kept, strict=True) if not keep]
    left = [item for item, keep in zip(items, kept, strict=True) if keep]
    assert apply_patches(old, removal(array, gone)) == nested(items=left)


def test_a_byte_above_ascii_is_latin_1():
    assert read_fstring(b"\x03\0\0\0\xe9!\0", 0, 7) == ("é!", 7)


def test_every_type_is_passed_with_its_extras():
    guid = b"\1" + bytes(16)
    buffer = closed(
        tag("M", "MapProperty", b"12", fstring("StrProperty") + fstring("IntProperty")),
        tag("S", "SetProperty", b"123", fstring("NameProperty"), guid=guid),
        tag("B", "ByteProperty", b"\x05", fstring("None")),
        enum("E", "EKind", "One"),
        structure("T", "Vector"),
        flag("F", True),
        octets("O", b"1234"),
    )
    found = read_properties(buffer, 0, len(buffer))
    assert found.end == len(buffer)
    assert [one.inner for one in found.tags.values()] == [
        *("StrProperty", "NameProperty", "None", "EKind", "Vector", "", "ByteProperty"),
    ]


def test_the_later_of_two_counts_and_static_arrays_show_their_first():
    buffer = closed(integer("A", 1), integer("A", 2), integer("A", 3, slot=1))
    tags = read_properties(buffer, 0, len(buffer)).tags
    assert read_integer(buffer, tags["A"]) == 2


def test_an_unknown_type_passes_and_has_no_value():
    buffer = closed(tag("A", "FutureProperty", b"\xff" * 9), integer("B", 5))
    tags = read_properties(buffer, 0, len(buffer)).tags
    assert read_integer(buffer, tags["A"]) is None
    assert read_text(buffer, tags["A"]) is None
    assert read_flag(buffer, tags["A"]) is None
    assert read_struct(buffer, tags["A"]) is None
    assert list(read_structs(buffer, tags["A"], 10)) == []
    assert read_integer(buffer, tags["B"]) == 5


def read_all(buffer, found=None):
    """Everything that a reader can be asked, all the way down."""
    found = found or read_properties(buffer, 0, len(buffer))
    for one in found.tags.values():
        read_integer(buffer, one)
        read_text(buffer, one)
        read_flag(buffer, one)
        below = [read_struct(buffer, one), *read_structs(buffer, one, 10)]
        if one.type == "ArrayProperty" and one.inner == "ByteProperty":
            below.append(read_stream(buffer, one))
        for properties in below:
            if properties:
                read_all(buffer, properties)


def lying(offset, number, content=None):
    """A list with one array of two elements, where an int32 says something else."""
    content = content or bytearray(structures("A", "S", [closed(integer("X", 1))] * 2))
    struct.pack_into("<i", content, offset, number)
    return bytes(content) + fstring("None")


SIZE, COUNT = 6 + 18, 6 + 18 + 8 + 19 + 1  # of `lying`'s array
CUT = closed(integer("A", 1))[:-9]


@pytest.mark.parametrize(
    ("buffer", "gist"),
    [
        (b"", "a text is cut off"),
        (b"\x05\0\0", "a text is cut off"),
        (b"\x05\0\0\0abc", "longer than what holds it"),
        (struct.pack("<i", -(2**31)) + b"abc", "longer than what holds it"),
        (struct.pack("<i", 2**31 - 1) + b"abc", "longer than what holds it"),
        (struct.pack("<i", 3) + b"abc", "does not end where it says"),
        (struct.pack("<i", -2) + b"a\0b\0", "does not end where it says"),
        (CUT, "a text is cut off"),
        (CUT[:-3], "length that cannot be"),
        (CUT[:-5], "cut off or no property"),
        (CUT[:-8], "a property is cut off"),
        (fstring("A") + fstring("IntProperty") + bytes(8) + b"\x07", "no property"),
        (closed(tag("A", "IntProperty", b"\0" * 3)), "a number has a length"),
        (closed(tag("A", "StrProperty", fstring("x") + b"!")), "shorter than what holds it"),
        (closed(tag("A", "IntProperty", b"", size=-1)), "length that cannot be"),
        (closed(tag("A", "IntProperty", b"", size=2**31 - 1)), "length that cannot be"),
        (lying(SIZE, -5), "length that cannot be"),
        (lying(COUNT, -1), "count that cannot be"),
        (lying(COUNT, 11), "count that cannot be"),
        (lying(COUNT, 2**31 - 1), "count that cannot be"),
        (lying(COUNT, 3), "cut off"),
        (lying(COUNT, 1), "an array has a length"),
        (closed(tag("A", "ArrayProperty", b"", fstring("StructProperty"))), "an array is cut off"),
        (closed(tag("A", "ArrayProperty", b"ab", fstring("ByteProperty"))), "an array is cut off"),
        (
            closed(tag("A", "ArrayProperty", struct.pack("<i", 5), fstring("ByteProperty"))),
            "count that cannot be",
        ),
        (
            closed(tag("A", "ArrayProperty", bytes(4) + b"12", fstring("ByteProperty"))),
            "record has a length",
        ),
        (
            closed(
                tag(
                    "A",
                    "ArrayProperty",
                    struct.pack("<i", 1) + structure("A", "S", integer("X", 1)) + b"behind",
                    fstring("StructProperty"),
                )
            ),
            "an array has a length",
        ),
        (closed(*[integer("A", 1)] * 4096), "more than 4096 properties"),
    ],
)
def test_every_fault_is_a_sentence(buffer, gist):
    with pytest.raises(SaveError, match=gist):
        read_all(buffer)


def levels(count):
    """Structs within each other, outermost first; each value is the next tag and a `None`."""
    heads, length = [], 0
    for _ in range(count):
        length += len(fstring("None"))
        heads.append(tag("A", "StructProperty", b"", fstring("S") + bytes(16), size=length))
        length += len(heads[-1])
    return b"".join(reversed(heads)) + fstring("None") * (count + 1)


def test_nesting_has_a_limit_and_costs_nothing_where_nobody_looks():
    buffer = levels(10_000)
    top = read_properties(buffer, 0, len(buffer))
    assert top.end == len(buffer)
    with pytest.raises(SaveError, match=f"more than {MAX_DEPTH} deep"):
        read_all(buffer)
    read_all(levels(MAX_DEPTH))


@pytest.mark.parametrize(
    ("patches", "gist"),
    [
        ([Patch(0, 4, b""), Patch(3, 5, b"")], "same place"),
        ([Patch(4, 4, b"xxxx", sizes=(0,)), Patch(1, 2, b"")], "same place"),
        ([Patch(4, 9, b"", sizes=(0,))], "too large"),
    ],
)
def test_patches_that_cannot_be_applied(patches, gist):
    with pytest.raises(SaveError, match=gist):
        apply_patches(struct.pack("<i", 2) + b"abcdef", patches)


@settings(max_examples=300)
@given(st.data())
def test_mutated_bytes_are_read_or_refused(data):
    content = bytearray(nested())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[at] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
        else:
            del content[at : at + data.draw(st.integers(1, 8))]
    with suppress(SaveError):
        read_all(bytes(content))
