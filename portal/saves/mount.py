"""One mount of a Mounts.json: its JSON object, and the record of property tags in it.

`BinaryData` is a list of bytes that are a stream of tags. Every field is optional: older saves lack
genetics, sex and lineage. The name stands in both places, the level only in the JSON.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from portal.jsontypes import JSONObject
from portal.saves.errors import SaveError
from portal.saves.jsontext import Node
from portal.saves.patches import Patch, apply_patches
from portal.saves.splices import relisted_integers, replaced
from portal.saves.tags import Properties, Tag, read_properties, read_struct, read_structs
from portal.saves.values import read_integer, read_text

MAX_TEXT = 2 << 20  # characters of BinaryData; real ones have some 50,000
MAX_ELEMENTS = 1000  # in one array; a real mount has some 30 talents


@dataclass(frozen=True, slots=True)
class Mount:
    """A mount; `fields` are the members of its JSON object that were given another text."""

    node: Node
    data: Node
    record: bytes
    properties: Properties
    fields: Mapping[str, str] = field(default_factory=dict)
    rewritten: bool = False

    def patched(self, patches: Iterable[Patch], fields: Mapping[str, str]) -> "Mount":
        """The mount with its record patched and members of its JSON object replaced."""
        record = apply_patches(self.record, patches)
        return replace(
            self,
            record=record,
            properties=read_properties(record, 0, len(record)),
            fields={**self.fields, **fields},
            rewritten=self.rewritten or record != self.record,
        )

    def text(self) -> str:
        """Its JSON object: verbatim but for what was changed."""
        changes = [(self.node.members[key], new) for key, new in self.fields.items()]
        if self.rewritten:
            changes.append((self.data, relisted_integers(self.data, self.record)))
        return replaced(self.node, changes)

    def tag(self, name: str) -> Tag | None:
        """A property of the record."""
        return self.properties.tags.get(name)

    def structs(self, name: str) -> list[Properties]:
        """An array of structs."""
        return list(read_structs(self.record, self.tag(name), MAX_ELEMENTS))

    def elements(self, name: str, key: str) -> dict[str, Properties]:
        """An array of structs by the text in their property `key`."""
        found = {}
        for element in self.structs(name):
            text = read_text(self.record, element.tags.get(key))
            if text is not None:
                found[text] = element
        return found

    def integers(self, name: str, key: str, value: str) -> dict[str, int | None]:
        """An array of structs as names (in `key`) and numbers (in `value`)."""
        return {
            text: read_integer(self.record, element.tags.get(value))
            for text, element in self.elements(name, key).items()
        }


def read_mount(node: Node) -> Mount:
    """Read one element of `SavedMounts`. Raises `SaveError`."""
    record, data = read_record(node)
    return Mount(node, data, record, read_properties(record, 0, len(record)))


def read_record(node: Node) -> tuple[bytes, Node]:
    """The bytes of a mount's record, and the list of numbers that they stand in as JSON."""
    blob = node.get("RecorderBlob")
    data = blob.get("BinaryData") if blob else None
    numbers = data.integers() if data else None
    if data is None or numbers is None:
        raise SaveError("it has no BinaryData that is a list of numbers.")
    if data.end - data.start > MAX_TEXT:
        raise SaveError(f"its BinaryData has more than {MAX_TEXT >> 20} MiB.")
    try:
        return bytes(numbers), data
    except ValueError as e:
        raise SaveError("its BinaryData holds a number that is not a byte.") from e


def describe_mount(mount: Mount, wrong_lengths: Sequence[str] = ()) -> JSONObject:
    """What a mount is, as it was read; None for what the save does not say.

    `inside` is the record's own copy, `guid` to `path` are what tells it from other mounts;
    `wrong_lengths` names the properties whose size is wrong although the rest can be read.
    """
    record, tag = mount.record, mount.tag
    character = read_struct(record, tag("CharacterRecord"))
    variables = mount.integers("IntVariables", "VariableName", "iVariable")
    level = mount.node.get("MountLevel")
    name = _member(mount, "MountName")
    inside = read_text(record, tag("MountName"))
    return {
        "name": inside if name is None else name,
        "type": _member(mount, "MountType"),
        "species": read_text(record, tag("AISetupRowName")),
        "level": level.integer() if level else None,
        "last_level": variables.get("LastLevelAchieved"),
        "experience": read_integer(record, tag("Experience")),
        "health": read_integer(record, character.tags.get("CurrentHealth")) if character else None,
        "sex": read_integer(record, tag("Sex")),
        "variation": read_integer(record, tag("Variation")),
        "lineage": read_text(record, tag("Lineage")),
        "mother": read_text(record, tag("MotherName")),
        "father": read_text(record, tag("FatherName")),
        "owner": read_text(record, tag("OwnerName")),
        "genetics": dict(mount.integers("Genetics", "GeneticValueName", "Value")),
        "talents": dict(mount.integers("Talents", "TalentRowName", "TalentRank")),
        "icon": _member(mount, "MountIconName"),
        "guid": read_integer(record, tag("IcarusActorGUID")),
        "object": read_text(record, tag("ObjectFName")),
        "path": read_text(record, tag("ActorPathName")),
        "inside": {"name": inside},
        "wrong_lengths": list(wrong_lengths),
    }


def _member(mount: Mount, key: str) -> str | None:
    member = mount.node.get(key)
    return member.string() if member else None
