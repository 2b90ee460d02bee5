"""What differs between versions, and a row through all of them."""

import pytest

from portal.catalog.diffs import Side, changed_tables, field_changes, table_diff
from portal.catalog.history import row_history
from portal.errors import NotFound
from tests.support.catalog.tables import TableSet, document, link

DEFAULTS = {"Health": 10, "Sight": {"Day": 60, "Night": 15}}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    made = TableSet(tmp_path_factory.mktemp("tables"))
    made.put(
        "1",
        A__Same=document(("x", {})),
        A__Gone=document(("x", {}), ("y", {})),
        A__Moved=document(("x", {"a": 1}), ("y", {})),
        A__Settings={"Defaults": {"Gravity": 1}},
        B__Rows=document(
            ("Kept", {"Health": 5}),
            ("Own", {"Health": 12, "Sight": {"Day": 1, "Night": 2}}),
            ("Removed", {}),
            Defaults=DEFAULTS,
        ),
    )
    made.put(
        "2",
        A__Same=document(("x", {})),
        A__New=document(("x", {})),
        A__Moved=document(("y", {}), ("x", {"a": 1})),
        A__Settings={"Defaults": {"Gravity": 2}},
        B__Rows=document(
            ("Added", {"To": link("Same", "x")}),
            ("Kept", {"Health": 5}),
            ("Own", {"Sight": {"Day": 3, "Night": 2}}),
            Defaults=DEFAULTS | {"Health": 12},
        ),
    )
    made.put("3", B__Rows=document(("Kept", {"Health": 6}), Defaults=DEFAULTS | {"Health": 12}))
    made.put("4", B__Rows=document(("Kept", {"Health": 6}), Defaults=DEFAULTS))
    return made.run()


def changes(tables, old, new):
    def work(catalog):
        datasets = (catalog.dataset(catalog.version(name)) for name in (old, new))
        return changed_tables(catalog, *datasets)

    return {
        change.entry.path: (*change.counts.values(), change.head) for change in tables.read(work)
    }


def test_only_tables_that_differ_are_there_with_their_counts(tables):
    assert changes(tables, "1", "2") == {
        "A/Gone": (0, 2, 0, 0, False),
        "A/New": (1, 0, 0, 0, False),
        "A/Settings": (0, 0, 0, 0, True),
        "B/Rows": (1, 1, 1, 0, True),
    }


def test_tables_that_differ_come_in_natural_order(tmp_path):
    made = TableSet(tmp_path)
    for version in ("1", "2"):
        row = document(("x", {"v": version}))
        made.put(version, B10__A=row, B9__T10=row, B9__T9=row)
    made.put("1", B9__U=row).put("2", B9__S=row).run()
    assert list(changes(made, "1", "2")) == ["B9/S", "B9/T9", "B9/T10", "B9/U", "B10/A"]


def test_the_other_way_round_added_is_removed(tables):
    forth, back = changes(tables, "1", "2"), changes(tables, "2", "1")
    assert {path: (b, a, *rest) for path, (a, b, *rest) in back.items()} == forth


def test_a_version_does_not_differ_from_itself(tables):
    assert changes(tables, "2", "2") == {}


def rows(tables, kind="", page=1, old="1", new="2"):
    def work(catalog):
        entries = (
            next(iter(catalog.dataset(catalog.version(name)).by_name["rows"]))
            for name in (old, new)
        )
        return table_diff(catalog, *entries, kind, page)

    return tables.read(work)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("", ["Own", "Added", "Removed"]),
        ("added", ["Added"]),
        ("removed", ["Removed"]),
        ("changed", ["Own"]),
    ],
)
def test_rows_by_kind(tables, kind, names):
    diff = rows(tables, kind)
    assert [row.name for row in diff.rows] == names
    assert diff.total == len(names)


