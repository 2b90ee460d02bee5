"""A copy of a mount that the game can tell from the first.

It needs its own IcarusActorGUID and ObjectFName, and both stand elsewhere too: the guid is the name
of the mount's picture (MountIconName), the object's name ends ActorPathName.
"""

import re
from itertools import chain, count

from portal.jsontypes import JSON, JSONObject
from portal.saves.errors import EditError
from portal.saves.mount_edits import MountEffect, Subject, members
from portal.saves.values import integer_patch, text_patch

_NUMBERED = re.compile(r"(.*_)([0-9]{1,10})", re.DOTALL)
_INT_MAX = (1 << 31) - 1


def clone(subject: Subject, cards: list[JSONObject]) -> MountEffect:
    """What makes a copy of the mount its own, among all mounts of the file.

    Raises `EditError` where the save has no guid or no object name to replace.
    """
    guid_tag, object_tag = (
        subject.need("IcarusActorGUID", "guid"),
        subject.need("ObjectFName", "object"),
    )
    guid = _free_guid({card["guid"] for card in cards})
    name = _free_object(str(subject.card["object"]), {card["object"] for card in cards})
    after: dict[tuple[str, ...], JSON] = {("guid",): guid, ("object",): name}
    patches = [integer_patch(guid_tag, guid), text_patch(object_tag, name)]
    if subject.card["path"] is not None:
        path = _path(subject, name)
        patches.append(text_patch(subject.need("ActorPathName", "path"), path))
        after["path",] = path
    fields = members(subject, {"MountIconName": f'"{guid}"'})
    if fields:
        after["icon",] = str(guid)
    return MountEffect(patches, fields, after)


def _free_guid(used: set[JSON]) -> int:
    """The next number above all others, or from 1 where the int32 ends."""
    highest = max(number for number in used if isinstance(number, int))
    return next(n for n in chain(range(highest + 1, _INT_MAX), count(1)) if n not in used)


def _free_object(name: str, used: set[JSON]) -> str:
    """The class's name with the next lower number: the game counts down from 2147482647."""
    match = _NUMBERED.fullmatch(name)
    stem, number = (match[1], int(match[2])) if match else (f"{name}_", _INT_MAX)
    numbers = chain(range(number - 1, 0, -1), count(number + 1))
    return next(f"{stem}{n}" for n in numbers if f"{stem}{n}" not in used)


def _path(subject: Subject, name: str) -> str:
    path, old = str(subject.card["path"]), str(subject.card["object"])
    if not path.endswith(old):
        raise EditError(f"{subject.label} cannot be cloned: its path does not end with its name.")
    return path[: -len(old)] + name
