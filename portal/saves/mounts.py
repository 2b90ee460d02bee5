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
from portal.saves.herd import MAX_MOUNTS, Herd, describe_herd
from portal.saves.jsontext import Node
from portal.saves.mount import Mount, describe_mount, read_mount
from portal.saves.tool import Edited, Tool

_MOUNT = frozenset({"mount"})
_KINDS: Mapping[str, frozenset[str]] = {
    "rename": _MOUNT | {"name"},
    "sex": _MOUNT | {"sex"},
    "variation": _MOUNT | {"variation"},
    "genetics": _MOUNT | {"values"},
    "level": _MOUNT | {"level"},
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

    def edit(self, asked: JSON) -> Edited:
        """Check the edits and say what they change. Raises `EditError`."""
        herd = Herd(self.document, self.array, self.mounts, self.cards)
        for edit in read_edits(asked, _KINDS):
            herd.apply(edit)
        return Edited(tuple(herd.changes), describe_herd(TOOL.name, herd.living()), herd.render)


def read_mounts(document: Document) -> Mounts:
    """Read a Mounts.json. Raises `SaveError` that says which mount is broken."""
    array = document.root.get("SavedMounts")
    if array is None or not array.is_array or array.kind == "integers":
        raise SaveError("SavedMounts is not a list of mounts.", DAMAGED)
    if len(array.items) > MAX_MOUNTS:
        raise SaveError(f"SavedMounts has more than {MAX_MOUNTS} mounts.", DAMAGED)
    mounts, cards = [], []
    for number, node in enumerate(array.items, 1):
        try:
            mount = read_mount(node)
            cards.append(describe_mount(mount))
        except SaveError as e:
            raise SaveError(f"Mount {number}: {e.sentence}", DAMAGED) from e
        mounts.append(mount)
    return Mounts(document, array, tuple(mounts), tuple(cards))


TOOL = Tool("pets", "a Mounts.json", frozenset({"SavedMounts"}), read_mounts)
