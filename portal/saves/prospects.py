"""The tool `prospects`: one world, `Prospects/<name>.json`.

`{"ProspectInfo": {…}, "ProspectBlob": {"BinaryBlob": …, "Hash": …, …}}`. The world is packed in the
blob. Edits are `{"edit": name, …}`; of two that set the same field the later one counts.
"""

from dataclasses import dataclass, replace

from portal.jsontypes import JSON, JSONObject
from portal.saves.blob import Blob, repack, unpack
from portal.saves.document import Document
from portal.saves.edits import read_edits
from portal.saves.errors import DAMAGED, SaveError
from portal.saves.header import describe_header, describe_inside, describe_top
from portal.saves.hunts import describe_hunts, read_hunts
from portal.saves.inhabitants import describe_animals, describe_inventories
from portal.saves.jsontext import Node
from portal.saves.missions import describe_missions, read_missions
from portal.saves.patches import apply_patches
from portal.saves.plain import Change, Doubt, get, put_all
from portal.saves.proofs import fixed, prove
from portal.saves.prospect_edits import EDITS, KINDS, ProspectEffect, ProspectParts
from portal.saves.repairs import BrokenSave, Repair
from portal.saves.rules import Rules
from portal.saves.tool import PROTON, Edited, Tool
from portal.saves.world import LOOKED_INTO, describe_recorders, read_world


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
        world, parts = self.places.world, self.places
        return {
            "tool": TOOL.name,
            **describe_header(parts.info),
            **describe_top(world),
            "inside": describe_inside(world),
            "recorders": describe_recorders(world),
            "missions": describe_missions(parts.missions, parts.hunts),
            "hunts": describe_hunts(parts.hunts),
            "animals": describe_animals(world),
            "inventories": describe_inventories(world),
        }

    def edit(self, asked: JSON, rules: Rules) -> Edited:
        """Check the edits and say what they change. Raises `EditError`."""
        parts = replace(self.places, rules=rules)
        facts, gone = self._facts(), RemovedEntries(parts)
        effects: dict[object, ProspectEffect] = {}
        changes = []
        for number, edit in enumerate(read_edits(asked, KINDS), 1):
            effect = EDITS[edit.kind](parts, edit)
            changed = [*_changes(facts, effect, number), *gone.take(effect, number)]
            if changed:
                effects[number if edit.kind == "reset_mission" else edit.kind] = effect
                changes += changed
                facts = put_all(facts, effect.after)
        expected = _finished({**facts, **gone.left()}, ())
        return Edited(tuple(changes), expected, lambda: self._rendered([*effects.values()]))

    def _rendered(self, effects: list[ProspectEffect]) -> bytes:
        """The file with all effects; the world is packed again only where it differs.

        Two resets may take the same entry out, which is done once.
        """
        patches = dict.fromkeys(patch for effect in effects for patch in effect.patches)
        members = [member for effect in effects for member in effect.members]
        payload = apply_patches(self.places.world.payload, patches)
        return self.document.changed([*members, *repack(self.blob, payload)])


class RemovedEntries:
    """The entries of missions and Great Hunts that edits take out, one edit after the other."""

    def __init__(self, parts: ProspectParts) -> None:
        self._parts = parts
        self._starts: set[int] = set()

    def take(self, effect: ProspectEffect, edit: int) -> list[Change]:
        """Take out what an effect does; a change for each entry that was still there."""
        found = []
        for mission in effect.missions:
            if self._is_new(mission.element.start):
                subject, path = f"Mission {mission.name}", ("missions", mission.name)
                found.append(Change(subject, path, mission.summary, None, edit=edit))
        for hunt in effect.hunts:
            if self._is_new(hunt.element.start):
                subject, path = f"Great Hunt {hunt.name}", ("hunts", hunt.name)
                found.append(Change(subject, path, hunt.rank, None, edit=edit))
        return found

    def left(self) -> JSONObject:
        """The description of what is still there."""
        missions = [m for m in self._parts.missions if m.element.start not in self._starts]
        hunts = [h for h in self._parts.hunts if h.element.start not in self._starts]
        return {
            "missions": describe_missions(missions, hunts),
            "hunts": describe_hunts(hunts),
        }

    def _is_new(self, start: int) -> bool:
        known = start in self._starts
        self._starts.add(start)
        return not known


def _changes(facts: JSONObject, effect: ProspectEffect, edit: int) -> list[Change]:
    return [
        Change("The prospect", path, before, value, edit=edit)
        for path, value in effect.after.items()
        if (before := get(facts, path)) != value
    ]


def _finished(facts: JSONObject, doubts: tuple[Doubt, ...]) -> JSONObject:
    """The description with all that does not match."""
    differing = [
        Doubt("copies", f"The two copies of the {field} differ: {outer} and {inner}.")
        for field in ("difficulty", "hardcore")
        if (outer := facts[field]) != (inner := get(facts, ("inside", field)))
        and None not in (outer, inner)
    ]
    return {**facts, "warnings": [doubt.plain() for doubt in (*doubts, *differing)]}


def read_prospect(document: Document) -> Prospect | BrokenSave:
    """Read a prospect. Raises `SaveError`.

    Where sizes in the world are wrong, and its content proves the right ones, the save that comes
    back can be repaired and nothing else.
    """
    info, blob = (document.root.get(key) for key in ("ProspectInfo", "ProspectBlob"))
    if info is None or blob is None or not (info.is_object and blob.is_object):
        raise SaveError(
            "The prospect is not whole: it needs ProspectInfo and ProspectBlob.", DAMAGED
        )
    unpacked = unpack(blob)
    try:
        return _prospect(document, info, blob, unpacked)
    except SaveError as error:
        fixes = prove(unpacked.payload, LOOKED_INTO)
        if not fixes:
            raise
        payload = fixed(unpacked.payload, fixes)
        try:
            repaired = _prospect(document, info, blob, Blob(payload, ()))
        except SaveError:
            raise error from None
        return BrokenSave(
            error.sentence,
            {**describe_header(info), "tool": TOOL.name, "warnings": []},
            [Repair("The world", fix) for fix in fixes],
            repaired,
            lambda: document.changed(repack(blob, payload)),
        )


def _prospect(document: Document, info: Node, blob: Node, unpacked: Blob) -> Prospect:
    world = read_world(unpacked.payload)
    places = ProspectParts(info, world, tuple(read_missions(world)), tuple(read_hunts(world)))
    return Prospect(document, blob, places, unpacked.doubts)


TOOL = Tool(
    "prospects",
    "a prospect",
    frozenset({"ProspectInfo", "ProspectBlob"}),
    read_prospect,
    "<name>.json",
    (
        ("Windows", r"%LOCALAPPDATA%\Icarus\Saved\PlayerData\<Steam ID>\Prospects\<name>.json"),
        ("Proton", f"{PROTON}/Icarus/Saved/PlayerData/<Steam ID>/Prospects/<name>.json"),
        ("Dedicated server", "Icarus/Saved/PlayerData/DedicatedServer/Prospects/<name>.json"),
    ),
)
