"""Great Hunts: missions whose completion the world remembers a second time, as talents.

`WorldTalentRecords[{RowName, Rank}]` says which hunts a world has completed. A mission names its
talents in the catalog (`GreatHuntReward`), and a talent those that it requires. A reset that leaves
the record leaves the hunt completed, and one that leaves what follows makes a world that the game
never writes; so both go, and without the catalog nothing does.
"""

from collections.abc import Sequence
from typing import NamedTuple

from portal.jsontypes import JSON
from portal.saves.errors import EditError
from portal.saves.rules import Rules
from portal.saves.tags import Properties, Tag
from portal.saves.values import read_integer, read_text
from portal.saves.world import TALENTS, World

PREFIX = "GH_"  # of the game's names for the missions of Great Hunts


class Hunt(NamedTuple):
    """One record of a world's talents."""

    name: str
    rank: int | None
    array: Tag
    element: Properties


class Cascade(NamedTuple):
    """The missions, by name, and the records that go with a reset."""

    missions: set[str]
    hunts: list[Hunt]


def read_hunts(world: World) -> list[Hunt]:
    """The records, in their order."""
    return [
        Hunt(
            read_text(world.payload, element.tags.get("RowName")) or "",
            read_integer(world.payload, element.tags.get("Rank")),
            array,
            element,
        )
        for array, element in world.structs(TALENTS, "WorldTalentRecords")
    ]


def describe_hunts(hunts: Sequence[Hunt]) -> list[JSON]:
    """`{"name", "rank"}` of each record."""
    return [{"name": hunt.name, "rank": hunt.rank} for hunt in hunts]


def is_hunt(mission: str, hunts: Sequence[Hunt]) -> bool:
    """Whether a mission looks like a Great Hunt, for one who has no catalog."""
    return mission.startswith(PREFIX) or any(hunt.name == mission for hunt in hunts)


def cascade(mission: str, hunts: Sequence[Hunt], rules: Rules) -> Cascade:
    """All that a reset of a Great Hunt takes with it. Raises `EditError` without its rules."""
    if mission not in rules.hunts:
        raise EditError(
            f"{mission} is a Great Hunt. What follows it stands in the game's data tables, and "
            "the catalog of this site does not have them, so it cannot be reset here."
        )
    talents = rules.following(set(rules.hunts[mission]))
    followers = {name for name, given in rules.hunts.items() if not talents.isdisjoint(given)}
    return Cascade({mission, *followers}, [hunt for hunt in hunts if hunt.name in talents])
