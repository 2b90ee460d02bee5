"""JSON with offsets: as strict as the standard library's, and only what changes is rewritten."""

import codecs
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.saves.document import read_document
from portal.saves.errors import SaveError
from portal.saves.jsontext import MAX_DEPTH, MAX_VALUES, parse_json
from portal.saves.splices import relisted, relisted_integers, replaced

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
STYLES = st.fixed_dictionaries(
    {
        "indent": st.sampled_from([None, 0, 2, "\t"]),
        "ensure_ascii": st.booleans(),
        "separators": st.sampled_from([None, (",", ":"), (" ,\r\n", "\t: ")]),
    }
)


def plain(node):
    """A node as the standard library would have read it."""
    if node.is_object:
        return {key: plain(member) for key, member in node.members.items()}
    if node.is_array:
        numbers = node.integers()
        return [plain(item) for item in node.items] if numbers is None else list(numbers)
    if node.raw == "null":
        return None
    return next(v for v in (node.string(), node.integer(), node.flag()) if v is not None)


@given(VALUES, STYLES)
def test_it_reads_what_the_standard_library_reads(value, style):
    written = json.dumps(value, **style)
    node = parse_json(f" {written}\n")
    assert plain(node) == value
    assert node.raw == written
    assert replaced(node, []) == written


@settings(max_examples=300)
@given(st.text('{}[]",:\\u0019-.eEtrufalsn \x01\n', max_size=24))
def test_it_refuses_what_the_standard_library_refuses(text):
    try:
        expected = json.loads(text, parse_constant=_refuse)
    except ValueError:
        with pytest.raises(SaveError):
            parse_json(text)
    else:
        node = parse_json(text)
        assert json.loads(node.raw) == expected


def _refuse(name):
    raise ValueError(name)


@given(st.dictionaries(TEXTS, VALUES, min_size=1), STYLES, VALUES, st.data())
def test_a_change_leaves_all_else_as_it_was_written(members, style, new, data):
    node = parse_json(json.dumps(members, **style))
    key = data.draw(st.sampled_from(sorted(members)))
    changed = node.members[key]
    expected = node.text[: changed.start] + json.dumps(new) + node.text[changed.end :]
    assert replaced(node, [(changed, json.dumps(new))]) == expected
    assert json.loads(expected) == members | {key: new}


@given(st.lists(TEXTS, min_size=1, max_size=5), STYLES, st.data())
def test_elements_go_and_double_in_their_own_white_space(items, style, data):
    array = parse_json(json.dumps(items, **style))
    picked = data.draw(st.lists(st.sampled_from(range(len(items)))))
    new = relisted(array, [(array.items[n], array.items[n].raw) for n in picked])
    assert json.loads(new) == [items[n] for n in picked]
    if picked and style["separators"] is None and len(items) > 1:
        assert new == json.dumps([items[n] for n in picked], **style)
    if picked == list(range(len(items))):
        assert new == array.raw


@given(
    st.binary(min_size=2), st.binary(min_size=2), st.sampled_from(["[{}]", "[ {} ]", "[\n{}\n]"])
)
def test_integers_keep_their_white_space(old, new, frame):
    for comma in (",", ", ", ",\r\n\t"):
        text = frame.format(comma.join(map(str, old)))
        expected = frame.format(comma.join(map(str, new)))
        node = parse_json(text)
        assert list(node.integers()) == list(old)
        assert relisted_integers(node, new) == expected
        assert relisted_integers(node, old) == text


@pytest.mark.parametrize("text", ["[]", "[ ]", "[1]", "[ 1 ]"])
def test_integers_without_a_pattern_get_the_games(text):
    assert relisted_integers(parse_json(text), b"\1\2") == "[1, 2]"


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("", "not JSON: it ends too early"),
        ("[1, 2", "not JSON: it ends too early"),
        ('{"a": "b', "not JSON: line 1, column 7 is wrong"),
        ('{\n"a" 1}', "not JSON: line 2, column 1 is wrong"),
        ("[1, 2,]", "not JSON: line 1, column 7 is wrong"),
        ("{} {}", "not JSON: line 1, column 4 is wrong"),
        ('["a"}', "not JSON: line 1, column 5 is wrong"),
        ("[" * 10_000 + "]" * 10_000, f"nested more than {MAX_DEPTH} levels"),
        ('{"a":' * 10_000, f"nested more than {MAX_DEPTH} levels"),
        ('[""' + ',""' * MAX_VALUES + "]", f"more than {MAX_VALUES} values"),
    ],
)
def test_what_is_no_json_has_its_sentence(text, gist):
    with pytest.raises(SaveError, match=gist):
        parse_json(text)


def test_halves_of_surrogates_can_be_shown():
    node = parse_json(r'["\ud800x", "\ud83d\ude00"]')
    assert [item.string() for item in node.items] == ["\ufffdx", "\U0001f600"]


def test_numbers_that_are_none():
    node = parse_json(
        '{"a": 1.5, "b": 1e3, "c": "1", "d": 1234567890123456789, "e": -7, "f": null}'
    )
    assert [member.integer() for member in node.members.values()] == [None] * 4 + [-7, None]
    assert [member.flag() for member in node.members.values()] == [None] * 6
    assert node.members["a"].integers() is None


MARKS = [
    (b"", "utf-8"),
    (codecs.BOM_UTF8, "utf-8"),
    (b"", "utf-16-le"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (b"", "utf-16-be"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
]


@given(st.sampled_from(MARKS), st.dictionaries(TEXTS, TEXTS), STYLES)
def test_the_encoding_is_kept(encoding, members, style):
    mark, codec = encoding
    content = mark + ("\n" + json.dumps(members, **style) + "\r\n").encode(codec)
    document = read_document(content)
    assert {key: member.string() for key, member in document.root.members.items()} == members
    assert document.changed([]) == content


@pytest.mark.parametrize(
    ("content", "gist"),
    [
        (b"", "The file is empty"),
        (b" \r\n\t", "The file is empty"),
        (bytes(500), "nothing but zeros"),
        (b"\x89PNG\r\n", "not JSON: byte 0 is not UTF-8"),
        (b'{"a": "\xff"}', "not JSON: byte 7 is not UTF-8"),
        (codecs.BOM_UTF16_LE + b"{\0}", "not JSON: byte 4 is not UTF-16-LE"),
        (codecs.BOM_UTF16_LE + '"\ud800"'.encode("utf-16-le", "surrogatepass"), "not UTF-16-LE"),
        (b"PK\x03\x04", "not JSON: line 1, column 1"),
        (b"[]", "not an object"),
        (b"12", "not an object"),
    ],
)
def test_what_is_no_document_has_its_sentence(content, gist):
    with pytest.raises(SaveError, match=gist) as caught:
        read_document(content)
    assert caught.value.status == 422
    assert caught.value.advice
