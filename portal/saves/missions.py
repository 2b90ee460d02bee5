"""The missions of a prospect: what is kept of them, and which may be reset.

`MissionHistory[{Mission, Status, MissionEndTime}]` holds those that were begun. A reset takes the
entry out, so that the mission can be played again: in an open world each completes once. The active
one and one in progress are never reset, nor anything where the save does not say which is active.
"""

from collections.abc import Iterable
from typing import NamedTuple

from portal.jsontypes import JSON
from portal.saves.edits import shown
from portal.saves.errors import EditError
from portal.saves.patches import Patch, removal
from portal.saves.tags import Properties, Tag
from portal.saves.values import read_integer, read_text
from portal.saves.world import GAME_MODE, QUESTS, TALENTS, World

STATES = {0: "in progress", 1: "completed", 2: "abandoned", 3: "failed"}
_OVER = {1, 2, 3}


class Mission(NamedTuple):
    """One entry of the history; `obstacle` says why it must not be reset, or is empty."""

    name: str
    state: str
    ended: int | None
    active: bool
    obstacle: str
    array: Tag
    element: Properties


def read_missions(world: World) -> list[Mission]:
    """The history, in its order. Of one mission that stands in it twice, both may be kept back."""
    active = _active(world)
    found = [_read(world, place, active) for place in world.structs(GAME_MODE, "MissionHistory")]
    obstacles = {mission.name: mission.obstacle for mission in found if mission.obstacle}
    return [mission._replace(obstacle=obstacles.get(mission.name, "")) for mission in found]


def _active(world: World) -> set[str] | None:
    """The missions that are active; None where the save does not say."""
    quests = [stream.tags.get("FactionMissionName") for stream in world.streams[QUESTS]]
    names = [read_text(world.payload, tag) for tag in quests]
    if not names or None in names:
        return None
    info = read_text(world.payload, world.info.tags.get("FactionMissionDTKey"))
    return {name for name in (*names, info) if name is not None}


def _read(world: World, place: tuple[Tag, Properties], active: set[str] | None) -> Mission:
    array, element = place
    name = read_text(world.payload, element.tags.get("Mission")) or ""
    status = read_integer(world.payload, element.tags.get("Status"))
    state = STATES.get(status, str(status)) if status is not None else "not known"
    ended = read_integer(world.payload, element.tags.get("MissionEndTime"))
    is_active = active is not None and name in active
    obstacle = ""
    if active is None:
        obstacle = "the save does not say which mission is active"
    elif is_active:
        obstacle = "it is the active mission"
    elif status not in _OVER:
        obstacle = f"its state is “{state}”"
    return Mission(name, state, ended, is_active, obstacle, array, element)


def describe_missions(missions: Iterable[Mission]) -> list[JSON]:
    """`{"mission", "state", "ended", "active", "resettable"}` for each entry.

    `ended` is the game's own time, -1 for never; a state that is not known is its number.
    """
    return [
        {
            "mission": mission.name,
            "state": mission.state,
            "ended": mission.ended,
            "active": mission.active,
            "resettable": not mission.obstacle,
        }
        for mission in missions
    ]


def reset_patches(missions: Iterable[Mission], name: str) -> list[Patch]:
    """Take a mission out of the history. Raises `EditError` where that is not allowed."""
    entries = [mission for mission in missions if mission.name == name]
    if not entries:
        raise EditError(f"“{shown(name)}” is not among the missions of this prospect.")
    if entries[0].obstacle:
        raise EditError(f"{name} cannot be reset: {entries[0].obstacle}.")
    return [patch for entry in entries for patch in removal(entry.array, [entry.element])]


def describe_hunts(world: World) -> list[JSON]:
    """The Great Hunts: `{"name", "rank"}` for each."""
    return [
        {
            "name": read_text(world.payload, element.tags.get("RowName")),
            "rank": read_integer(world.payload, element.tags.get("Rank")),
        }
        for _, element in world.structs(TALENTS, "WorldTalentRecords")
    ]
