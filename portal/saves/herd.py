"""The mounts of one file while edits are applied to them, one after the other."""

from collections.abc import Iterator

from portal.jsontypes import JSON, JSONObject
from portal.saves.clones import own_guid, own_identity
from portal.saves.document import Document
from portal.saves.edits import Edit
from portal.saves.errors import EditError
from portal.saves.jsontext import Node
from portal.saves.limits import FILE_BYTES
from portal.saves.mount import Mount
from portal.saves.mount_edits import EDITS, MountEffect, Subject, named, possible
from portal.saves.plain import Change, Doubt, get, put_all
from portal.saves.repairs import repair_mount
from portal.saves.rules import NO_RULES, Rules
from portal.saves.splices import relisted

MAX_MOUNTS = 1000  # 16 MiB hold some 300 real ones
_EDITS = {**EDITS, "own_guid": own_guid, "repair": repair_mount}


class Herd:
    """The mounts while edits are applied, one after the other; None is a deleted one."""

    def __init__(
        self,
        document: Document,
        array: Node,
        mounts: tuple[Mount, ...],
        cards: tuple[JSONObject, ...],
        rules: Rules = NO_RULES,
    ) -> None:
        self._document, self._array, self._rules = document, array, rules
        self._mounts: list[Mount | None] = list(mounts)
        self._cards = list(cards)
        self.changes: list[Change] = []
        self.unconfirmed: list[str] = []
        self._edit = 0

    def living(self) -> list[JSONObject]:
        """What the mounts are that are left."""
        return [card for card, mount in zip(self._cards, self._mounts, strict=True) if mount]

    def render(self) -> bytes:
        """The file with the mounts as they are now."""
        texts = [(mount.node, mount.text()) for mount in self._mounts if mount]
        return self._document.changed([(self._array, relisted(self._array, texts))])

    def apply(self, edit: Edit) -> None:
        """Apply one edit. Raises `EditError`; nothing of it is applied then."""
        self._edit += 1
        at = edit.integer("mount", range(1, len(self._mounts) + 1)) - 1
        mount = self._mounts[at]
        subject_label = label(at + 1, self._cards[at])
        if mount is None:
            raise EditError(f"{subject_label} is deleted by an edit before.")
        subject = Subject(subject_label, mount, self._cards[at], self.living(), self._rules)
        if edit.kind == "delete":
            self._mounts[at] = None
            self.changes.append(Change(subject.label, (), subject.card, None, edit=self._edit))
        elif edit.kind == "clone":
            self._clone(subject, edit)
        else:
            self._change(at, subject, _EDITS[edit.kind](subject, edit))

    def _change(self, at: int, subject: Subject, effect: MountEffect) -> None:
        changed = [
            Change(subject.label, path, before, value, effect.note, self._edit)
            for path, value in effect.after.items()
            if (before := get(subject.card, path)) != value
        ]
        if not changed:
            return  # as it is: then not even its spelling in bytes is touched
        self.changes += changed
        if effect.unconfirmed:
            self.unconfirmed.append(effect.unconfirmed)
        self._cards[at] = put_all(subject.card, effect.after)
        self._mounts[at] = subject.mount.patched(effect.patches, effect.fields)

    def _clone(self, subject: Subject, edit: Edit) -> None:
        length = sum(m.node.end - m.node.start for m in (*self._mounts, subject.mount) if m)
        if length > FILE_BYTES:
            raise EditError(
                f"With that clone the file would be larger than {FILE_BYTES >> 20} MiB."
            )
        effects = [own_identity(subject, self._cards, only_guid=False)]
        if edit.has("name"):
            effects.append(named(subject, edit.name("name")))
        card = subject.card
        for effect in effects:
            card = put_all(card, effect.after)
        patches = [patch for effect in effects for patch in effect.patches]
        fields = {key: text for effect in effects for key, text in effect.fields.items()}
        self._mounts.append(subject.mount.patched(patches, fields))
        self._cards.append(card)
        self.changes.append(Change(label(len(self._cards), card), (), None, card, edit=self._edit))


def label(number: int, card: JSONObject) -> str:
    """A mount in a sentence."""
    return f"Mount {number} ({card['name'] or 'without a name'})"


def describe_herd(tool: str, cards: list[JSONObject]) -> JSONObject:
    """The description of a whole file: the mounts with their numbers and possible edits."""
    mounts: list[JSON] = [
        {"number": number, **card, "edits": possible(card)} for number, card in enumerate(cards, 1)
    ]
    doubts = [*_differing_names(cards), *_shared_guids(cards), *_wrong_lengths(cards)]
    return {"tool": tool, "mounts": mounts, "warnings": [doubt.plain() for doubt in doubts]}


def _differing_names(cards: list[JSONObject]) -> Iterator[Doubt]:
    for number, card in enumerate(cards, 1):
        if get(card, ("inside", "name")) not in (None, card["name"]):
            yield Doubt("copies", f"{label(number, card)} has another name inside.")


def _shared_guids(cards: list[JSONObject]) -> Iterator[Doubt]:
    """Every mount that has the IcarusActorGUID of one before it."""
    first: dict[JSON, str] = {}
    for number, card in enumerate(cards, 1):
        guid, name = card["guid"], label(number, card)
        if guid is None or guid == 0:  # none was given to it yet
            continue
        if guid in first:
            sentence = (
                f"{name} has the same IcarusActorGUID ({guid}) as {first[guid]}: "
                "the game may take the two for one."
            )
            yield Doubt("guid", sentence, {"edit": "own_guid", "mount": number})
        first.setdefault(guid, name)


def _wrong_lengths(cards: list[JSONObject]) -> Iterator[Doubt]:
    for number, card in enumerate(cards, 1):
        names = card["wrong_lengths"]
        if isinstance(names, list) and names:
            said = ", ".join(map(str, names))
            yield Doubt(
                "length",
                f"{label(number, card)} has a wrong length inside ({said}); what stands around it "
                "proves the right one.",
                {"edit": "repair", "mount": number},
            )
