"""Searching: what is typed is never an error, what is found comes in a useful order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.catalog import search
from portal.catalog.queries import LONGEST, marked, parse
from tests.support.catalog.tables import TableSet, document, link, text

TYPED = [
    *("", " ", '"', '""', '"open', 'a "b', "-", "--", "-a", "a -", ":", "a:b", "name:x", "*", "a*"),
    *(
        "^a",
        "a^2",
        "NEAR",
        "NEAR(a b)",
        "a AND",
        "OR",
        "NOT a",
        "(a",
        "a)",
        "{name}: a",
        "+a",
        "a+b",
    ),
    *(
        "🐎",
        "a 🐎",
        "\0",
        "a\0b",
        "%",
        "_",
        "'",
        "a'b",
        "';--",
        "größe",
        "東京",
        "\u202e",
        "a" * 500,
    ),
    " ".join("abcdefghijklmnopqrstuvwxyz"),
]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    creatures = document(
        ("Drift_Hare", {"Title": text("h", "Drift hare"), "Home": link("D_Places", "Tundra")}),
        ("HoarFox", {"Title": text("f", "Hoarfox"), "Text": text("f2", "Eats a hare, if it can")}),
        ("Moth", {"Title": text("m", "Lantern moth 🐎"), "Health": 13500, "Tags": ["hares"]}),
        ("Hare", {"Title": text("x", "Just that")}),
    )
    places = document(("Tundra", {"Title": text("t", "Größe")}), ("Hare_Hill", {}))
    made = TableSet(tmp_path_factory.mktemp("tables"))
    made.put("1", Creatures__D_Creatures=creatures, Places__D_Places=places)
    old = document(("Old_Hare", {"Title": text("o", "Only then")}))
    return made.put("0", Creatures__D_Creatures=old).run()


def found(tables, typed, category="", page=1, version=None):
    def work(catalog):
        dataset = catalog.dataset(catalog.version(version))
        return search.search(catalog, dataset, parse(typed), category, page)

    return tables.read(work)


def names(result):
    return [hit.name for group in result.groups for hit in group.hits]


@pytest.mark.parametrize("typed", TYPED)
def test_whatever_is_typed_is_answered(tables, typed):
    found(tables, typed)


@settings(max_examples=150, deadline=None)
@given(
    st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from('"-*:() ^{}+')), max_size=40)
)
def test_whatever_could_be_typed_is_answered(tables, typed):
    found(tables, typed)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("moth", {"Moth"}),
        ("MOTH", {"Moth"}),
        ("lant", {"Moth"}),
        ("drift hare", {"Drift_Hare"}),
        ('"lantern moth"', {"Moth"}),
        ('"moth lantern"', set()),
        ("hare -fox", {"Drift_Hare", "Hare", "Hare_Hill", "Moth"}),
        ("fox", {"HoarFox"}),
        ("13500", {"Moth"}),
        ("grosse", set()),
        ("größe", {"Tundra"}),
        ("grö", {"Tundra"}),
        ("gro", {"Tundra"}),
        ("tundra", {"Tundra", "Drift_Hare"}),
        ("🐎", {"Moth"}),
        ("nothing", set()),
        ("Drift_Hare", {"Drift_Hare"}),
        ("Title", set()),
        ("old", set()),
    ],
)
def test_what_is_found(tables, typed, expected):
    result = found(tables, typed)
    assert set(names(result)) == expected
    assert result.total == len(expected) == sum(result.counts.values())


def test_another_version_has_other_rows(tables):
    assert names(found(tables, "hare", version="0")) == ["Old_Hare"]


def test_the_row_of_that_name_is_first_and_names_go_before_texts(tables):
    order = names(found(tables, "hare"))
    assert order[0] == "Hare"
    assert order.index("Drift_Hare") < order.index("HoarFox")


def test_results_are_grouped_by_category_with_counts(tables):
    result = found(tables, "hare")
    assert result.counts == {"Creatures": 4, "Places": 1}
    assert [(group.category, group.total) for group in result.groups] == list(result.counts.items())
    one = found(tables, "hare", category="Places")
    assert names(one) == ["Hare_Hill"]
    assert one.total == 5


def test_tables_are_found_by_their_name(tables):
    assert [entry.path for entry in found(tables, "places").tables] == ["Places/D_Places"]


def test_many_results_come_in_pages_and_common_words_are_ranked_by_name(tmp_path, monkeypatch):
    rows = [(f"Row_{number}", {"Text": text("t", "common words")}) for number in range(120)]
    rows.append(("Common", {}))
    tables = TableSet(tmp_path).put("1", A__T=document(*rows)).run()
    monkeypatch.setattr(search, "RANKED", 10)
    assert names(found(tables, "common"))[0] == "Common"
    pages = [names(found(tables, "common", "A", page)) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [50, 50, 21]
    assert len({name for page in pages for name in page}) == 121
    assert found(tables, "common", "A").pages == 3


@pytest.mark.parametrize(
    ("typed", "shown", "marks"),
    [
        ("hare", "Drift_Hare and hares", ["Hare", "hares"]),
        ('"hare"', "hare and hares", ["hare"]),
        ("fox", "HoarFox", ["Fox"]),
        ("gro", "Größe", ["Größe"]),
        ("🐎", "a 🐎 b", ["🐎"]),
        ("b", "<b>", ["b"]),
    ],
)
def test_what_matches_is_marked(typed, shown, marks):
    pieces = marked(parse(typed), shown)
    assert [piece for piece, mark in pieces if mark] == marks
    assert "".join(piece for piece, _ in pieces) == shown


def test_excerpts_are_short_and_hold_what_matches(tmp_path):
    long = f"{'before ' * 100}needle {'after ' * 100}"
    body = {"Title": text("t", "A title"), "Text": text("x", long)}
    tables = TableSet(tmp_path).put("1", A__T=document(("Row", body))).run()
    ((hit,),) = [group.hits for group in found(tables, "needle").groups]
    title, excerpt = hit.excerpts
    assert title.pieces == [("A title", False)]
    assert ("needle", True) in excerpt.pieces
    assert len("".join(piece for piece, _ in excerpt.pieces)) < 400


def test_excerpts_of_a_row_without_texts_are_few(tmp_path):
    body = {f"Field{number}": f"needle {number}" for number in range(9)}
    tables = TableSet(tmp_path).put("1", A__T=document(("Row", body))).run()
    ((hit,),) = [group.hits for group in found(tables, "needle").groups]
    assert [each.field for each in hit.excerpts] == ["Field0", "Field1", "Field2"]


def test_a_long_query_is_cut():
    assert len(parse("x" * 1000).typed) == LONGEST
