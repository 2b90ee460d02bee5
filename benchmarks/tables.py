"""Generator of data tables as large as a real game's, and of a week's changes in them.

281 tables in 76 categories, 33,000 rows, 26 MB; a week touches about 46 tables and 2% of the rows.
The same seed makes the same bytes.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.columns import NEWLINE, Column, Place, member, some_columns
from benchmarks.vocabulary import Vocabulary

CATEGORIES, TABLES, ROWS = 76, 281, 33_000
DEEPER = 10  # categories that are a folder deeper, as Items/Types
SIZE_POWER, SIZE_SHIFT = 1.15, 2  # a few tables have thousands of rows, most have tens
LARGE = 250  # rows
TOUCHED = 46  # tables per week
CHANGED, ADDED, REMOVED = 490, 150, 20  # rows per week
NEW_TABLE, NEW_DEFAULT, WHOLE_TABLE = 5, 3, 11  # each happens once in so many weeks


@dataclass(slots=True)
class Table:
    """`rows` maps a name to the row's members as text, one for each column."""

    category: str
    name: str
    columns: list[Column]
    rows: dict[str, list[str]] = field(default_factory=dict)
    bare: bool = False  # the only table without Rows

    @property
    def path(self) -> str:
        """The path in the folder of a version."""
        return f"{self.category}/{self.name}.json"

    def text(self) -> str:
        """The content of the file."""
        defaults = NEWLINE.join(
            f"{member(column.name, column.default, 2)}," for column in self.columns
        )
        head = [
            "{",
            f'\t"RowStruct": "/Script/Game.{self.name[2:]}",',
            '\t"Defaults": {',
            defaults[:-1],
            "\t}" if self.bare else "\t},",
        ]
        if self.bare:
            return NEWLINE.join([*head, "}", ""])
        if len(self.name) % 3 == 0:
            head.append('\t"GenerateEnum": true,')
        rows = f",{NEWLINE}".join(self._row_texts())
        return NEWLINE.join([*head, '\t"Rows": [', rows, "\t]", "}", ""])

    def _row_texts(self) -> Iterator[str]:
        for name, fields in self.rows.items():
            members = [f'\t\t\t"Name": "{name}"', *filter(None, fields)]
            yield f"\t\t{{{NEWLINE}" + f",{NEWLINE}".join(members) + f"{NEWLINE}\t\t}}"


@dataclass(slots=True)
class Week:
    """What changed in a week: paths of tables and numbers of rows, to check a diff with."""

    touched: set[str] = field(default_factory=set)
    added: int = 0
    removed: int = 0
    changed: int = 0
    new_defaults: int = 0
    new_tables: int = 0


