"""Values of tables, names, addresses: pure functions, as tables of cases."""

import json

import pytest

from portal.catalog import addresses, cells
from portal.catalog.model import LinkTarget, TableEntry
from portal.catalog.naming import natural, near
from portal.catalog.values import (
    Reference,
    Text,
    canonical,
    compact,
    localized,
    plain,
    reference,
    references,
)
from portal.catalog.words import words

ENTRY = TableEntry(1, "Items", "D_Items", 1, 1, 1)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ('NSLOCTEXT("ns","key","Text")', Text("Text", "ns, key")),
        ('NSLOCTEXT("", "key", "Text")', Text("Text", "key")),
        (r'NSLOCTEXT("a","b","say \"hi\"\n(twice)")', Text('say "hi"\n(twice)', "a, b")),
        ('NSLOCTEXT("a","b","")', Text("", "a, b")),
        ('NSLOCTEXT("a","b","Größe 🐎")', Text("Größe 🐎", "a, b")),
        ('INVTEXT("42")', Text("42")),
        ('NSLOCTEXT("a","b")', None),
        ('see NSLOCTEXT("a","b","c")', None),
        ("NSLOCTEXT(", None),
        (12, None),
        (None, None),
    ],
)
def test_texts(value, found):
    assert localized(value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"RowName": "Rope", "DataTableName": "D_Items"}, ("D_Items", "Rope")),
        ({"RowName": "Rope", "DataTableName": "/Game/Data/D_Items.D_Items"}, ("D_Items", "Rope")),
        ({"RowName": "None", "DataTableName": "D_Items"}, None),
        ({"RowName": "", "DataTableName": "D_Items"}, None),
        ({"RowName": "Rope", "DataTableName": "None"}, None),
        ({"RowName": "Rope"}, None),
        ({"RowName": 3, "DataTableName": "D_Items"}, None),
        ({"RowName": "Rope", "DataTableName": "/"}, None),
        ("Rope", None),
    ],
)
def test_references(value, found):
    assert reference(value) == (found and Reference(*found))


def test_references_are_found_however_deep():
    one, two = link("A", "x"), link("B", "y")
    assert [each.row for each in references({"a": [{"b": one}, [two]], "c": 1})] == ["x", "y"]


def link(table, row):
    return {"RowName": row, "DataTableName": table}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "true"),
        (1, "1"),
        (1.0, "1.0"),
        ("plain", "plain"),
        ('NSLOCTEXT("a","b","Text")', "Text"),
        (link("D_Items", "Rope"), "Rope"),
        ([1, "a", link("D_Items", "Rope")], "1, a, Rope"),
        ({"Day": 60, "In": {"Snow": False}}, "Day: 60, In: Snow: false"),
        ([], ""),
        ({"To": link("D_Items", "None"), "Not": link("None", "")}, "To: None, Not: None"),
        ({**link("D_Items", "None"), "Rank": 1}, "RowName: None, DataTableName: D_Items, Rank: 1"),
    ],
)
def test_values_on_one_line(value, shown):
    assert plain(value) == shown


def test_equal_values_have_one_form():
    assert canonical({"b": 1, "a": [1.0]}) == canonical({"a": [1.0], "b": 1})
    assert canonical(1) != canonical(1.0) != canonical(True)


def test_half_of_a_surrogate_pair_survives_as_json():
    body = compact({"Name": "\ud800"})
    assert json.loads(body) == {"Name": "\ud800"}
    body.encode()


