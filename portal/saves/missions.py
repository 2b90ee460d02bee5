"""The missions of a prospect: what the save says of them, and which may be reset.

`MissionHistory[{Mission, Status, MissionEndTime}]` holds those that were begun; one mission may
stand in it several times. A reset takes all of its entries out, so that the mission can be played
again: in an open world each completes once. The active one and one in progress are never reset,
nor anything where the save does not say which is active.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from portal.jsontypes import JSON
from portal.saves.edits import shown
from portal.saves.errors import EditError
from portal.saves.hunts import Cascade, Hunt, cascade, is_hunt
from portal.saves.rules import Rules
from portal.saves.tags import Properties, Tag
from portal.saves.values import read_integer, read_text
from portal.saves.world import GAME_MODE, QUESTS, World

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

    @property
    def summary(self) -> str:
        """Its state and time, for a sentence."""
        known = self.ended is not None and self.ended >= 0
        return f"{self.state}, ended at {self.ended:,}" if known else self.state


def read_missions(world: World) -> list[Mission]:
    """The history, in its order. One entry that must not be reset protects all of its mission."""
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


def describe_missions(missions: Iterable[Mission], hunts: Sequence[Hunt]) -> list[JSON]:
    """`{"mission", "state", "ended", "active", "resettable", "obstacle", "hunt"}` of each entry.

    `ended` is the game's own time, -1 for never; a state that is not known is its number. A Great
    Hunt (`hunt`) that is resettable needs the catalog's rules as well.
    """
    return [
        {
            "mission": mission.name,
            "state": mission.state,
            "ended": mission.ended,
            "active": mission.active,
            "resettable": not mission.obstacle,
            "obstacle": mission.obstacle,
            "hunt": is_hunt(mission.name, hunts),
        }
        for mission in missions
    ]


def reset(
    missions: Sequence[Mission], hunts: Sequence[Hunt], rules: Rules, name: str
) -> tuple[list[Mission], list[Hunt]]:
    """The entries of the history, and the records of Great Hunts, that go with a mission.

    Raises `EditError` where a reset is not allowed, of this mission or of one that goes with it.
    """
    if all(mission.name != name for mission in missions):
        raise EditError(f"“{shown(name)}” is not among the missions of this prospect.")
    gone = Cascade({name}, [])
    if obstacle := next((m.obstacle for m in missions if m.name == name), ""):
        raise EditError(f"{name} cannot be reset: {obstacle}.")
    if name in rules.hunts or is_hunt(name, hunts):
        gone = cascade(name, hunts, rules)
    entries = [mission for mission in missions if mission.name in gone.missions]
    for entry in entries:
        if entry.obstacle:
            raise EditError(
                f"{name} cannot be reset: {entry.name} requires it, and {entry.obstacle}."
            )
    return entries, gone.hunts
