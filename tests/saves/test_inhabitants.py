"""Animals and inventories of a world: listed, never in the way of reading or editing."""

import pytest

from portal import saves
from tests.support.saves import (
    closed,
    integer,
    octets,
    payload,
    prospect_json,
    recorder,
    row,
    structures,
    text,
)


def inventory(*items):
    slots = [closed(integer("Location", n), row("ItemStaticData", item)) for n, item in
             enumerate(items)]  # fmt: skip
    element = closed(structures("Slots", "InventorySlotSaveData", slots), integer("InventoryID", 1))
    return structures("SavedInventories", "InventorySaveData", [element])


HORSE = recorder(
    "IcarusMountCharacterRecorderComponent",
    text("MountName", "Clover"),
    text("OwnerName", "Ada"),
    row("AISetupRowName", "Mount_Horse"),
    integer("Experience", 13_500),
    integer("Sex", 2),
    inventory("Metal_Ore", "None"),
)
CHEST = recorder("DeployableRecorderComponent", inventory("Rope", "Metal_Ore", "Rope"))
EMPTY = recorder("DeployableRecorderComponent", inventory("None"))
BROKEN = closed(
    text("ComponentClassName", "/Script/Icarus.DeployableRecorderComponent"),
    octets("BinaryData", b"\7\0\0\0SavedInventories\0" * 3),
)


def test_animals_and_inventories_are_listed():
    world = prospect_json(payload([HORSE, CHEST, EMPTY, BROKEN]))
    description = saves.describe("prospects", world)
    assert description["animals"] == [
        {
            "name": "Clover",
            "species": "Mount_Horse",
            "owner": "Ada",
            "experience": 13_500,
            "sex": 2,
        }
    ]
    assert description["inventories"] == [
        {"of": "Clover", "items": [{"item": "Metal_Ore", "slots": 1}]},
        {
            "of": "DeployableRecorderComponent",
            "items": [{"item": "Rope", "slots": 2}, {"item": "Metal_Ore", "slots": 1}],
        },
    ]


def test_they_stay_as_they_are():
    more = [HORSE, CHEST, BROKEN]
    edit = {"edit": "hardcore", "hardcore": True}
    written = saves.change("prospects", prospect_json(payload(more)), [edit])
    assert written.content == prospect_json(payload(more, hardcore=True), hardcore=True)


@pytest.mark.parametrize("count", [301])
def test_no_more_are_listed_than_a_page_can_show(count):
    world = prospect_json(payload([HORSE, CHEST] * count))
    description = saves.describe("prospects", world)
    assert len(description["animals"]) == len(description["inventories"]) == 300