def test_natural_order():
    names = ["1.10", "2.0", "1.9", "1.9b", "10", "v1", "1.09", "Ä", "1.9-rc1", "²"]
    ordered = sorted(names, key=natural)
    assert ordered.index("1.9") < ordered.index("1.10") < ordered.index("2.0") < ordered.index("10")
    assert len({natural(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("asked", "first"),
    [("Drift_Hair", "Drift_Hare"), ("drift_hare", "Drift_Hare"), ("Hare", "Drift_Hare")],
)
def test_names_that_are_near(asked, first):
    names = [*(f"Other_{number}" for number in range(2000)), "Drift_Hare", "Drift_Hut"]
    assert near(asked, names, lambda name: f"/{name}")[0] == (first, f"/{first}")


def test_nothing_is_near_to_nonsense():
    assert near("qqqqqqqqqqqq", ["Drift_Hare"], str) == ()


@pytest.mark.parametrize(
    ("made", "path"),
    [
        (addresses.address("1.9"), "/catalog/1.9"),
        (addresses.address("1.9", "A b"), "/catalog/1.9/A%20b"),
        (addresses.address("1.9", "A", "50%/x"), "/catalog/1.9/A/50%25%2Fx"),
        (addresses.address("1.9", "A", "T", "a/b?c#d"), "/catalog/1.9/A/T/a%2Fb%3Fc%23d"),
        (addresses.address("1.9", "A", "T", ".."), "/catalog/1.9/A/T?row=.."),
        (addresses.address("1.9", "A", "T", "Größe"), "/catalog/1.9/A/T/Gr%C3%B6%C3%9Fe"),
        (addresses.diff("1", "2"), "/catalog/diff?from=1&to=2"),
        (
            addresses.diff("1", "2", "A", "T", kind="added"),
            "/catalog/diff/A/T?from=1&to=2&kind=added",
        ),
        (addresses.diff("1", "2", kind=""), "/catalog/diff?from=1&to=2"),
        (addresses.history("A", "T", "."), "/catalog/history/A/T?row=."),
        (addresses.search(q="a&b", version="1"), "/catalog/search?q=a%26b&version=1"),
    ],
)
def test_addresses(made, path):
    assert made == path


def test_a_row_is_found_by_its_texts_and_values_and_the_parts_of_its_name():
    body = {"Name": "DriftHare2", "Title": 'NSLOCTEXT("secret","key","White hare")', "Is": True}
    found = words("DriftHare2", body | {"Near": link("D_Places", "SeaShore"), "At": {"Deep": 40.5}})
    assert "Drift Hare 2" in found.name
    assert found.title == "White hare"
    assert "Sea Shore" in found.value
    assert "40.5" in found.value
    assert words("X", {"Near": link("D_Places", "None"), "Is": None}).value == ""
    assert not any("secret" in column or "true" in column for column in found)


@pytest.mark.parametrize(
    ("value", "html"),
    [
        ("<b>", "&lt;b&gt;"),
        ('NSLOCTEXT("a","<k>","<t>")', '<span title="a, &lt;k&gt;">&lt;t&gt;</span>'),
        (
            link("D_Items", "a/b"),
            '<a href="/catalog/1/Items/D_Items/a%2Fb" title="D_Items">a/b</a>',
        ),
        (link("D_None", "<x>"), '&lt;x&gt; <span class="lost">(not in D_None)</span>'),
        ({"<k>": ["<v>"]}, "&lt;k&gt;: &lt;v&gt;"),
        ("x" * 200, "x" * cells.SHORT + "…"),
        (None, '<span class="quiet">null</span>'),
        (link("D_Items", "None"), '<span class="quiet">None</span>'),
    ],
)
def test_cells_are_escaped(value, html):
    links = {Reference("D_Items", "a/b"): LinkTarget(ENTRY, "a/b", "")}
    assert str(cells.cell(value, links, "1")) == html
    assert "<x>" not in cells.full(value, links, "1")
    assert "<v>" not in cells.full(value, links, "1")


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("CraftSeconds", 30, "30\N{NO-BREAK SPACE}s"),
        ("HealPercent", 2.5, "2.5\N{NO-BREAK SPACE}%"),
        ("Seconds", 12000, "12,000\N{NO-BREAK SPACE}s"),
        ("Items", 3, "3"),  # a word that only ends in the letters of a unit
        ("Weight", 1.5, "1.5"),
    ],
)
def test_a_number_has_the_unit_that_its_field_names(field, value, shown):
    assert str(cells.full(value, {}, "1", field)) == shown


def test_a_recipe_is_a_list_of_amounts_and_a_list_of_objects_a_table():
    links = {Reference("D_Items", "Rope"): LinkTarget(ENTRY, "Rope", "Long rope")}
    rope = link("D_Items", "Rope")
    shown = str(cells.full([{"Element": rope, "Count": 2}], links, "1"))
    assert "<span class=amount>2 ×</span> <a href=" in shown
    assert 'title="D_Items: Rope">Long rope</a>' in shown
    table = str(cells.full([{"At": 1, "<b>": "<x>"}, {"At": 2, "To": rope}], links, "1"))
    assert '<th scope="col">&lt;b&gt;</th>' in table
    assert table.count("<tr>") == 3
    assert "<x>" not in table
