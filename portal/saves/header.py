"""The ProspectInfo of a prospect, which stands twice: as JSON in the file, as tags in the world.

The JSON says `Medium` where the world says `EMissionDifficulty::Medium`. The two must stay in step.
"""

from datetime import datetime, timedelta

from portal.jsontypes import JSONObject
from portal.saves.jsontext import Node
from portal.saves.values import read_flag, read_integer, read_text
from portal.saves.world import World

_TEXTS = {
    "name": "ProspectID",
    "lobby": "LobbyName",
    "prospect": "ProspectDTKey",
    "mission": "FactionMissionDTKey",
    "state": "ProspectState",
    "difficulty": "Difficulty",
}
_NUMBERS = {
    "elapsed": "ElapsedTime",
    "expires": "ExpireTime",
    "cost": "Cost",
    "reward": "Reward",
    "drop_point": "SelectedDropPoint",
}
_FLAGS = {"hardcore": "NoRespawns", "insurance": "Insurance"}
_TICKS = 10  # in a microsecond; a DateTime counts them since the year 1


def describe_header(info: Node) -> JSONObject:
    """The JSON's copy; None for what it does not say. `elapsed` is in seconds.

    Accounts are left out: a page has no use for them.
    """
    found: JSONObject = {}
    for field, key in _TEXTS.items():
        found[field] = _text(info, key)
    for field, key in _NUMBERS.items():
        found[field] = _number(info, key)
    for field, key in _FLAGS.items():
        found[field] = member.flag() if (member := info.get(key)) else None
    found["members"] = [
        {"character": _text(member, "CharacterName"), "account": _text(member, "AccountName")}
        for member in _items(info, "AssociatedMembers")
    ]
    found["settings"] = [
        {"name": _text(setting, "SettingRowName"), "value": _number(setting, "SettingValue")}
        for setting in _items(info, "CustomSettings")
    ]
    return found


def describe_inside(world: World) -> JSONObject:
    """The world's own copy of what can be changed in both."""
    tags = world.info.tags
    return {
        "difficulty": plain_enum(read_text(world.payload, tags.get("Difficulty"))),
        "hardcore": read_flag(world.payload, tags.get("NoRespawns")),
    }


def describe_top(world: World) -> JSONObject:
    """What only the world says: privacy, map, format's version, when it was saved (ISO)."""
    tags = world.top.tags
    return {
        "privacy": plain_enum(world.text("LobbyPrivacy")),
        "map": world.text("ProspectMapName"),
        "version": read_integer(world.payload, tags.get("Version")),
        "saved": _moment(world),
    }


def plain_enum(text: str | None) -> str | None:
    """The value of an enum without the enum's name."""
    return text.rpartition("::")[2] if text is not None else None


def _moment(world: World) -> str | None:
    tag = world.top.tags.get("LastSavedDateTime")
    if tag is None or tag.inner != "DateTime" or tag.end - tag.value != 8:
        return None
    ticks = int.from_bytes(world.payload[tag.value : tag.end], "little", signed=True)
    try:
        moment = datetime.min + timedelta(microseconds=ticks // _TICKS)
    except OverflowError:
        return None
    return moment.isoformat(timespec="seconds")


def _items(info: Node, key: str) -> list[Node]:
    member = info.get(key)
    return member.items if member else []


def _text(node: Node, key: str) -> str | None:
    member = node.get(key)
    return member.string() if member else None


def _number(node: Node, key: str) -> int | None:
    member = node.get(key)
    return member.integer() if member else None
