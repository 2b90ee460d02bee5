"""/pets: the mounts of a Mounts.json, as a form."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from handlers.tools.base import ToolPages
from handlers.tools.gamedata import GameData
from handlers.tools.herd import arrange, pick, shown_mounts, together
from portal.jsontypes import JSON, JSONObject
from portal.saves.edits import Edit
from portal.saves.errors import EditError
from portal.saves.experience import curve_of
from portal.saves.mount_edits import GENETICS, SEXES, VARIATIONS
from portal.saves.mounts import TOOL
from portal.uploads.form import Field, as_typed, name, number, objects

Numbered = Callable[[int], JSONObject]


class MountFields:
    """The fields of one mount: those that its save has. Their names begin with `prefix`."""

    def __init__(self, mount: JSONObject, game: GameData) -> None:
        self._mount, self._game = mount, game
        self._at: JSONObject = {"mount": mount["number"]}
        self.prefix = f"m{mount['number']}-"

    def all(self) -> Iterator[Field]:
        """Every one, in the order in which the edits are made: a copy is of what stands before."""
        allowed = self._mount["edits"]
        made: dict[str, Callable[[], Iterator[Field]]] = {
            "rename": self._names,
            "level": self._levels,
            "sex": self._sexes,
            "variation": lambda: self._numbers("variation", "Variation", VARIATIONS, "Its look."),
            "lineage": self._lineages,
            "genetics": self._genes,
            "talents": self._talents,
            "reset_talents": lambda: self._tick("reset_talents", "Reset its talents"),
            "own_guid": lambda: self._tick("own_guid", "Give it an IcarusActorGUID of its own"),
            "repair": lambda: self._tick("repair", "Repair its lengths"),
            "clone": self._clones,
            "delete": lambda: self._tick("delete", "Delete it"),
            "pick": self._pick,
        }
        for edit, fields in made.items():
            if edit == "pick" or (isinstance(allowed, list) and edit in allowed):
                yield from fields()

    def _names(self) -> Iterator[Field]:
        yield Field(
            f"{self.prefix}name",
            "Name",
            "text",
            as_typed(self._mount["name"]),
            lambda typed: {"edit": "rename", **self._at, "name": name(typed)},
        )

    def _levels(self) -> Iterator[Field]:
        curve = curve_of(self._mount["species"])
        if curve:
            hint = "Sets the experience too; a lower level is asked for twice."
            yield from self._numbers("level", "Level", curve.levels, hint)

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
        names = {str(n): self._game.name("sexes", n) for n in SEXES}
        known = all(name != number for number, name in names.items())
        yield Field(
            f"{self.prefix}sex",
            "Sex",
            "choice",
            value,
            lambda typed: {"edit": "sex", **self._at, "sex": number("Sex", typed, SEXES)},
            tuple((n, names.get(n, n)) for n in dict.fromkeys([*names, value])),
            hint="" if known else "1 or 2, as the file has it; compare with one you know.",
        )

    def _lineages(self) -> Iterator[Field]:
        yield Field(
            f"{self.prefix}lineage",
            "Lineage",
            "text",
            as_typed(self._mount["lineage"]),
            lambda typed: {"edit": "lineage", **self._at, "lineage": _identifier(typed)},
            hint="As the file has it: letters, digits and underscores.",
        )

    def _genes(self) -> Iterator[Field]:
        genes = self._mount["genetics"]
        for index, (gene, value) in enumerate(genes.items() if isinstance(genes, dict) else ()):
            if value is not None:
                label = self._game.name("genetics", gene)
                yield self._number(f"gene{index}", label, value, GENETICS, self._gene(gene))

    def _gene(self, gene: str) -> Numbered:
        return lambda value: {"edit": "genetics", **self._at, "values": {gene: value}}

    def _talents(self) -> Iterator[Field]:
        talents = self._mount["talents"]
        ranks = self._game.rules.ranks
        for index, (talent, rank) in enumerate(
            talents.items() if isinstance(talents, dict) else ()
        ):
            if isinstance(rank, int):
                most = max(ranks.get(talent, 0), rank)
                label = self._game.name("talents", talent)
                hint = f"0 to {most}." if talent in ranks else f"0 to {most}; no catalog has it."
                edit = self._talent(talent)
                yield self._number(f"talent{index}", label, rank, range(most + 1), edit, hint)

    def _talent(self, talent: str) -> Numbered:
        return lambda value: {"edit": "talents", **self._at, "ranks": {talent: value}}

    def _tick(self, kind: str, label: str) -> Iterator[Field]:
        yield Field(
            f"{self.prefix}{kind}", label, "check", "", lambda _: {"edit": kind, **self._at}
        )

    def _pick(self) -> Iterator[Field]:
        label = f"Pick {as_typed(self._mount['name']) or 'it'}"
        yield Field(f"{self.prefix}pick", label, "check", "", lambda _: pick(self._mount))

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


def _identifier(typed: str) -> str:
    asked: JSONObject = {"edit": "lineage", "lineage": typed.strip()}
    try:
        return Edit(asked, {"lineage": frozenset({"lineage"})}).identifier("lineage")
    except EditError as error:
        raise EditError(f"The lineage{error.sentence.removeprefix('lineage: lineage')}") from error


def fields(description: JSONObject, game: GameData) -> list[Field]:
    """Every field of every mount, and those that change several mounts at once."""
    if description.get("broken"):
        return [Field("repair", "Repair it", "check", "", lambda _: {"edit": "repair"})]
    mounts = objects(description["mounts"])
    for mount in mounts:
        mount["edits"] = [*_edits(mount), *_remedies(description, mount["number"])]
    own = [field for mount in mounts for field in MountFields(mount, game).all()]
    return [*own, *together(mounts)]


def _edits(mount: JSONObject) -> list[JSON]:
    edits = mount["edits"]
    return list(edits) if isinstance(edits, list) else []


def _remedies(description: JSONObject, mount: JSON) -> Iterator[JSON]:
    """The edits that mend what does not match in a mount."""
    for doubt in objects(description["warnings"]):
        remedy = doubt.get("remedy")
        if isinstance(remedy, dict) and remedy.get("mount") == mount:
            yield remedy["edit"]


def context(description: JSONObject, game: GameData, asked: Mapping[str, str]) -> Mapping[str, Any]:
    """What the page shows besides: which mounts, filtered by `q`, `species` and `level`."""
    if description.get("broken"):
        return {}
    mounts = objects(description["mounts"])
    return {
        "fields_of": lambda mount: MountFields(mount, game),
        "shown": shown_mounts(mounts, game, asked),
        "asked": asked,
        "species": sorted({str(m["species"]) for m in mounts if m["species"]}),
    }


PAGES = ToolPages(
    tool=TOOL,
    title="Pets",
    lead="Look into a Mounts.json and change your mounts: names, levels, genetics, looks, copies.",
    template="tools/mounts.html",
    default_name="Mounts.json",
    fields=fields,
    arrange=arrange,
    context=context,
)