class Tables:
    """The tables of the newest week; `next_week` changes them. `scale` is a part of the size."""

    def __init__(self, seed: int = 1, scale: float = 1) -> None:
        self.draws = random.Random(seed)  # noqa: S311 - content, no secret
        self.words = Vocabulary(self.draws)
        self.scale = scale
        self.weeks = 1
        self.tables: list[Table] = []
        self._targets: list[tuple[str, list[str]]] = []
        self._heat: list[float] = []
        count = max(6, round(TABLES * scale))
        self.began_with = count  # the number of tables in the first week, which all versions have
        self._categories = self._names(max(3, round(CATEGORIES * scale)))
        deeper = self._categories[-max(1, round(DEEPER * scale)) :]
        self._categories[-len(deeper) :] = [f"{self._categories[0]}/{each}" for each in deeper]
        weights = [1 / (rank + SIZE_SHIFT) ** SIZE_POWER for rank in range(count)]
        for rank, weight in enumerate(weights):
            rows = round(ROWS * scale * weight / sum(weights))
            self._new_table(self._categories[self._place(rank)], max(1, rows))
        self.tables[-1].bare = True
        self.tables[-1].rows.clear()

    def _names(self, count: int) -> list[str]:
        names: dict[str, None] = {}
        while len(names) < count:
            names[self.words.camel(names)] = None
        return list(names)

    def _place(self, rank: int) -> int:
        """Give each category one table, and the rest to a few of the categories."""
        count = len(self._categories)
        return rank if rank < count else int(count * self.draws.random() ** 2)

    def _new_table(self, category: str, rows: int) -> Table:
        taken = {table.name.removeprefix("D_") for table in self.tables}
        table = Table(category, self.words.camel(taken), some_columns(self, large=rows > LARGE))
        table.name = f"D_{table.name}"
        self.tables.append(table)
        self._heat.append(rows**0.5 * self.draws.choice((0.05, 1, 10)))
        for _ in range(rows):
            self._new_row(table)
        self._targets.append((table.name, list(table.rows)))
        return table

    def _new_row(self, table: Table) -> None:
        name = self.words.row_name(table.rows)
        table.rows[name] = [
            column.field(Place(self, table.name, name, column.name)) for column in table.columns
        ]

    def reference(self) -> dict[str, str]:
        """A reference to a row of an earlier table, rarely to none."""
        if not self._targets or self.draws.random() < 0.05:
            return {"RowName": "None", "DataTableName": "None"}
        table, rows = self._targets[int(len(self._targets) * self.draws.random() ** 2)]
        return {"RowName": self.draws.choice(rows), "DataTableName": table}

    def target(self) -> tuple[str, list[str]]:
        """Return the name and the rows of an earlier table, for a column that refers to it."""
        found = [each for each in self._targets if each[1]]
        return self.draws.choice(found) if found else ("D_None", [])

    def next_week(self) -> Week:
        """Change, add and remove rows in some tables."""
        week = Week()
        self.weeks += 1
        for table, share in self._shares():
            self._change_rows(table, share, week)
        if self.weeks % NEW_DEFAULT == 0:
            self._change_default(week)
        if self.weeks % NEW_TABLE == 0:
            table = self._new_table(self.draws.choice(self._categories), self.draws.randint(5, 60))
            week.touched.add(table.path)
            week.new_tables += 1
            week.added += len(table.rows)
        return week

    def _shares(self) -> Iterator[tuple[Table, float]]:
        """The tables that change this week, each with its share of the changes."""
        count = max(2, round(TOUCHED * self.scale))
        chosen: dict[int, float] = {}
        everyone = [n for n, table in enumerate(self.tables) if table.rows]
        heat = [self._heat[n] for n in everyone]
        while len(chosen) < min(count, len(everyone)):
            (n,) = self.draws.choices(everyone, heat)
            chosen.setdefault(n, self.draws.random() ** 2 * len(self.tables[n].rows) ** 0.5)
        whole = sum(chosen.values())
        for n, part in chosen.items():
            yield self.tables[n], part / whole

    def _change_rows(self, table: Table, share: float, week: Week) -> None:
        names = list(table.rows)
        removed = min(round(REMOVED * self.scale * share), len(names) - 1)
        for name in self.draws.sample(names, removed):
            del table.rows[name]
        names = list(table.rows)
        changed = min(max(1, round(CHANGED * self.scale * share)), len(names))
        # Rows that change together are neighbours.
        first = self.draws.randint(0, len(names) - changed)
        done = sum(self._change_row(table, name) for name in names[first : first + changed])
        added = round(ADDED * self.scale * share)
        for _ in range(added):
            self._new_row(table)
        if removed or done or added:
            week.touched.add(table.path)
        week.removed += removed
        week.changed += done
        week.added += added

    def _change_row(self, table: Table, name: str) -> bool:
        """Draw a new value for one column, rarely for two; whether the row has changed."""
        before = list(table.rows[name])
        for _ in range(9):
            n = self.draws.randrange(len(table.columns))
            column = table.columns[n]
            table.rows[name][n] = column.field(Place(self, table.name, name, column.name))
            if table.rows[name] != before and self.draws.random() < 0.8:
                break
        return table.rows[name] != before

    def _change_default(self, week: Week) -> None:
        table = self.draws.choice(self.tables)
        for column in table.columns:
            if isinstance(column.default, float):
                column.default += 0.5
                week.touched.add(table.path)
                week.new_defaults += 1
                return
