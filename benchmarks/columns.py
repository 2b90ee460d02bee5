"""Column types of generated data tables, and the form of their values in a file."""

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from json import JSONEncoder
from typing import Any, Protocol

from benchmarks.vocabulary import Vocabulary

NEWLINE = "\r\n"
HANDLES, DEEP_HANDLES = 4, 2  # weights among the columns of a table
LOST = 0.05  # of the references by default: as many lead nowhere in a real week
DEPTH = 3  # tabs before a field of a row
_encode = JSONEncoder(indent="\t", ensure_ascii=False).encode


class World(Protocol):
    """What makes a value: the random generator, the vocabulary, and rows to refer to."""

    draws: random.Random
    words: Vocabulary

    def reference(self) -> dict[str, str]:
        """A reference to any row of any table."""

    def target(self) -> tuple[str, list[str]]:
        """The name and the rows of a table that a column refers to; no rows where there is none."""


@dataclass(frozen=True, slots=True)
class Place:
    """The cell that a value is for."""

    world: World
    table: str
    row: str
    column: str


def encoded(value: object, depth: int) -> str:
    """JSON as the game writes it: tabs, CRLF, one member on each line, unescaped UTF-8."""
    return _encode(value).replace("\n", NEWLINE + "\t" * depth)


def _text(at: Place, fewest: int, most: int) -> str:
    quoted = at.world.words.sentence(fewest, most).replace('"', "'")
    return f'NSLOCTEXT("{at.table}", "{at.row}-{at.column}", "{quoted}")'


def _title(at: Place) -> str:
    return f'NSLOCTEXT("{at.table}", "{at.row}-{at.column}", "{at.row.replace("_", " ")}")'


def _single(at: Place) -> float:
    """A 32-bit float, written with the digits of a 64-bit one."""
    single: float = struct.unpack("f", struct.pack("f", at.world.draws.random() * 100))[0]
    return single


def _asset(at: Place) -> str:
    folder = "/".join(at.world.words.nouns(2, 4))
    return f"/Game/Assets/{folder}/{at.row}.{at.row}"


def _tag(at: Place) -> dict[str, str]:
    return {"TagName": ".".join(at.world.words.nouns(2, 4))}


def _amounts(at: Place) -> list[dict[str, Any]]:
    draws = at.world.draws
    return [
        {"Element": at.world.reference(), "Count": draws.randint(1, 60)}
        for _ in range(draws.randint(1, 4))
    ]


def _stats(at: Place) -> dict[str, int]:
    draws = at.world.draws
    names = at.world.words.nouns(1, 5)
    return {f'(Value="Base{name}_+%")': draws.randint(-50, 200) for name in names}


def _curve(at: Place) -> dict[str, Any]:
    draws = at.world.draws
    points = [
        {"Time": n, "Value": round(draws.random(), 3), "InterpMode": "RCIM_Linear"}
        for n in range(draws.randint(2, 4))
    ]
    return {"Keys": points, "DefaultValue": 0, "bLooping": draws.random() < 0.5}


def _handle(world: World) -> tuple[Any, Callable[[Place], Any]]:
    """A column whose default names the table: its rows name only the row, one in twenty of them a
    row that is not there."""
    table, rows = world.target()

    def make(at: Place) -> dict[str, str]:
        lost = not rows or at.world.draws.random() < LOST
        return {"RowName": f"{at.row}_Gone" if lost else at.world.draws.choice(rows)}

    return {"RowName": "None", "DataTableName": table}, make


def _deep_handle(world: World) -> tuple[Any, Callable[[Place], Any]]:
    """The same within an object."""
    default, make = _handle(world)
    return {"Handle": default, "Priority": 0}, lambda at: {"Handle": make(at)}


# By name: the weight among columns, the default, and a function that makes a value.
KINDS: dict[str, tuple[int, Any, Callable[[Place], Any]]] = {
    "text": (2, "", lambda at: _text(at, 3, 30)),
    "whole": (5, 0, lambda at: at.world.draws.randint(-10, 5000)),
    "single": (3, 1.0, _single),
    "flag": (3, False, lambda at: at.world.draws.random() < 0.7),
    "enum": (2, "None", lambda at: f"E{at.column}::{at.world.words.nouns(1, 1)[0]}"),
    "asset": (2, "None", _asset),
    "tag": (1, {"TagName": "None"}, _tag),
    "reference": (
        3,
        {"RowName": "None", "DataTableName": "None"},
        lambda at: at.world.reference(),
    ),
    "amounts": (1, [], _amounts),
    "stats": (1, {}, _stats),
    "curve": (1, {"Keys": [], "DefaultValue": 0, "bLooping": False}, _curve),
}
# By name: the weight, and a function that makes the default and the maker of values.
BOUND = {"handle": (HANDLES, _handle), "deep handle": (DEEP_HANDLES, _deep_handle)}
NAMING = {"DisplayName": _title, "Description": lambda at: _text(at, 5, 40)}


@dataclass(slots=True)
class Column:
    """One column of one table. `given` is the share of rows with a value of their own."""

    name: str
    default: Any
    make: Callable[[Place], Any]
    given: float

    def field(self, at: Place) -> str:
        """The JSON member of a row; empty if the row has the default."""
        if at.world.draws.random() >= self.given:
            return ""
        return member(self.name, self.make(at), DEPTH)


def member(name: str, value: object, depth: int) -> str:
    """One member of a JSON object."""
    return "\t" * depth + f'"{name}": {encoded(value, depth)}'


def some_columns(world: World, *, large: bool) -> list[Column]:
    """Columns for a new table: names and descriptions in most, the rest by chance.

    Large tables all have about the same number of columns; otherwise a few of them would decide
    the size of the whole set.
    """
    columns = []
    if large or world.draws.random() < 0.7:
        columns = [Column(name, "", make, 0.9) for name, make in NAMING.items()]
    taken = set(NAMING)
    bounds = (6, 9) if large else (2, 16)
    weights = {name: weight for name, (weight, _, _) in KINDS.items()}
    weights |= {name: weight for name, (weight, _) in BOUND.items()}
    count = world.draws.randint(*bounds)
    for kind in world.draws.choices(list(weights), list(weights.values()), k=count):
        default, make = BOUND[kind][1](world) if kind in BOUND else KINDS[kind][1:]
        name = world.words.camel(taken)
        taken.add(name)
        columns.append(Column(name, default, make, world.draws.choice((0.2, 0.5, 0.8, 1.0))))
    return columns
