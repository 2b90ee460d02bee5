"""The edits of a prospect: each says which bytes of the world change, and which JSON members."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from portal.jsontypes import JSON
from portal.saves.edits import Edit
from portal.saves.errors import EditError
from portal.saves.header import plain_enum
from portal.saves.hunts import Hunt
from portal.saves.jsontext import Node
from portal.saves.missions import Mission, reset
from portal.saves.patches import Patch, removal
from portal.saves.rules import NO_RULES, Rules
from portal.saves.values import flag_patch, read_flag, read_text, text_patch
from portal.saves.world import World

# The game's enums EMissionDifficulty and ELobbyPrivacy; their None and Unknown are no choice.
DIFFICULTIES = ("Easy", "Medium", "Hard", "Extreme")
PRIVACIES = ("FriendsOnly", "Private")


@dataclass(frozen=True, slots=True)
class ProspectParts:
    """Where a prospect is edited: the JSON's ProspectInfo, the world, the history in it."""

    info: Node
    world: World
    missions: tuple[Mission, ...]
    hunts: tuple[Hunt, ...] = ()
    rules: Rules = NO_RULES


class ProspectEffect(NamedTuple):
    """What an edit does: to the world, to the JSON, and (`after`) to the description.

    `missions` and `hunts` are the entries of the world that are taken out of it.
    """

    patches: list[Patch]
    members: list[tuple[Node, str]]
    after: dict[tuple[str, ...], JSON]
    missions: tuple[Mission, ...] = ()
    hunts: tuple[Hunt, ...] = ()


def difficulty(places: ProspectParts, edit: Edit) -> ProspectEffect:
    """The difficulty, in both copies."""
    value = edit.choice("difficulty", DIFFICULTIES)
    tag = places.world.info.tags.get("Difficulty")
    inside = read_text(places.world.payload, tag)
    member = places.info.get("Difficulty")
    if tag is None or inside is None or member is None or member.string() is None:
        raise EditError("The difficulty does not stand in both places of this save.")
    return ProspectEffect(
        [text_patch(tag, _like(inside, value))],
        [(member, f'"{value}"')],
        {("difficulty",): value, ("inside", "difficulty"): value},
    )


def hardcore(places: ProspectParts, edit: Edit) -> ProspectEffect:
    """Whether a dead character stays dead (NoRespawns), in both copies."""
    value = edit.flag("hardcore")
    tag = places.world.info.tags.get("NoRespawns")
    member = places.info.get("NoRespawns")
    known = read_flag(places.world.payload, tag) is not None
    if tag is None or not known or member is None or member.flag() is None:
        raise EditError("Hardcore (NoRespawns) does not stand in both places of this save.")
    return ProspectEffect(
        [flag_patch(tag, value)],
        [(member, "true" if value else "false")],
        {("hardcore",): value, ("inside", "hardcore"): value},
    )


def privacy(places: ProspectParts, edit: Edit) -> ProspectEffect:
    """Who may join; it stands in the world only."""
    value = edit.choice("privacy", PRIVACIES)
    tag = places.world.top.tags.get("LobbyPrivacy")
    old = read_text(places.world.payload, tag)
    if tag is None or old is None:
        raise EditError("The save does not say who may join (LobbyPrivacy).")
    return ProspectEffect([text_patch(tag, _like(old, value))], [], {("privacy",): value})


def reset_mission(places: ProspectParts, edit: Edit) -> ProspectEffect:
    """Take a mission, and all that requires it, out of the history."""
    missions, hunts = reset(places.missions, places.hunts, places.rules, edit.text("mission"))
    entries = [*((m.array, m.element) for m in missions), *((h.array, h.element) for h in hunts)]
    patches = [patch for array, element in entries for patch in removal(array, [element])]
    return ProspectEffect(patches, [], {}, tuple(missions), tuple(hunts))


def _like(old: str, value: str) -> str:
    """An enum's value with the enum's name before it where the old one has it."""
    return old.removesuffix(plain_enum(old) or "") + value


EDITS: dict[str, Callable[[ProspectParts, Edit], ProspectEffect]] = {
    "difficulty": difficulty,
    "hardcore": hardcore,
    "privacy": privacy,
    "reset_mission": reset_mission,
}
KINDS = {
    "difficulty": frozenset({"difficulty"}),
    "hardcore": frozenset({"hardcore"}),
    "privacy": frozenset({"privacy"}),
    "reset_mission": frozenset({"mission"}),
}
