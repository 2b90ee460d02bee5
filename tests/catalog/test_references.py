"""References by Defaults: found both ways, compared merged, and said where they lead nowhere."""

import pytest

from portal.catalog.cells import full
from portal.catalog.diffs import changed_tables, table_diff
from portal.catalog.history import row_history
from portal.catalog.rows import row_page
from portal.catalog.values import references
from tests.support.catalog.tables import TableSet, document, link

NONE = {"RowName": "None", "DataTableName": "D_Itemable"}
ITEMABLE = document(("Item_Rope", {"DisplayName": "Rope"}), ("Item_Oar", {}), ("Nobody", {}))
DEFAULTS = {"Itemable": NONE, "Deep": {"In": {"Handle": NONE, "Rank": 1}}, "Slots": [], "Map": {}}
ROWS = {
    "ByDefault": {"Itemable": {"RowName": "Item_Rope"}},
    "Deeper": {"Deep": {"In": {"Handle": {"RowName": "Item_Rope"}}}},
    "InList": {"Slots": [{"Element": link("D_Itemable", "Item_Rope"), "Count": 2}]},
    "InMap": {"Map": {"one": link("D_Itemable", "Item_Rope")}},
    "AsKey": {"Map": {'(RowName="Item_Rope",DataTableName="D_Itemable")': 3}},
    "OtherCase": {"Itemable": {"RowName": "ITEM_rope"}},
    "Whole": {"Itemable": link("d_itemable", "Item_Rope")},
    "WithMore": {"Itemable": {"RowName": "Item_Rope", "Also": link("D_Itemable", "Item_Oar")}},
    "Lost": {"Itemable": {"RowName": "Item_Gone"}},
    "NoTable": {"Free": {"RowName": "Item_Rope"}},
    "Plain": {},
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    made = TableSet(tmp_path_factory.mktemp("tables"))
    made.put(
        "1", Items__D_Static=document(*ROWS.items(), Defaults=DEFAULTS), T__D_Itemable=ITEMABLE
    )
    # The default refers to a row now, so every row without its own handle does.
    later = DEFAULTS | {"Itemable": link("D_Itemable", "Item_Oar")}
    made.put("2", Items__D_Static=document(*ROWS.items(), Defaults=later), T__D_Itemable=ITEMABLE)
    return made.run()


def referrers(tables, version, name, path=("T", "D_Itemable")):
    page = tables.read(lambda catalog: row_page(catalog, version, *path, name))
    assert page.referrer_count == len(page.referrers)
    return {each.name for each in page.referrers}


LINKED = set(ROWS) - {"Lost", "NoTable", "Plain"}


def test_a_row_knows_all_that_refer_to_it(tables):
    assert referrers(tables, "1", "Item_Rope") == LINKED
    assert referrers(tables, "1", "Item_Oar") == {"WithMore"}
    assert referrers(tables, "1", "Nobody") == set()


def test_a_default_that_refers_to_a_row_counts_for_each_row_that_has_no_other(tables):
    own = {"ByDefault", "OtherCase", "Whole", "Lost", "WithMore"}
    assert referrers(tables, "2", "Item_Oar") == (set(ROWS) - own) | {"WithMore"}
    assert referrers(tables, "2", "Item_Rope") == LINKED


@pytest.mark.parametrize("name", sorted(LINKED))
def test_the_row_that_refers_links_to_it(tables, name):
    page = tables.read(lambda catalog: row_page(catalog, "1", "Items", "D_Static", name))
    found = [page.links[each].name for each in references([f.value for f in page.fields])]
    assert "Item_Rope" in found
    shown = "".join(str(full(f.value, page.links, "1")) for f in page.fields)
    assert 'href="/catalog/1/T/D_Itemable/Item_Rope"' in shown
    assert "lost" not in shown


@pytest.mark.parametrize(
    ("name", "said"), [("Lost", "(not in D_Itemable)"), ("NoTable", "(of no named table)")]
)
def test_a_reference_that_leads_nowhere_says_so(tables, name, said):
    page = tables.read(lambda catalog: row_page(catalog, "1", "Items", "D_Static", name))
    assert said in "".join(str(full(f.value, page.links, "1")) for f in page.fields)


def test_a_name_in_another_case_is_another_row_where_there_is_one(tmp_path):
    both = document(("axe", {}), ("Axe", {}))
    users = document(("lower", {"To": link("T", "axe")}), ("other", {"To": link("T", "AXE")}))
    made = TableSet(tmp_path).put("1", A__T=both, A__Users=users).run()
    assert referrers(made, "1", "axe", ("A", "T")) >= {"lower"}
    assert "lower" not in referrers(made, "1", "Axe", ("A", "T"))


def test_a_comparison_says_when_only_a_default_changed(tables):
    def work(catalog):
        old, new = (catalog.dataset(catalog.version(name)) for name in ("1", "2"))
        (change,) = changed_tables(catalog, old, new)
        diff = table_diff(catalog, change.old, change.new, "default", 1)
        return change, diff

    change, diff = tables.read(work)
    count = len(ROWS) - 5  # five have a handle of their own
    assert change.counts == {"added": 0, "removed": 0, "changed": 0, "default": count}
    assert diff.total == count
    plain = next(row for row in diff.rows if row.name == "Plain")
    (field,) = plain.fields
    assert (plain.kind, field.path) == ("default", "Itemable")
    assert (field.old.value["RowName"], field.new.value["RowName"]) == ("None", "Item_Oar")
    assert not field.new.own


def test_a_history_says_when_only_a_default_changed(tables):
    steps = tables.read(lambda catalog: row_history(catalog, "Items", "D_Static", "Plain"))
    assert [step.change.kind if step.change else "" for step in steps] == ["default", ""]
    steps = tables.read(lambda catalog: row_history(catalog, "Items", "D_Static", "ByDefault"))
    assert len(steps) == 1


def test_no_value_that_stands_by_default_is_said_to_be_gone(tmp_path):
    """The two files of a real week that made half of a comparison's lines untrue, in small."""
    made = TableSet(tmp_path)
    for version, rows in (("1", {}), ("2", {"Itemable": {"RowName": "Item_Oar"}})):
        static = document(("Door", rows), Defaults={"Itemable": NONE})
        made.put(version, Items__D_Static=static, T__D_Itemable=ITEMABLE)
    made.run()

    def work(catalog):
        old, new = (catalog.dataset(catalog.version(name)) for name in ("1", "2"))
        (change,) = changed_tables(catalog, old, new)
        return table_diff(catalog, change.old, change.new, "", 1).rows

    ((field,),) = [row.fields for row in made.read(work)]
    assert (field.path, field.old.value, field.new.value) == (
        "Itemable",
        NONE,
        link("D_Itemable", "Item_Oar"),
    )
    assert field.old.there
    assert field.new.there
