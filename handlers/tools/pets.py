"""/pets: the mounts of a Mounts.json, as a form."""

from collections.abc import Callable, Iterator

from handlers.tools.base import ToolPages
from portal.jsontypes import JSON, JSONObject
from portal.saves.experience import LEVELS
from portal.saves.mount_edits import GENETICS, SEXES, VARIATIONS
from portal.saves.mounts import TOOL
from portal.uploads.form import Field, as_typed, name, number, objects

Numbered = Callable[[int], JSONObject]


class MountFields:
    """The fields of one mount: those that its save has. Their names begin with `prefix`."""

    def __init__(self, mount: JSONObject) -> None:
        self._mount = mount
        self._at: JSONObject = {"mount": mount["number"]}
        self.prefix = f"m{mount['number']}-"

    def all(self) -> Iterator[Field]:
        """Every one, in the order in which the edits are made: a copy is of what stands before."""
        allowed = self._mount["edits"]
        made: dict[str, Callable[[], Iterator[Field]]] = {
            "rename": self._names,
            "level": lambda: self._numbers("level", "Level", LEVELS, "Sets the experience too."),
            "sex": self._sexes,
            "variation": lambda: self._numbers("variation", "Variation", VARIATIONS, "Its look."),
            "genetics": self._genes,
            "reset_talents": lambda: self._tick("reset_talents", "Reset its talents"),
            "clone": self._clones,
            "delete": lambda: self._tick("delete", "Delete it"),
        }
        for edit, fields in made.items():
            if isinstance(allowed, list) and edit in allowed:
                yield from fields()

    def _names(self) -> Iterator[Field]:
        yield Field(
            f"{self.prefix}name",
            "Name",
            "text",
            as_typed(self._mount["name"]),
            lambda typed: {"edit": "rename", **self._at, "name": name(typed)},
        )

    def _numbers(self, key: str, label: str, allowed: range, hint: str) -> Iterator[Field]:
        yield self._number(
            key,
            label,
            self._mount[key],
            allowed,
            lambda value: {"edit": key, **self._at, key: value},
            f"{allowed[0]} to {allowed[-1]}. {hint}",
        )

    def _number(
        self, key: str, label: str, value: JSON, allowed: range, edit: Numbered, hint: str = ""
    ) -> Field:
        # A value beyond what can be chosen may stay as it is.
        known = value if isinstance(value, int) else allowed[0]
        return Field(
            f"{self.prefix}{key}",
            label,
            "number",
            as_typed(value),
            lambda typed: edit(number(label, typed, allowed)),
            bounds=(min(allowed[0], known), max(allowed[-1], known)),
            hint=hint,
        )

    def _sexes(self) -> Iterator[Field]:
        value = as_typed(self._mount["sex"])
        yield Field(
            f"{self.prefix}sex",
            "Sex",
            "choice",
            value,
            lambda typed: {"edit": "sex", **self._at, "sex": number("Sex", typed, SEXES)},
            tuple((n, n) for n in dict.fromkeys([*map(str, SEXES), value])),
            hint="A number in the save; the game shows which is which.",
        )

    def _genes(self) -> Iterator[Field]:
        genes = self._mount["genetics"]
        for index, (gene, value) in enumerate(genes.items() if isinstance(genes, dict) else ()):
            if value is not None:
                yield self._number(f"gene{index}", gene, value, GENETICS, self._gene(gene))

    def _gene(self, gene: str) -> Numbered:
        return lambda value: {"edit": "genetics", **self._at, "values": {gene: value}}

    def _tick(self, kind: str, label: str) -> Iterator[Field]:
        yield Field(
            f"{self.prefix}{kind}", label, "check", "", lambda _: {"edit": kind, **self._at}
        )

    def _clones(self) -> Iterator[Field]:
        if self._mount["name"] is None:
            yield from self._tick("clone", "Add a copy of it")
            return
        yield Field(
            f"{self.prefix}clone",
            "Add a copy of it, named",
            "text",
            "",
            lambda typed: {"edit": "clone", **self._at, "name": name(typed)},
            hint="Empty for no copy.",
        )


def fields(description: JSONObject) -> list[Field]:
    """Every field of every mount."""
    return [field for mount in objects(description["mounts"]) for field in MountFields(mount).all()]


def arrange(edits: list[JSONObject]) -> list[JSONObject]:
    """One edit for all genes of a mount, and nothing but a copy of what is deleted anyway."""
    deleted = [edit["mount"] for edit in edits if edit["edit"] == "delete"]
    genes: dict[JSON, dict[str, JSON]] = {}
    arranged: list[JSONObject] = []
    for edit in edits:
        mount, values = edit["mount"], edit.get("values")
        if mount in deleted and edit["edit"] not in ("clone", "delete"):
            continue
        if not isinstance(values, dict):
            arranged.append(edit)
        elif mount in genes:
            genes[mount].update(values)
        else:
            genes[mount] = dict(values)
            arranged.append({**edit, "values": genes[mount]})
    return arranged


PAGES = ToolPages(
    tool=TOOL,
    title="Pets",
    lead="Look into a Mounts.json and change your mounts: names, levels, genetics, looks, copies.",
    template="tools/mounts.html",
    default_name="Mounts.json",
    folder=r"%LOCALAPPDATA%\Icarus\Saved\PlayerData\<your Steam ID>\Mounts.json",
    fields=fields,
    arrange=arrange,
    context={"fields_of": MountFields},
)
