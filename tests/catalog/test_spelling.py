"""Search as players type: exact titles first, names before bodies, and what was nearly typed."""

import pytest

from portal.catalog.queries import parse
from portal.catalog.search import find, search
from tests.support.catalog.tables import TableSet, document, text

ROWS = {
    "Item_Refined_Metal": {"DisplayName": text("a", "Iron Ingot")},
    "Item_Plate": {"DisplayName": text("b", "Iron Ingot Plate")},
    "Item_Fridge": {"DisplayName": text("c", "Refrigerator")},
    "Iron_Door_Ingot": {"Note": "Iron Ingot, Iron Ingot, Iron Ingot"},
    "Manual": {"Note": text("d", "An iron ingot is made of iron ore. Iron ingot! Iron ingot.")},
    "Rope": {},
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    made = TableSet(tmp_path_factory.mktemp("tables"))
    return made.put("1", T__D_Items=document(*ROWS.items())).run()


def found(tables, typed):
    def work(catalog):
        dataset = catalog.dataset(catalog.version(None))
        rows = find(catalog, dataset, parse(typed))
        return [item.name for item in catalog.items(rows)]

    return tables.read(work)


@pytest.mark.parametrize("typed", ["Iron Ingot", "iron ingot", "IRON INGOT"])
def test_the_row_of_that_title_is_first_and_bodies_are_last(tables, typed):
    names = found(tables, typed)
    assert names[0] == "Item_Refined_Metal"
    assert set(names[1:3]) == {"Item_Plate", "Iron_Door_Ingot"}
    assert names[3:] == ["Manual"]


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("refigerator", "Refrigerator"),
        ("refridgerator", "Refrigerator"),
        ("iron ingt", "Iron Ingot"),
        ("ironingot", "Iron Ingot"),
        ("Iorn Ingot", "Iron Ingot"),
        ("ropee", "Rope"),
        ("item refined metl", "Iron Ingot"),
    ],
)
def test_what_was_nearly_typed_is_offered_and_counts_as_nothing(tables, typed, label):
    def work(catalog):
        return search(catalog, catalog.dataset(catalog.version(None)), parse(typed), "", 1)

    result = tables.read(work)
    assert result.total == 0
    assert result.near[0].label == label


@pytest.mark.parametrize("typed", ["qzxqzx", "x", '"', "NEAR(", "- : *", "🔥"])
def test_what_is_near_to_nothing_offers_nothing(tables, typed):
    def work(catalog):
        return search(catalog, catalog.dataset(catalog.version(None)), parse(typed), "", 1)

    assert tables.read(work).near == []
