"""/prospects: one world, as a form."""

from collections.abc import Iterator, Mapping
from typing import Any

from handlers.tools.base import ToolPages
from handlers.tools.gamedata import GameData
from handlers.tools.missions import MissionRow, missions
from portal.jsontypes import JSON, JSONObject
from portal.saves.errors import EditError
from portal.saves.plain import get
from portal.saves.prospect_edits import DIFFICULTIES
from portal.saves.prospects import TOOL
from portal.uploads.form import Field, as_typed

PRIVACY_NAMES = {"FriendsOnly": "Friends only", "Private": "Private, by invitation"}
FLAGS = {"true": "Yes: who dies stays dead", "false": "No: who dies comes back"}


def fields(description: JSONObject, game: GameData) -> list[Field]:
    """The settings that the save has, and a box for each mission that may be reset."""
    if description.get("broken"):
        return [Field("repair", "Repair it", "check", "", lambda _: {"edit": "repair"})]
    return [*_settings(description), *_resets(description, game)]


def _settings(description: JSONObject) -> Iterator[Field]:
    for key, label, names in (
        ("difficulty", "Difficulty", dict.fromkeys(DIFFICULTIES, "")),
        ("hardcore", "Hardcore (no respawns)", FLAGS),
    ):
        value = description[key]
        inner = get(description, ("inside", key))
        if value is not None and inner is not None:
            yield _choice(key, label, value, names, value == inner)
    if description["privacy"] is not None:
        yield _choice("privacy", "Who may join", description["privacy"], PRIVACY_NAMES, True)


def _choice(key: str, label: str, value: JSON, names: dict[str, str], in_step: bool) -> Field:
    """Where the two copies differ, nothing is chosen yet, so that either can be."""
    current = _word(value) if in_step else ""
    options = {name: text or name for name, text in names.items()}
    if current not in options:
        options = {current: current or "As it is: the two copies differ", **options}

    def edit(chosen: str) -> JSONObject:
        if chosen not in names:
            raise EditError(f"{label}: choose one of the list.")
        return {"edit": key, key: chosen == "true" if key == "hardcore" else chosen}

    return Field(key, label, "choice", current, edit, tuple(options.items()))


def _word(value: JSON) -> str:
    return str(value).lower() if isinstance(value, bool) else as_typed(value)


def _resets(description: JSONObject, game: GameData) -> Iterator[Field]:
    for mission in missions(description, game):
        if not mission.obstacle:
            yield _reset(mission)


def _reset(mission: MissionRow) -> Field:
    edit: JSONObject = {"edit": "reset_mission", "mission": mission.id}
    return Field(mission.field, f"Reset {mission.name}", "check", "", lambda _: dict(edit))


def duration(seconds: JSON) -> str:
    """Seconds of play, for a reader."""
    if not isinstance(seconds, int) or seconds < 0:
        return "–"
    minutes = seconds // 60
    days, hours = divmod(minutes // 60, 24)
    parts = [(days, "d"), (hours, "h"), (minutes % 60, "min")]
    return " ".join(f"{count:,} {unit}" for count, unit in parts if count) or "under a minute"


def context(description: JSONObject, game: GameData, asked: Mapping[str, str]) -> Mapping[str, Any]:
    """What the page shows besides the description."""
    if description.get("broken"):
        return {}
    found = missions(description, game)
    return {
        "duration": duration,
        "missions": [mission for mission in found if not mission.daily],
        "daily": [mission for mission in found if mission.daily],
        "asked": asked,
    }


PAGES = ToolPages(
    tool=TOOL,
    title="Prospects",
    lead="Look into a world, reset its missions, change its difficulty, hardcore and privacy.",
    template="tools/prospect.html",
    default_name="Prospect.json",
    fields=fields,
    arrange=list,
    context=context,
)
