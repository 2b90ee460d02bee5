"""What the operator's catalog says of the game, as far as edits need it: plain data from outside.

Nothing of the game is written in the code: talents have the ranks, and Great Hunts the order, that
the catalog's tables give them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from portal.jsontypes import JSON, JSONObject


@dataclass(frozen=True, slots=True)
class Rules:
    """What talents and Great Hunts allow; empty where there is no catalog.

    `hunts` are the talents that a mission gives to the world, `requires` those that a talent needs
    before it, `ranks` the highest rank of a talent, `trees` the tree in which a talent stands.
    """

    hunts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    requires: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ranks: Mapping[str, int] = field(default_factory=dict)
    trees: Mapping[str, str] = field(default_factory=dict)

    def plain(self) -> JSONObject:
        """For the way to a worker process."""
        return {
            "hunts": {name: list(talents) for name, talents in self.hunts.items()},
            "requires": {name: list(talents) for name, talents in self.requires.items()},
            "ranks": dict(self.ranks),
            "trees": dict(self.trees),
        }

    def following(self, talents: set[str]) -> set[str]:
        """These talents and every one that requires one of them, at any distance."""
        found = set(talents)
        while more := {
            name
            for name, needed in self.requires.items()
            if name not in found and not found.isdisjoint(needed)
        }:
            found |= more
        return found


NO_RULES = Rules()


def read_rules(plain: JSON) -> Rules:
    """Rules as `Rules.plain` gives them; what has another form is left out."""
    members = plain if isinstance(plain, Mapping) else {}
    return Rules(
        dict(_lists(members.get("hunts"))),
        dict(_lists(members.get("requires"))),
        {name: rank for name, rank in _items(members.get("ranks")) if isinstance(rank, int)},
        {name: tree for name, tree in _items(members.get("trees")) if isinstance(tree, str)},
    )


def _items(value: JSON) -> Iterator[tuple[str, JSON]]:
    yield from value.items() if isinstance(value, Mapping) else ()


def _lists(value: JSON) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, names in _items(value):
        if isinstance(names, list):
            yield name, tuple(each for each in names if isinstance(each, str))
