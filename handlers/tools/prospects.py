"""/prospects: one world, as a form."""

from collections.abc import Iterator

from handlers.tools.base import ToolPages
from portal.jsontypes import JSON, JSONObject
from portal.saves.errors import EditError
from portal.saves.plain import get
from portal.saves.prospect_edits import DIFFICULTIES
from portal.saves.prospects import TOOL
from portal.uploads.form import Field, as_typed, objects

PRIVACY_NAMES = {"FriendsOnly": "Friends only", "Private": "Private, by invitation"}
FLAGS = {"true": "Yes: who dies stays dead", "false": "No: who dies comes back"}


def fields(description: JSONObject) -> list[Field]:
    """The settings that the save has, and a box for each mission that may be reset."""
    return [*_settings(description), *_missions(description)]


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


def _missions(description: JSONObject) -> Iterator[Field]:
    seen = set()
    for index, mission in enumerate(objects(description["missions"])):
        name = str(mission["mission"])
        if mission["resettable"] and name not in seen:
            seen.add(name)
            yield _reset(f"mission{index}", name)


def _reset(field: str, name: str) -> Field:
    edit: JSONObject = {"edit": "reset_mission", "mission": name}
    return Field(field, f"Reset {name}", "check", "", lambda _: dict(edit))


def duration(seconds: JSON) -> str:
    """Seconds of play, for a reader."""
    if not isinstance(seconds, int) or seconds < 0:
        return "–"
    minutes = seconds // 60
    days, hours = divmod(minutes // 60, 24)
    parts = [(days, "d"), (hours, "h"), (minutes % 60, "min")]
    return " ".join(f"{count:,} {unit}" for count, unit in parts if count) or "under a minute"


PAGES = ToolPages(
    tool=TOOL,
    title="Prospects",
    lead="Look into a world, reset its missions, change its difficulty, hardcore and privacy.",
    template="tools/prospect.html",
    default_name="Prospect.json",
    folder=r"%LOCALAPPDATA%\Icarus\Saved\PlayerData\<your Steam ID>\Prospects\<name>.json",
    fields=fields,
    arrange=list,
    context={"duration": duration},
)
