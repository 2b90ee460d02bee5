"""Animals that stand in a world, and what lies in its inventories: for reading only.

Animals are records of classes such as `IcarusMountCharacterRecorderComponent` with a `MountName`;
inventories are `SavedInventories[{Slots[{ItemStaticData}]}]` of any record. What cannot be read is
left out: nothing here is edited, so no fault in it keeps a world from being opened.
"""

from collections import Counter
from collections.abc import Iterator

from portal.jsontypes import JSON, JSONObject
from portal.saves.errors import SaveError
from portal.saves.tags import Properties, read_structs
from portal.saves.values import read_integer, read_text
from portal.saves.world import World

MAX_ANIMALS = 300
MAX_INVENTORIES = 300
MAX_KINDS = 200  # of items in one inventory
_MAX_ELEMENTS = 2000
_CHARACTER = "CharacterRecorderComponent"
_INVENTORIES = "SavedInventories"


def describe_animals(world: World) -> list[JSON]:
    """`{"name", "species", "owner", "experience", "sex"}` of each tame animal of the world."""
    found: list[JSON] = []
    for _, record in world.records("MountName", lambda kind: kind.endswith(_CHARACTER)):
        tags, payload = record.tags, world.payload
        try:
            found.append(
                {
                    "name": read_text(payload, tags.get("MountName")),
                    "species": read_text(payload, tags.get("AISetupRowName")),
                    "owner": read_text(payload, tags.get("OwnerName")),
                    "experience": read_integer(payload, tags.get("Experience")),
                    "sex": read_integer(payload, tags.get("Sex")),
                }
            )
        except SaveError:
            continue
        if len(found) == MAX_ANIMALS:
            break
    return found


def describe_inventories(world: World) -> list[JSON]:
    """`{"of", "items": [{"item", "slots"}]}`: of which record, and in how many slots an item lies.

    Empty inventories are left out.
    """
    found: list[JSON] = []
    for kind, record in world.records(_INVENTORIES, lambda _: True):
        items: Counter[str] = Counter()
        try:
            items.update(_items(world.payload, record))
            name = read_text(world.payload, record.tags.get("MountName"))
        except SaveError:
            continue
        if items:
            kinds: list[JSON] = [
                {"item": item, "slots": slots} for item, slots in items.most_common(MAX_KINDS)
            ]
            entry: JSONObject = {"of": name or kind, "items": kinds}
            found.append(entry)
        if len(found) == MAX_INVENTORIES:
            break
    return found


def _items(payload: bytes, record: Properties) -> Iterator[str]:
    for inventory in read_structs(payload, record.tags.get(_INVENTORIES), _MAX_ELEMENTS):
        for slot in read_structs(payload, inventory.tags.get("Slots"), _MAX_ELEMENTS):
            item = read_text(payload, slot.tags.get("ItemStaticData"))
            if item and item != "None":
                yield item
