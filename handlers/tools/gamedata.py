"""What the operator's catalog says of the things in a save: names for people, rules for edits.

No table is named here. A table is known by what it holds: the rows that the save names, and the
fields that such rows have in the game's tables.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from portal.catalog.library import Library
from portal.catalog.model import StoredRow, TableEntry
from portal.catalog.snapshot import Catalog
from portal.catalog.tables import defaults
from portal.catalog.values import Value, localized
from portal.errors import PortalError
from portal.jsontypes import JSON, JSONObject
from portal.saves.rules import NO_RULES, Rules
from portal.uploads.form import objects

TITLE = "DisplayName"  # the field that the game shows of a row
REWARDS, REQUIRED, TREE = "Rewards", "RequiredTalents", "TalentTree"  # of a talent; a rank a reward
HUNT = "GreatHuntReward"  # of a mission: the talents that its world gets
MOST_NAMES = 3000  # that are looked up for one save


@dataclass(frozen=True, slots=True)
class GameData:
    """Names by kind (`talents`, `species`, …) and the save's own name, and rules.

    Empty where there is no catalog, or where it does not have what is in the save.
    """

    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    rules: Rules = NO_RULES

    def name(self, kind: str, own: JSON) -> str:
        """The name for people; the save's own where the catalog has none."""
        return self.names.get(kind, {}).get(str(own), "") or ("" if own is None else str(own))


NO_GAME = GameData()


async def game_data(library: Library, tool: str, description: JSONObject) -> GameData:
    """Look up what is in a save; nothing where the catalog is empty or cannot be read."""
    wanted = _wanted_of_mounts(description) if tool == "pets" else _wanted_of_world(description)
    try:
        return await library.read(lambda catalog: _looked_up(catalog, wanted))
    except PortalError:
        return NO_GAME  # a save is edited without a catalog, too


def _wanted_of_mounts(description: JSONObject) -> dict[str, set[str]]:
    wanted: dict[str, set[str]] = {"talents": set(), "species": set(), "genetics": set()}
    for mount in objects(description.get("mounts")):
        for kind in ("talents", "genetics"):
            names = mount.get(kind)
            wanted[kind] |= set(map(str, names)) if isinstance(names, Mapping) else set()
        wanted["species"].add(str(mount.get("species")))
    return wanted


def _wanted_of_world(description: JSONObject) -> dict[str, set[str]]:
    missions = {str(each["mission"]) for each in objects(description.get("missions"))}
    places = {str(description.get(key)) for key in ("prospect", "map")}
    return {
        "missions": missions | {str(description.get("mission"))},
        "talents": {str(each["name"]) for each in objects(description.get("hunts"))} | missions,
        "places": places,
        "species": {str(each["species"]) for each in objects(description.get("animals"))},
        "items": {
            str(item["item"])
            for inventory in objects(description.get("inventories"))
            for item in objects(inventory["items"])
        },
    }


class _Lookup:
    """Rows of the newest version by their names."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._dataset = catalog.dataset(catalog.version(None))
        self._left = MOST_NAMES

    def rows(self, name: str) -> list[tuple[TableEntry, StoredRow]]:
        """The rows of that name, in all tables."""
        if not name or name == "None" or self._left <= 0:
            return []
        self._left -= 1
        found = self._catalog.held(self._dataset, self._catalog.ids("hits_by_name", row=name))
        tables = self._catalog.places.tables
        exact = [row for row in self._catalog.items(found) if row.name == name]
        return [(self._dataset.by_id[tables[row.id]], row) for row in exact]

    def table(self, entry: TableEntry) -> list[StoredRow]:
        """All rows of a table."""
        return self._catalog.items(self._catalog.members(entry))

    def has(self, entry: TableEntry, name: str) -> bool:
        """Whether rows of a table have a field."""
        return name in self._catalog.fields(entry) or name in self._usual(entry)

    def title(self, entry: TableEntry, row: StoredRow) -> str:
        """What the game shows of a row: its own title, or that of a row that it refers to."""
        if own := _text(row.body.get(TITLE)):
            return own
        usual = self._usual(entry)
        links = [
            (table, target)
            for name in dict.fromkeys([*row.body, *usual])
            for table, target in _link(row.body.get(name), usual.get(name))
        ]
        # Of several the one that is named alike: Item_Rope is what Rope looks like.
        links.sort(key=lambda link: row.name.casefold() not in link[1].casefold())
        for table, target in links[:8]:
            for other, linked in self.rows(target):
                if other.name == table and (found := _text(linked.body.get(TITLE))):
                    return found
        return ""

    def _usual(self, entry: TableEntry) -> Mapping[str, Value]:
        return defaults(self._catalog.head(entry))


def _looked_up(catalog: Catalog, wanted: Mapping[str, set[str]]) -> GameData:
    lookup = _Lookup(catalog)
    names: dict[str, dict[str, str]] = {}
    talents: TableEntry | None = None
    missions: TableEntry | None = None
    for kind, own in wanted.items():
        found = {name: lookup.rows(name) for name in sorted(own)}
        # The table that has most of what the save names is the one that is meant.
        counted = Counter(entry for rows in found.values() for entry, _ in rows)
        ordered = [entry for entry, _ in counted.most_common()]
        names[kind] = dict(_titles(lookup, found, ordered))
        if kind == "talents":
            talents = next((e for e in ordered if lookup.has(e, REWARDS)), None)
        if kind == "missions":
            missions = next((e for e in ordered if lookup.has(e, HUNT)), None)
    return GameData(names, _rules(lookup, talents, missions))


def _titles(
    lookup: _Lookup,
    found: Mapping[str, Sequence[tuple[TableEntry, StoredRow]]],
    ordered: list[TableEntry],
) -> Iterator[tuple[str, str]]:
    for name, rows in found.items():
        for entry, row in sorted(rows, key=lambda place: ordered.index(place[0])):
            if title := lookup.title(entry, row):
                yield name, title
                break


def _rules(lookup: _Lookup, talents: TableEntry | None, missions: TableEntry | None) -> Rules:
    rows = lookup.table(talents) if talents else []
    given = lookup.table(missions) if missions else []
    return Rules(
        hunts={row.name: targets for row in given if (targets := _targets(row.body.get(HUNT)))},
        requires={
            row.name: targets for row in rows if (targets := _targets(row.body.get(REQUIRED)))
        },
        ranks={
            row.name: len(rewards)
            for row in rows
            if isinstance(rewards := row.body.get(REWARDS), list) and rewards
        },
        trees={row.name: tree for row in rows for tree in _targets([row.body.get(TREE)])},
    )


def _text(value: Value) -> str:
    text = localized(value)
    return text.text.strip() if text else ""


def _targets(value: Value) -> tuple[str, ...]:
    """The rows that a list of references, or one reference, names."""
    found = value if isinstance(value, list) else [value]
    rows = (each.get("RowName") for each in found if isinstance(each, Mapping))
    return tuple(row for row in rows if isinstance(row, str) and row not in ("", "None"))


def _link(own: Value, usual: Value) -> Iterator[tuple[str, str]]:
    """The table and row that a field refers to; what it leaves out is the table's default."""
    whole = {
        **(usual if isinstance(usual, Mapping) else {}),
        **(own if isinstance(own, Mapping) else {}),
    }
    table, row = whole.get("DataTableName"), whole.get("RowName")
    if isinstance(table, str) and isinstance(row, str) and row not in ("", "None"):
        yield table.rpartition("/")[2].rpartition(".")[2], row
