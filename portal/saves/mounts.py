"""The tool `pets`: Mounts.json, the mounts of one player.

`{"SavedMounts": [{"RecorderBlob": {"BinaryData": [0, …]}, "MountName": …, …}]}`; not packed.

Edits are `{"edit": name, "mount": number, …}`, applied in their order. Numbers count from 1 and are
those of the file as it was read; a clone takes the next one, a deleted mount keeps its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.jsontypes import JSON, JSONObject
from portal.saves.document import Document
from portal.saves.edits import read_edits
from portal.saves.errors import DAMAGED, SaveError
from portal.saves.herd import MAX_MOUNTS, Herd, describe_herd, label
from portal.saves.jsontext import Node
from portal.saves.mount import Mount, describe_mount, read_mount, read_record
from portal.saves.proofs import Fix, fixed, prove
from portal.saves.repairs import BrokenSave, Repair
from portal.saves.rules import Rules
from portal.saves.tags import read_properties
from portal.saves.tool import PROTON, Edited, Tool

_MOUNT = frozenset({"mount"})
_KINDS: Mapping[str, frozenset[str]] = {
    "rename": _MOUNT | {"name"},
    "sex": _MOUNT | {"sex"},
    "variation": _MOUNT | {"variation"},
    "genetics": _MOUNT | {"values"},
    "level": _MOUNT | {"level", "lower"},
    "lineage": _MOUNT | {"lineage"},
    "talents": _MOUNT | {"ranks"},
    "own_guid": _MOUNT,
    "repair": _MOUNT,
    "reset_talents": _MOUNT,
    "clone": _MOUNT | {"name"},  # which may be left out
    "delete": _MOUNT,
}


@dataclass(frozen=True, slots=True)
class Mounts:
    """A Mounts.json: its mounts and what each one is."""

    document: Document
    array: Node
    mounts: tuple[Mount, ...]
    cards: tuple[JSONObject, ...]

    def describe(self) -> JSONObject:
        """`{"tool", "mounts": [{"number", "name", …, "edits"}], "warnings"}`."""
        return describe_herd(TOOL.name, list(self.cards))

    def edit(self, asked: JSON, rules: Rules) -> Edited:
        """Check the edits and say what they change. Raises `EditError`."""
        herd = Herd(self.document, self.array, self.mounts, self.cards, rules)
        for edit in read_edits(asked, _KINDS):
            herd.apply(edit)
        return Edited(
            tuple(herd.changes),
            describe_herd(TOOL.name, herd.living()),
            herd.render,
            tuple(herd.unconfirmed),
        )


def read_mounts(document: Document) -> Mounts | BrokenSave:
    """Read a Mounts.json. Raises `SaveError` that says which mount is broken.

    Where sizes in records are wrong, and their content proves the right ones, the save that comes
    back can be repaired and nothing else.
    """
    array = document.root.get("SavedMounts")
    if array is None or not array.is_array or array.kind == "integers":
        raise SaveError("SavedMounts is not a list of mounts.", DAMAGED)
    if len(array.items) > MAX_MOUNTS:
        raise SaveError(f"SavedMounts has more than {MAX_MOUNTS} mounts.", DAMAGED)
    mounts, cards = [], []
    faults: list[str] = []
    repairs: list[Repair] = []
    for number, node in enumerate(array.items, 1):
        try:
            mount = read_mount(node)
            card = describe_mount(mount, [fix.of for fix in prove(mount.record)])
        except SaveError as error:
            mount, fixes = _mended(node, error, number)
            card = describe_mount(mount)
            faults.append(f"Mount {number}: {error.sentence}")
            repairs += [Repair(label(number, card), fix) for fix in fixes]
        mounts.append(mount)
        cards.append(card)
    save = Mounts(document, array, tuple(mounts), tuple(cards))
    if repairs:
        herd = Herd(document, array, tuple(mounts), tuple(cards))
        return BrokenSave(faults[0], describe_herd(TOOL.name, []), repairs, save, herd.render)
    return save


def _mended(node: Node, error: SaveError, number: int) -> tuple[Mount, list[Fix]]:
    """A mount whose record has wrong sizes, with the right ones. Raises what was wrong with it."""
    said = SaveError(f"Mount {number}: {error.sentence}", DAMAGED)
    try:
        record, data = read_record(node)
    except SaveError:
        raise said from error
    fixes = prove(record)
    if not fixes:
        raise said from error
    record = fixed(record, fixes)
    try:
        mount = Mount(node, data, record, read_properties(record, 0, len(record)), rewritten=True)
        describe_mount(mount)
    except SaveError:
        raise said from error
    return mount, fixes


TOOL = Tool(
    "pets",
    "a Mounts.json",
    frozenset({"SavedMounts"}),
    read_mounts,
    "Mounts.json",
    (
        ("Windows", r"%LOCALAPPDATA%\Icarus\Saved\PlayerData\<Steam ID>\Mounts.json"),
        ("Proton", f"{PROTON}/Icarus/Saved/PlayerData/<Steam ID>/Mounts.json"),
    ),
)
