"""A save that cannot be read for a wrong size, with the repair that its content proves.

The repair is offered, byte by byte, and made only when it is asked for: `{"edit": "repair"}`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from portal.jsontypes import JSON, JSONObject
from portal.saves.edits import Edit, read_edits
from portal.saves.errors import EditError
from portal.saves.mount_edits import MountEffect, Subject
from portal.saves.patches import Patch
from portal.saves.plain import Change
from portal.saves.proofs import Fix, prove
from portal.saves.rules import Rules
from portal.saves.tool import Edited, Save

_KINDS = {"repair": frozenset[str]()}


class Repair(NamedTuple):
    """A corrected size; `where` says in which part of the save, for a person."""

    where: str
    fix: Fix

    def plain(self) -> JSONObject:
        """For a page or a program: bytes as hexadecimal pairs, in the order of the file."""
        return {
            "where": self.where,
            "property": self.fix.of,
            "offset": self.fix.at,
            "before": _pairs(self.fix.old),
            "after": _pairs(self.fix.new),
        }

    def change(self) -> Change:
        """For the list of what will be different."""
        path = ("length", f"{self.fix.of}, byte {self.fix.at}")
        before, after = (f"{_pairs(n)} ({n})" for n in (self.fix.old, self.fix.new))
        return Change(self.where, path, before, after)


@dataclass(frozen=True, slots=True)
class BrokenSave:
    """A save to be repaired before anything else; `empty` describes one with nothing in it.

    `repaired` is the save after the repair, `render` gives its file.
    """

    fault: str
    empty: JSONObject
    repairs: Sequence[Repair]
    repaired: Save
    render: Callable[[], bytes]

    def describe(self) -> JSONObject:
        """As any save, but empty, with `broken`, a sentence, and the `repairs`."""
        return {
            **self.empty,
            "broken": self.fault,
            "repairs": [repair.plain() for repair in self.repairs],
        }

    def edit(self, asked: JSON, rules: Rules) -> Edited:
        """Check that the repair comes first; what follows is an edit of the repaired save.

        Raises `EditError`.
        """
        first, *rest = asked if isinstance(asked, list) and asked else [None]
        try:
            read_edits([first], _KINDS)
        except EditError as error:
            advice = "This save has to be repaired before anything else can be changed."
            raise EditError(error.sentence, advice) from error
        changes = tuple(repair.change() for repair in self.repairs)
        if not rest:
            return Edited(changes, self.repaired.describe(), self.render)
        edited = self.repaired.edit(rest, rules)
        later = tuple(replace(change, edit=change.edit + 1) for change in edited.changes)
        return replace(edited, changes=changes + later)


def repair_mount(subject: Subject, _edit: Edit) -> MountEffect:
    """The proven sizes of a mount that can be read as it is. Raises `EditError` for none."""
    fixes = prove(subject.mount.record)
    if not fixes:
        raise EditError(f"{subject.label} has no length that is wrong.")
    patches = [Patch(f.at, f.at + 4, f.new.to_bytes(4, "little", signed=True)) for f in fixes]
    bytes_ = ", ".join(f"byte {f.at}: {_pairs(f.old)} → {_pairs(f.new)}" for f in fixes)
    return MountEffect(patches, {}, {("wrong_lengths",): []}, f"In its record, {bytes_}.")


def _pairs(number: int) -> str:
    return number.to_bytes(4, "little", signed=True).hex(" ")
