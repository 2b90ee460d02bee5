"""Files that hold no table, or a strange one: each is told to the operator, none spoils another."""

import html
import json
import re

import pytest

from tests.support.catalog.portals import CatalogPortal, encoded, table, write

LONE = '{"Rows": [{"Name": "half", "Text": "a \\ud83d b", "Key\\udc00": 1}]}'
DEEP = 100_000
STRANGE_NAMES = [
    "a/b",
    "..",
    ".",
    "%2e%2e",
    "%",
    "100%",
    "a\\b",
    "a?b#c",
    "ünï cödé 🔥",
    "\u202eright to left",
    "tab\there",
    "new\nline",
    "\x01\x7f",
    "<script>alert(1)</script>",
    "\"quoted\" 'too'",
    " spaces ",
    "+1",
    "x" * 3000,
    "search",
    "../../../etc/passwd",
]

# The file's content; what the operator is told, "" where all is well; the names of the rows, None
# where no table is shown.
FILES = {
    "good": (table("One", "Two"), "", ["One", "Two"]),
    "with_bom": (b"\xef\xbb\xbf" + table("One"), "", ["One"]),
    "utf16": (table("One").decode().encode("utf-16"), "", ["One"]),
    "utf16_le": (table("One").decode().encode("utf-16-le"), "", ["One"]),
    "utf32": (table("One").decode().encode("utf-32"), "", ["One"]),
    "latin1": ('{"Rows": [{"Name": "Zoë"}]}'.encode("latin1"), "is not text in UTF-8", None),
    "empty": (b"", "is not JSON", None),
    "blank": (b" \r\n\t", "is not JSON", None),
    "binary": (bytes(range(256)) * 8, "is not", None),
    "cut": (table("One", "Two")[:-30], "is not JSON: line", None),
    "more": (table("One") + b"{}", "is not JSON", None),
    "html": (b"<!DOCTYPE html><p>404</p>", "is not JSON: line 1, column 1", None),
    "array": (b"[]", "holds no JSON object", None),
    "number": (b"7", "holds no JSON object", None),
    "null": (b"null", "holds no JSON object", None),
    "no_rows": (encoded({"RowStruct": "x", "Defaults": {"A": 1}}), "", []),
    "rows_null": (encoded({"Rows": None}), "has Rows that are no list", None),
    "rows_object": (encoded({"Rows": {"One": {}}}), "has Rows that are no list", None),
    "rows_mixed": (
        encoded({"Rows": [{"Name": "One"}, 7, None, [], {"Name": "Two"}]}),
        "Rows 2, 3, 4 are no objects",
        ["One", "Two"],
    ),
    "nameless": (
        encoded({"Rows": [{"A": 1}, {"Name": ""}, {"Name": 7}, {"Name": None}, {"Name": "#1"}]}),
        "Rows 1, 2, 3, 4 have no Name",
        [None, "", 7, None, "#1"],
    ),
    "twice": (table("One", "Two", "One"), 'Row "One" is there again', ["One", "Two", "One"]),
    "nan": (b'{"Rows": [{"Name": "One", "A": NaN}]}', "NaN is no number", None),
    "infinity": (b'{"Rows": [{"Name": "One", "A": -Infinity}]}', "-Infinity is no number", None),
    "huge_float": (b'{"Rows": [{"Name": "One", "A": 1e999}]}', "1e999", None),
    "huge_whole": (
        b'{"Rows": [{"Name": "One", "A": ' + b"9" * 5000 + b"}]}",
        "too many digits",
        None,
    ),
    "large_whole": (b'{"Rows": [{"Name": "One", "A": 123456789012345678901}]}', "", ["One"]),
    "same_keys": (b'{"Rows": [{"Name": "One", "A": 1, "A": 2}]}', "", ["One"]),
    "deep": (
        b'{"Rows": [{"Name": "One", "A": ' + b"[" * DEEP + b"]" * DEEP + b"}]}",
        "is nested too deep",
        None,
    ),
    "deep_300": (
        b'{"Rows": [{"Name": "One", "A": ' + b'{"B":' * 300 + b"1" + b"}" * 300 + b"}]}",
        "is nested too deep",
        None,
    ),
    "deep_enough": (
        b'{"Rows": [{"Name": "One", "A": ' + b'{"B":' * 60 + b"1" + b"}" * 60 + b"}]}",
        "",
        ["One"],
    ),
    "lone": (LONE.encode(), "", ["half"]),
    "lone_name": (b'{"Rows": [{"Name": "a\\ud800b"}]}', "", ["a\ud800b"]),
    "defaults_list": (encoded({"Defaults": [1], "Rows": [{"Name": "One"}]}), "", ["One"]),
    "strange": (table(*STRANGE_NAMES), "", STRANGE_NAMES),
    "nul": (table("nul\0byte"), "", ["nul\0byte"]),
    "large_row": (
        encoded({"Rows": [{"Name": "One"}, {"Name": "Large", "A": "x" * (1 << 20)}]}),
        'Row "Large" has over 1 MiB',
        ["One"],
    ),
    "large_head": (
        encoded({"Defaults": {"A": "x" * (1 << 20)}, "Rows": [{"Name": "One"}]}),
        "has more than 1 MiB beside its Rows",
        None,
    ),
    "links": (
        encoded(
            {
                "Rows": [
                    {"Name": "None", "To": {"RowName": "None", "DataTableName": "D_good"}},
                    {"Name": "Odd", "To": {"RowName": ["x"], "DataTableName": {"y": 1}}},
                    {"Name": "Self", "To": {"RowName": "Self", "DataTableName": "D_links"}},
                    {"Name": "Text", "To": 'NSLOCTEXT("a", "b", "unfinished'},
                ]
            }
        ),
        "",
        ["None", "Odd", "Self", "Text"],
    ),
}
# Files of other names, and what the operator is told of each.
OTHERS = {
    "1/Strange %2e/D_100%.json": "",
    "1/and so on.../D_a b?c#d.json": "",
    "1/Ünï/D_🔥.json": "",
    "1/search/D_search.json": "",
    "1/Cat/notes.txt": None,
    "1/Cat/.hidden.json": None,
    "1/loose.json": "lies in no category and is left out",
    "1/.hidden/D_A.json": None,
    "1/Cat/Deep/D_A.json": "",
    "1/Cat/D_folder.json/D_A.json": "",
    "1/a/2/3/4/5/6/7/8/D_A.json": "",
    "1/b/2/3/4/5/6/7/8/9/D_A.json": "is more than 8 folders deep and is left out",
}


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    """One portal over all of it."""
    folder = tmp_path_factory.mktemp("bad")
    write(folder, {f"1/Cat/D_{name}.json": content for name, (content, _, _) in FILES.items()})
    write(folder, {name: table("One") for name in OTHERS})
    write(folder, {"2/Cat/D_good.json": table("One", "Three")})
    with CatalogPortal(tmp_path_factory.mktemp("portal"), folder) as running:
        yield running.ready("1", "2")


