"""Unique identifiers of a mount: for a copy, and for a mount that shares another's.

The game tells mounts apart by IcarusActorGUID and ObjectFName. Both stand elsewhere, too: the guid
is the name of the mount's picture (MountIconName), and the object's name ends ActorPathName.
"""

import re
from collections.abc import Sequence
from itertools import chain, count

from portal.jsontypes import JSON, JSONObject
from portal.saves.edits import Edit
from portal.saves.errors import EditError
from portal.saves.mount_edits import MountEffect, Subject, members
from portal.saves.values import integer_patch, text_patch

_NUMBERED = re.compile(r"(.*_)([0-9]{1,10})", re.DOTALL)
_INT_MAX = (1 << 31) - 1


def own_identity(subject: Subject, cards: Sequence[JSONObject], only_guid: bool) -> MountEffect:
    """Identifiers that no other mount of the file has; `cards` are all mounts.

    The object's name stays where `only_guid` is set. Raises `EditError` where the save has no guid
    or no object name to replace.
    """
    guid_tag = subject.need("IcarusActorGUID", "guid")
    guid = _free_guid({card["guid"] for card in cards})
    after: dict[tuple[str, ...], JSON] = {("guid",): guid}
    patches = [integer_patch(guid_tag, guid)]
    if not only_guid:
        object_tag = subject.need("ObjectFName", "object")
        name = _free_object(str(subject.card["object"]), {card["object"] for card in cards})
        patches.append(text_patch(object_tag, name))
        after["object",] = name
        if subject.card["path"] is not None:
            path = _path(subject, name)
            patches.append(text_patch(subject.need("ActorPathName", "path"), path))
            after["path",] = path
    fields = members(subject, {"MountIconName": f'"{guid}"'})
    if fields:
        after["icon",] = str(guid)
    return MountEffect(patches, fields, after)


def own_guid(subject: Subject, _edit: Edit) -> MountEffect:
    """A guid of its own for a mount that has another's; the object's name, too, if that is shared.

    Raises `EditError` where no other mount has the same guid.
    """
    others = [card for card in subject.others if card is not subject.card]
    if subject.card["guid"] not in {card["guid"] for card in others}:
        raise EditError(f"{subject.label} already has an IcarusActorGUID of its own.")
    name = subject.card["object"]
    shared = name is not None and name in {card["object"] for card in others}
    return own_identity(subject, subject.others, only_guid=not shared)


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
