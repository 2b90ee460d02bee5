"""Requests for the catalog benchmark: searches as people type them, pages as they open them."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from benchmarks.tables import Table, Tables

# How many of a hundred searches are of each kind. A name is typed in full; a prefix is the first
# letters of a word.
SEARCHES = {
    "a row's name": 20,
    "one seldom word": 15,
    "one middling word": 15,
    "a prefix": 15,
    "a phrase": 10,
    "two words": 15,
    "nothing like it": 4,
    "very common words": 4,
    "odd characters": 2,
}
_ODD = ('"', "- : *", "🔥", "50%", "AND OR NOT", 'nail" OR "x', "c++", "NEAR(")
_TEXT = re.compile(r'\\", \\"([^"]+)\\"\)"')


@dataclass(frozen=True, slots=True)
class Query:
    """One search, of a kind in `SEARCHES`."""

    kind: str
    text: str

    def path(self, version: str) -> str:
        """The path of the portal's result page."""
        return f"/catalog/search?{urlencode({'q': self.text, 'version': version})}"


class Asking:
    """Draws requests from the current tables; the same seed draws the same requests."""

    def __init__(self, tables: Tables, seed: int = 1) -> None:
        self._draws = random.Random(seed)  # noqa: S311 - a load
        self._words = tables.words.words
        self._tables = [table for table in tables.tables[: tables.began_with] if table.rows]
        self._sizes = [len(table.rows) for table in self._tables]

    def queries(self, count: int) -> list[Query]:
        """Draw `count` searches with the shares of `SEARCHES`, in random order."""
        kinds = [kind for kind, share in SEARCHES.items() for _ in range(share)]
        kinds = (kinds * (count // len(kinds) + 1)) if count >= len(kinds) else kinds
        return [Query(kind, self._typed(kind)) for kind in self._draws.sample(kinds, count)]

    def _typed(self, kind: str) -> str:
        draws, words = self._draws, self._words
        match kind:
            case "a row's name":
                return self._row()[1]
            case "one seldom word":
                return draws.choice(words[2000:])
            case "one middling word":
                return draws.choice(words[60:2000])
            case "a prefix":
                return draws.choice(words[30:])[: draws.randint(3, 5)]
            case "a phrase":
                return f'"{self._phrase()}"'
            case "two words":
                return f"{draws.choice(words[:300])} {draws.choice(words[60:3000])}"
            case "nothing like it":
                return f"{draws.choice(words)}qzx{draws.randint(0, 999)}"
            case "very common words":
                return " ".join(draws.sample(words[:8], draws.randint(1, 3)))
        return draws.choice(_ODD)

    def _phrase(self) -> str:
        """Two or three neighbouring words from the text of some row."""
        while True:
            table, name = self._row()
            for text in _TEXT.findall("".join(table.rows[name])):
                words: list[str] = re.findall(r"\w+", text)
                if len(words) > 6:
                    start = self._draws.randint(0, len(words) - 3)
                    return " ".join(words[start : start + self._draws.randint(2, 3)])

    def _row(self) -> tuple[Table, str]:
        (table,) = self._draws.choices(self._tables, self._sizes)
        return table, self._draws.choice(list(table.rows))

    def table(self) -> Table:
        """A table: half of the time any table, else one drawn by its number of rows."""
        if self._draws.random() < 0.5:
            return self._draws.choice(self._tables)
        return self._row()[0]

    def table_page(self, version: str) -> str:
        """The path of a page of a table: the first page, a later one, sorted, or filtered."""
        table, draws = self.table(), self._draws
        options: list[dict[str, object]] = [
            {},
            {},
            {"page": 1 + draws.randrange(len(table.rows)) // 100},
            {"sort": draws.choice(table.columns).name},
            {"q": draws.choice(self._words[:2000])},
        ]
        query = urlencode(draws.choice(options))
        return f"{address(version, table)}{'?' if query else ''}{query}"

    def row_page(self, version: str) -> str:
        """The path of one row of a table."""
        table, name = self._row()
        return f"{address(version, table)}/{quote(name, safe='')}"

    def category_page(self, version: str) -> str:
        """The path of a category."""
        return f"/catalog/{version}/{quote(self.table().category, safe='')}"

    def history_page(self) -> str:
        """The path of the history of a row."""
        table, name = self._row()
        return f"/catalog/history{address('', table)[len('/catalog/') :]}/{quote(name, safe='')}"


def address(version: str, table: Table) -> str:
    """The path of a table."""
    return f"/catalog/{version}/{quote(table.category, safe='')}/{quote(table.name, safe='')}"


def diff_pages(paths: Sequence[str], pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """For each pair of versions: the summary's path, and the path of one changed table."""
    pages = []
    for n, (old, new) in enumerate(pairs):
        query = urlencode({"from": old, "to": new})
        table = quote(paths[n % len(paths)].removesuffix(".json"))
        pages.append((f"/catalog/diff?{query}", f"/catalog/diff/{table}?{query}"))
    return pages
