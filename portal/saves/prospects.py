"""The tool `prospects`: one world, `Prospects/<name>.json`.

`{"ProspectInfo": {…}, "ProspectBlob": {"BinaryBlob": …, "Hash": …, …}}`. The world is packed in the
blob. All edits of one list are applied at once, so none may come twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.jsontypes import JSON, JSONObject
from portal.saves.blob import repack, unpack
from portal.saves.document import Document
from portal.saves.edits import Edit, read_edits
from portal.saves.errors import DAMAGED, EditError, SaveError
from portal.saves.header import describe_header, describe_inside, describe_top
from portal.saves.jsontext import Node
from portal.saves.missions import describe_hunts, describe_missions, read_missions
from portal.saves.patches import apply_patches
from portal.saves.plain import Change, Doubt, get, put_all
from portal.saves.prospect_edits import EDITS, KINDS, ProspectEffect, ProspectParts
from portal.saves.tool import Edited, Tool
from portal.saves.world import describe_recorders, read_world


@dataclass(frozen=True, slots=True)
class Prospect:
    """A prospect; `doubts` are what does not match between the packed part and its description."""

    document: Document
    blob: Node
    places: ProspectParts
    doubts: tuple[Doubt, ...]

    def describe(self) -> JSONObject:
        """`{"tool", "name", "difficulty", …, "members", "recorders", "missions", "warnings"}`."""
        return _finished(self._facts(), self.doubts)

    def _facts(self) -> JSONObject:
        world = self.places.world
        return {
            "tool": TOOL.name,
            **describe_header(self.places.info),
            **describe_top(world),
            "inside": describe_inside(world),
            "recorders": describe_recorders(world),
            "missions": describe_missions(self.places.missions),
            "hunts": describe_hunts(world),
        }

    def edit(self, asked: JSON) -> Edited:
        """Check the edits and say what they change. Raises `EditError`."""
        facts = self._facts()
        effects, changes = [], []
        for edit in _distinct(read_edits(asked, KINDS)):
            effect = EDITS[edit.kind](self.places, edit)
            changed = _changes(facts, effect)
            if changed:
                effects.append(effect)
                changes += changed
                facts = _after(facts, effect)
        return Edited(tuple(changes), _finished(facts, ()), lambda: self._rendered(effects))

    def _rendered(self, effects: list[ProspectEffect]) -> bytes:
        """The file with all effects; the world is packed again only where it differs."""
        patches = [patch for effect in effects for patch in effect.patches]
        members = [member for effect in effects for member in effect.members]
        payload = apply_patches(self.places.world.payload, patches)
        return self.document.changed([*members, *repack(self.blob, payload)])


def _distinct(edits: list[Edit]) -> list[Edit]:
    """Raise `EditError` where two edits say what one field becomes."""
    seen: set[tuple[str, str]] = set()
    for edit in edits:
        key = (edit.kind, edit.text("mission") if edit.kind == "reset_mission" else "")
        if key in seen:
            raise EditError(f"The edit {edit.kind} comes twice for the same thing.")
        seen.add(key)
    return edits


def _changes(facts: JSONObject, effect: ProspectEffect) -> list[Change]:
    found = []
    for path, value in effect.after.items():
        before = _state(facts, path[1]) if path[0] == "missions" else get(facts, path)
        if before != value:
            subject = f"Mission {path[1]}" if path[0] == "missions" else "The prospect"
            found.append(Change(subject, path, before, value))
    return found


def _after(facts: JSONObject, effect: ProspectEffect) -> JSONObject:
    """The description as it must be after an effect; a reset mission is gone."""
    gone = {path[1] for path in effect.after if path[0] == "missions"}
    kept: list[JSON] = [m for m in _missions(facts) if m["mission"] not in gone]
    fields = {path: value for path, value in effect.after.items() if path[0] != "missions"}
    return {**put_all(facts, fields), "missions": kept}


def _missions(facts: JSONObject) -> list[Mapping[str, JSON]]:
    missions = facts["missions"]
    return [m for m in missions if isinstance(m, Mapping)] if isinstance(missions, list) else []


def _state(facts: JSONObject, name: str) -> JSON:
    return next((m["state"] for m in _missions(facts) if m["mission"] == name), None)


def _finished(facts: JSONObject, doubts: tuple[Doubt, ...]) -> JSONObject:
    """The description with all that does not match."""
    differing = [
        Doubt("copies", f"The two copies of the {field} differ: {outer} and {inner}.")
        for field in ("difficulty", "hardcore")
        if (outer := facts[field]) != (inner := get(facts, ("inside", field)))
        and None not in (outer, inner)
    ]
    return {**facts, "warnings": [doubt.plain() for doubt in (*doubts, *differing)]}


def read_prospect(document: Document) -> Prospect:
    """Read a prospect. Raises `SaveError`."""
    info, blob = (document.root.get(key) for key in ("ProspectInfo", "ProspectBlob"))
    if info is None or blob is None or not (info.is_object and blob.is_object):
        raise SaveError(
            "The prospect is not whole: it needs ProspectInfo and ProspectBlob.", DAMAGED
        )
    unpacked = unpack(blob)
    world = read_world(unpacked.payload)
    places = ProspectParts(info, world, tuple(read_missions(world)))
    return Prospect(document, blob, places, unpacked.doubts)


TOOL = Tool("prospects", "a prospect", frozenset({"ProspectInfo", "ProspectBlob"}), read_prospect)
