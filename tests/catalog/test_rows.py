"""Rows and lists of them: order, columns, what refers to what."""

import pytest

from portal.catalog import rows
from portal.catalog.listing import COLUMNS, TableQuery, table_page
from portal.catalog.rows import row_page
from portal.catalog.values import Reference
from tests.support.catalog.tables import TableSet, document, link, text

VALUES = [
    *(("text", "ten"), ("number", 9), ("negative", -1.5), ("huge", 10**400), ("empty", "")),
    *(("none", None), ("list", ["a"]), ("nothing", []), ("shown", text("s", "Also"))),
]
SORTED = [
    "empty",
    "none",
    "nothing",
    "plain",
    "negative",
    "number",
    "huge",
    "list",
    "shown",
    "text",
]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    made = TableSet(tmp_path_factory.mktemp("tables"))
    mixed = document(*((name, {"v": value}) for name, value in VALUES), ("plain", {}))
    twice = document(("both", {}), ("first", {}))
    wide = document(*((f"r{n}", {f"f{m}": 1 for m in range(n, 9)}) for n in range(9)))
    wide["Defaults"] = {"f8": 0, "f0": 0, "Rare": 0}
    links = [link("Twice", name) for name in ("both", "first", "second", "none")]
    made.put("1", A__Mixed=mixed, A__Twice=twice, B__Twice=document(("both", {}), ("second", {})))
    made.put("1", C__Wide=wide, C__Links=document(("all", {"To": links}), Defaults={"To": []}))
    many = document(*((f"r{number}", {"To": link("Links", "all")}) for number in range(9)))
    return made.put("1", C__Many=many).run()


def entry(catalog, path):
    dataset = catalog.dataset(catalog.version(None))
    return next(each for each in dataset.entries if each.path == path)


def page(tables, path, name):
    return tables.read(lambda c: row_page(c, None, *path.split("/"), name))


@pytest.mark.parametrize("descending", [False, True])
def test_nothing_comes_before_numbers_and_numbers_before_texts(tables, descending):
    query = TableQuery(sort="v", descending=descending)
    names = [i.name for i in tables.read(lambda c: table_page(c, entry(c, "A/Mixed"), query)).items]
    ranks = [SORTED.index(name) for name in names]
    nothing, rest = (ranks[-4:], ranks[:-4]) if descending else (ranks[:4], ranks[4:])
    assert sorted(nothing) == [0, 1, 2, 3]  # these are equal, and stay as they were
    assert rest == sorted(rest, reverse=descending)


def test_the_columns_that_most_rows_fill_are_shown_in_the_order_of_the_table(tables):
    shown = tables.read(lambda c: table_page(c, entry(c, "C/Wide"), TableQuery())).columns
    assert list(shown) == ["f8", *(f"f{number}" for number in range(9 - COLUMNS, 8))]
    chosen = TableQuery(columns=("Rare", "none", "f1"))
    shown = tables.read(lambda c: table_page(c, entry(c, "C/Wide"), chosen)).columns
    assert list(shown) == ["Rare", "f1"]


def test_a_reference_leads_to_the_first_table_of_that_name_that_has_the_row(tables):
    links = page(tables, "C/Links", "all").links
    paths = {name: links.get(Reference("Twice", name)) for name in ("both", "first", "second")}
    assert {name: each.entry.path for name, each in paths.items()} == {
        "both": "A/Twice",
        "first": "A/Twice",
        "second": "B/Twice",
    }
    assert Reference("Twice", "none") not in links


def test_the_first_rows_that_refer_to_a_row_are_named_and_all_are_counted(tables, monkeypatch):
    monkeypatch.setattr(rows, "REFERRERS", 4)
    found = page(tables, "C/Links", "all")
    assert (len(found.referrers), found.referrer_count) == (4, 9)
    assert {each.entry.path for each in found.referrers} == {"C/Many"}


@pytest.mark.parametrize(
    ("name", "own", "usual"), [("r0", True, False), ("r8", False, True), ("r1", False, True)]
)
def test_a_row_tells_its_own_values_from_the_tables(tables, name, own, usual):
    (field,) = [each for each in page(tables, "C/Wide", name).fields if each.name == "f0"]
    assert (field.own, field.usual, field.value) == (own, usual, int(own))
