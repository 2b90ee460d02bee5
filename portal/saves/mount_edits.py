"""The edits of one mount: each says which bytes change, which JSON members, and what that means."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from portal.jsontypes import JSON, JSONObject
from portal.saves.edits import Edit
from portal.saves.errors import EditError
from portal.saves.experience import curve_of
from portal.saves.mount import Mount
from portal.saves.patches import Patch, removal
from portal.saves.rules import NO_RULES, Rules
from portal.saves.tags import Tag
from portal.saves.values import integer_patch, text_patch

SEXES = range(1, 3)
GENETICS = range(1, 8)  # what was seen; the game's maximum is not known
RANKS = range(100)  # a talent's own limit is the catalog's
VARIATIONS = range(10)  # 0 and 4 were seen; what is beyond a species' own is not known


class MountEffect(NamedTuple):
    """What an edit does: to the record, to the JSON object, and (`after`) to the description.

    `note` is a sentence that the player should see; `unconfirmed` one that keeps the edit from
    being made until it is asked for a second time.
    """

    patches: list[Patch]
    fields: dict[str, str]
    after: dict[tuple[str, ...], JSON]
    note: str = ""
    unconfirmed: str = ""


class Subject(NamedTuple):
    """The mount that is edited, as it is after the edits before; `label` is for sentences.

    `others` are the cards of all mounts of the file, its own among them.
    """

    label: str
    mount: Mount
    card: JSONObject
    others: Sequence[JSONObject] = ()
    rules: Rules = NO_RULES

    def need(self, name: str, field: str) -> Tag:
        """A property that must be there. Raises `EditError`: older saves lack some."""
        tag = self.mount.tag(name)
        if tag is None or self.card[field] is None:
            raise EditError(f"{self.label} has no {field} in this save; older saves lack it.")
        return tag


def rename(subject: Subject, edit: Edit) -> MountEffect:
    """Both copies of the name; one that is missing stays missing."""
    return named(subject, edit.name("name"))


def named(subject: Subject, name: str) -> MountEffect:
    """The mount under another name."""
    after: dict[tuple[str, ...], JSON] = {("name",): name}
    patches = []
    tag = subject.mount.tag("MountName")
    if tag and tag.type == "StrProperty":
        patches.append(text_patch(tag, name))
        after["inside", "name"] = name
    fields = members(subject, {"MountName": json.dumps(name, ensure_ascii=False)})
    if not patches and not fields:
        raise EditError(f"{subject.label} has no name in this save.")
    return MountEffect(patches, fields, after)


def members(subject: Subject, fields: Mapping[str, str]) -> dict[str, str]:
    """Those members of the JSON object that it has."""
    return {key: text for key, text in fields.items() if key in subject.mount.node.members}


def sex(subject: Subject, edit: Edit) -> MountEffect:
    """The number of the sex."""
    return _number(subject, "Sex", "sex", edit.integer("sex", SEXES))


def variation(subject: Subject, edit: Edit) -> MountEffect:
    """The number of the look."""
    return _number(subject, "Variation", "variation", edit.integer("variation", VARIATIONS))


def _number(subject: Subject, name: str, field: str, value: int) -> MountEffect:
    return MountEffect([integer_patch(subject.need(name, field), value)], {}, {(field,): value})


def genetics(subject: Subject, edit: Edit) -> MountEffect:
    """Some of the genetic values that the mount has."""
    elements = subject.mount.elements("Genetics", "GeneticValueName")
    known = subject.card["genetics"]
    if not isinstance(known, dict) or not known:
        raise EditError(f"{subject.label} has no genetics in this save; older saves lack them.")
    tags = {
        name: elements[name].tags["Value"] for name, value in known.items() if value is not None
    }
    values = edit.integers("values", tags, GENETICS)
    patches = [integer_patch(tags[name], value) for name, value in values.items()]
    return MountEffect(patches, {}, {("genetics", name): value for name, value in values.items()})


def level(subject: Subject, edit: Edit) -> MountEffect:
    """The level, the experience for it, and the level that was last reached where that is stored.

    A higher level never takes experience away. A lower one must be asked for with `lower`.
    """
    curve = curve_of(subject.card["species"])
    if curve is None or not can_level(subject.card):
        raise EditError(f"{subject.label} cannot be given a level: this save does not say enough.")
    wanted = edit.integer("level", curve.levels)
    if wanted == subject.card["level"]:
        return MountEffect([], {}, {})
    before, has = _whole(subject.card["level"]), _whole(subject.card["experience"])
    experience = curve.experience(wanted)
    note, unconfirmed = "", ""
    if wanted > before:
        if has > experience:
            experience, note = has, "It has more experience than this level takes, and keeps it."
    else:
        note = f"This lowers {subject.label}: {has - experience:,} experience is lost."
        if not (edit.has("lower") and edit.flag("lower")):
            unconfirmed = f"{note} Lowering has to be confirmed (lower)."
    patches = [integer_patch(subject.need("Experience", "experience"), experience)]
    after: dict[tuple[str, ...], JSON] = {("level",): wanted, ("experience",): experience}
    if subject.card["last_level"] is not None:
        variables = subject.mount.elements("IntVariables", "VariableName")
        patches.append(integer_patch(variables["LastLevelAchieved"].tags["iVariable"], wanted))
        after["last_level",] = wanted
    return MountEffect(patches, {"MountLevel": str(wanted)}, after, note, unconfirmed)


def _whole(value: JSON) -> int:
    return value if isinstance(value, int) else 0


def can_level(card: JSONObject) -> bool:
    """Whether the level can be set: the species has a curve, and the save has a level."""
    known = card["level"] is not None and card["experience"] is not None
    return known and curve_of(card["species"]) is not None


def lineage(subject: Subject, edit: Edit) -> MountEffect:
    """The name of the lineage, as the game writes such names."""
    value = edit.identifier("lineage")
    return MountEffect(
        [text_patch(subject.need("Lineage", "lineage"), value)], {}, {("lineage",): value}
    )


def talents(subject: Subject, edit: Edit) -> MountEffect:
    """The ranks of some of its talents, within what the catalog allows; 0 takes one away."""
    array = subject.mount.tag("Talents")
    elements = subject.mount.elements("Talents", "TalentRowName")
    known = subject.card["talents"]
    if array is None or not isinstance(known, dict) or not known:
        raise EditError(f"{subject.label} has no talents in this save.")
    settable = {name: rank for name, rank in known.items() if rank is not None}
    values = edit.integers("ranks", settable, RANKS)
    patches: list[Patch] = []
    for name, rank in values.items():
        limit = max(subject.rules.ranks.get(name, 0), _whole(known[name]))
        if rank > limit:
            why = "" if name in subject.rules.ranks else ": no catalog here says how high it goes"
            raise EditError(f"The talent {name} has a rank of at most {limit}{why}.")
        element = elements[name]
        patches += (
            [integer_patch(element.tags["TalentRank"], rank)] if rank else removal(array, [element])
        )
    left = {name: values.get(name, rank) for name, rank in known.items()}
    after = {name: rank for name, rank in left.items() if rank != 0 or name not in values}
    return MountEffect(patches, {}, {("talents",): after})


def reset_talents(subject: Subject, _edit: Edit) -> MountEffect:
    """No talents, as a mount that has not learned any."""
    array = subject.mount.tag("Talents")
    elements = subject.mount.structs("Talents")
    if array is None or not elements:
        raise EditError(f"{subject.label} has no talents to reset.")
    return MountEffect(removal(array, elements), {}, {("talents",): {}})


EDITS: dict[str, Callable[[Subject, Edit], MountEffect]] = {
    "rename": rename,
    "sex": sex,
    "variation": variation,
    "genetics": genetics,
    "level": level,
    "lineage": lineage,
    "talents": talents,
    "reset_talents": reset_talents,
}


def possible(card: JSONObject) -> list[str]:
    """The names of the edits that this mount allows, for a page."""
    allowed = {
        "rename": card["name"] is not None,
        "sex": card["sex"] is not None,
        "variation": card["variation"] is not None,
        "genetics": bool(card["genetics"]),
        "level": can_level(card),
        "lineage": card["lineage"] is not None,
        "talents": bool(card["talents"]),
        "reset_talents": bool(card["talents"]),
        "clone": card["guid"] is not None and card["object"] is not None,
        "delete": True,
    }
    return [name for name, allows in allowed.items() if allows]