def test_old_and_new_field_by_field(tables):
    diff = rows(tables, "changed")
    fields = {each.path: each for each in diff.rows[0].fields}
    # What did not change is not there, nor a value that was its own and is the default now.
    assert set(fields) == {"Sight.Day"}
    assert fields["Sight.Day"].old.value == 1
    assert fields["Sight.Day"].new.value == 3


def test_changed_defaults_are_shown_once(tables):
    diff = rows(tables)
    assert [(each.path, each.old.value, each.new.value) for each in diff.head] == [
        ("Defaults.Health", 10, 12)
    ]


def test_a_table_that_gets_its_first_defaults_shows_them(tmp_path):
    tables = TableSet(tmp_path).put("1", B__Rows={"Rows": [{"Name": "x"}]})
    tables.put("2", B__Rows={"Defaults": {"Health": 3}, "Rows": [{"Name": "x"}]}).run()
    assert changes(tables, "1", "2") == {"B/Rows": (0, 0, 0, 1, True)}
    for old, new in (("1", "2"), ("2", "1")):
        assert [each.path for each in rows(tables, old=old, new=new).head] == ["Defaults"]


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"b": 1}, ["p.a", "p.b"]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, ["p.a.b.c"]),
        ([1, 2], [2, 1], ["p"]),
        ({"a": 1}, [1], ["p"]),
        (link("T", "a"), link("T", "b"), ["p"]),
        ({"RowName": "a", "Rank": 1}, {"RowName": "a", "Rank": 2}, ["p.Rank"]),
        (1, 1.0, ["p"]),
        (None, "", ["p"]),
    ],
)
def test_which_parts_of_a_value_differ(old, new, paths):
    found = field_changes("p", Side(old, True), Side(new, True))
    assert [each.path for each in found] == paths


def test_many_changes_come_in_pages(tmp_path):
    many = [(f"r{number}", {"v": 1}) for number in range(120)]
    tables = TableSet(tmp_path)
    tables.put("1", B__Rows=document()).put("2", B__Rows=document(*many)).run()
    sizes = [len(rows(tables, page=page).rows) for page in (1, 2, 3)]
    assert sizes == [50, 50, 20]
    assert rows(tables, page=99).page == 3


def steps(tables, name):
    found = tables.read(lambda catalog: row_history(catalog, "B", "Rows", name))
    return [
        (step.version.name, step.until.name, step.change.kind if step.change else "", step.there)
        for step in found
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Kept", [("3", "4", "changed", True), ("1", "2", "", True)]),
        ("Removed", [("2", "4", "removed", False), ("1", "1", "", True)]),
        ("Added", [("3", "4", "removed", False), ("2", "2", "added", True)]),
    ],
)
def test_a_row_through_all_versions(tables, name, expected):
    assert steps(tables, name) == expected


def test_a_value_that_only_moves_into_the_defaults_is_no_change(tables):
    found = tables.read(lambda catalog: row_history(catalog, "B", "Rows", "Own"))
    changed = next(step for step in found if step.version.name == "2")
    assert {each.path for each in changed.change.fields} == {"Sight.Day"}


def test_a_row_that_changes_only_by_its_default_has_a_step_of_it(tmp_path):
    made = TableSet(tmp_path)
    for version, health in (("1", 10), ("2", 10), ("3", 12)):
        made.put(version, B__Rows=document(("Plain", {}), Defaults={"Health": health}))
    made.run()
    assert steps(made, "Plain") == [("3", "3", "default", True), ("1", "2", "", True)]
    new, _ = made.read(lambda catalog: row_history(catalog, "B", "Rows", "Plain"))
    assert [(each.path, each.new.value, each.new.own) for each in new.change.fields] == [
        ("Health", 12, False)
    ]


def test_the_history_of_no_row_says_what_is_near(tables):
    with pytest.raises(NotFound) as caught:
        steps(tables, "Kepp")
    assert caught.value.near[0].name == "Kept"
    assert caught.value.near[0].address == "/catalog/history/B/Rows/Kept"