@pytest.fixture(scope="module")
def told(portal):
    """Path to what is said of it on the operator's page."""
    said = {}
    for path, sentence in portal.problems():
        said.setdefault(path, []).append(sentence)
    return said


@pytest.mark.parametrize("name", FILES)
def test_a_file(portal, told, name):
    _, sentence, rows = FILES[name]
    said = " ".join(told.get(f"1/Cat/D_{name}.json", []))
    assert (sentence in said) if sentence else not said
    assert portal.names("1", "Cat", f"D_{name}") == rows
    status, page = portal.get("1", "Cat", f"D_{name}")
    assert status == (404 if rows is None else 200)
    assert "<h1" in page


@pytest.mark.parametrize("path", OTHERS)
def test_a_file_elsewhere(portal, told, path):
    sentence = OTHERS[path]
    version, _, rest = path.removesuffix(".json").partition("/")
    segments = [version, *rest.rsplit("/", 1)]  # a deeper folder is a category of its own
    shown = portal.get(*segments)[0] == 200
    assert shown == (sentence == "")
    assert not sentence or sentence in portal.get("1")[1]  # what is left out is on the page too
    said = [each for known, each in told.items() if path.startswith(known)]
    assert bool(said) == bool(sentence)
    assert not sentence or sentence in said[0][0]


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_a_strange_name_has_a_page(portal, name):
    document = portal.json("1", "Cat", "D_strange", name) if name not in (".", "..") else None
    page = portal.get("1", "Cat", "D_strange")[1]
    assert "<script>alert" not in page
    if document is not None:
        assert document["Name"] == name
    else:
        assert portal.json("1", "Cat", "D_strange", row=name)["Name"] == name
    status, found = portal.get("search", q=name, version="1")
    assert status == 200
    assert "<script>alert" not in found


def test_every_link_of_the_table_of_strange_names_leads_to_its_row(portal):
    _, page = portal.get("1", "Cat", "D_strange")
    links = re.findall(r'href="(/catalog/1/Cat/D_strange[/?][^"]+)"', page)
    rows = [html.unescape(link) for link in links if "/D_strange/" in link or "row=" in link]
    assert len(set(rows)) == len(STRANGE_NAMES)
    for link in set(rows):
        assert portal.ask(link)[0] == 200, link


@pytest.mark.parametrize("form", ["html", "json", "csv"])
@pytest.mark.parametrize("name", [name for name, (_, _, rows) in FILES.items() if rows is not None])
def test_every_form_of_what_is_shown(portal, name, form):
    status, text = portal.get("1", "Cat", f"D_{name}", format=form)
    assert status == 200
    if form == "json":
        json.loads(text, parse_constant=pytest.fail)


def test_a_category_with_all_of_it(portal):
    for form in ("html", "json", "csv"):
        status, text = portal.get("1", "Cat", format=form)
        assert status == 200
        if form == "json":
            assert set(json.loads(text)) == {
                f"D_{name}" for name, (_, _, rows) in FILES.items() if rows is not None
            }


def test_the_comparison_and_the_past(portal):
    assert portal.get("diff", **{"from": "1", "to": "2"})[0] == 200
    for name, (_, _, rows) in FILES.items():
        if rows is not None:
            query = {"from": "1", "to": "2"}
            assert portal.get("diff", "Cat", f"D_{name}", **query)[0] == 200
    assert portal.get("history", "Cat", "D_good", "Two")[0] == 200
    assert portal.get("history", "Cat", "D_strange", "a/b")[0] == 200


def test_nothing_broke(portal):
    assert "Traceback" not in portal.said(), portal.said()
    assert portal.get("search", q="kind", version="1")[0] == 200
