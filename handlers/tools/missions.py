"""The missions of a world for people: one line each, however often it stands in the history."""

from dataclasses import dataclass

from handlers.tools.gamedata import GameData
from portal.jsontypes import JSON, JSONObject
from portal.uploads.form import objects

DAILY = "DYN_"  # how the game names the missions that it makes anew every day


@dataclass(frozen=True, slots=True)
class MissionRow:
    """A mission: `entries` are its states and times, `obstacle` why it cannot be reset, or "".

    `field` is the name of its box in the form, `follows` the names of what goes with it.
    """

    field: str
    id: str
    name: str
    active: bool
    entries: tuple[str, ...]
    obstacle: str
    follows: tuple[str, ...] = ()

    @property
    def daily(self) -> bool:
        """Whether it is one of those that change every day."""
        return self.id.startswith(DAILY)


def missions(description: JSONObject, game: GameData) -> list[MissionRow]:
    """One row for each mission of the history, in its order."""
    rules, grouped = game.rules, dict[str, list[tuple[int, JSONObject]]]()
    for index, mission in enumerate(objects(description["missions"])):
        grouped.setdefault(str(mission["mission"]), []).append((index, mission))
    found = []
    for own, entries in grouped.items():
        index, first = entries[0]
        obstacle = str(first["obstacle"] or "")
        is_hunt = bool(first["hunt"]) or own in rules.hunts
        if is_hunt and not obstacle and own not in rules.hunts:
            obstacle = "it is a Great Hunt, and the catalog of this site does not say what follows"
        follows: tuple[str, ...] = ()
        if is_hunt and not obstacle:
            talents = rules.following(set(rules.hunts[own]))
            follows = tuple(
                game.name("missions", name)
                for name in grouped
                if name != own and not talents.isdisjoint(rules.hunts.get(name, ()))
            )
        found.append(
            MissionRow(
                f"mission{index}",
                own,
                game.name("missions", own) or "Without a name",
                any(bool(entry["active"]) for _, entry in entries),
                tuple(_summary(entry["state"], entry["ended"]) for _, entry in entries),
                obstacle,
                follows,
            )
        )
    return found


def _summary(state: JSON, ended: JSON) -> str:
    known = isinstance(ended, int) and ended >= 0
    return f"{state}, ended at {ended:,}" if known else str(state)
