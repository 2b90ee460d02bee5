"""Searching one version: what is found, in which order, and what is shown of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from portal.catalog.model import Dataset, StoredRow, TableEntry
from portal.catalog.queries import Query, marked
from portal.catalog.snapshot import Catalog
from portal.catalog.spelling import Suggestion, suggestions
from portal.catalog.values import localized, plain
from portal.catalog.words import fields_of

PER_PAGE = 50
GROUPS, PER_GROUP = 10, 5
# Ranking costs a microsecond a row. Beyond so many, those found by their names or texts go first.
RANKED = 3000
MANY = 9000  # hits, of which too many are in texts, so that only names are tried
AROUND = 90  # characters before and after the first word that is shown of a value
EXCERPTS = 2

Pieces = list[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A field and what of it matches, in pieces."""

    field: str
    pieces: Pieces


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that was found. `shown` is its title, or its name where it has none; `named` is the
    name beside a title."""

    entry: TableEntry
    name: str
    title: str
    shown: Pieces
    named: Pieces
    excerpts: list[Excerpt]


@dataclass(frozen=True, slots=True)
class Group:
    """The first hits of a category, and how many it has in all."""

    category: str
    total: int
    hits: list[Hit]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of results. `counts` has every category with hits, the best first; `groups` some of
    each, or, for one category, a page of its own. `tables` are those named so. `near` has the rows
    that are called nearly so, where nothing was found."""

    total: int
    counts: dict[str, int]
    groups: list[Group]
    tables: list[TableEntry]
    pages: int
    near: list[Suggestion]


def search(catalog: Catalog, dataset: Dataset, query: Query, category: str, page: int) -> Found:
    """A page of what a version has; of one category, or "" for all."""
    rows = find(catalog, dataset, query)
    tables = catalog.places.tables
    by_table = Counter(map(tables.__getitem__, rows))
    counts: dict[str, int] = {}
    for table, count in by_table.items():
        name = dataset.by_id[table].category
        counts[name] = counts.get(name, 0) + count
    if category:
        of_it = {entry.id for entry in dataset.categories.get(category, ())}
        mine = [row for row in rows if tables[row] in of_it]
        shown = mine[(page - 1) * PER_PAGE : page * PER_PAGE]
        groups = [Group(category, len(mine), hits(catalog, dataset, query, shown))] if mine else []
        pages = -(-len(mine) // PER_PAGE)
    else:
        groups, pages = _first_of_each(catalog, dataset, query, rows, counts), 1
    near = [] if rows else suggestions(catalog, dataset, query.typed)
    return Found(len(rows), counts, groups, _named(dataset, query), pages, near)


def find(catalog: Catalog, dataset: Dataset, query: Query) -> list[int]:
    """All rows that match, best first: those that are called exactly so, then those that match by
    their names and titles, then the others."""
    if query.part:
        return catalog.held(dataset, catalog.ids("hits_by_part", part=query.part))
    if not query.match:
        return []
    found = catalog.held(dataset, catalog.matching(query.whole))
    first = catalog.ids("hits_by_title", title=query.typed)
    first += catalog.ids("hits_by_name", row=query.typed)
    first += _named_rows(catalog, query)
    if match := _ranked(catalog, query, len(found)):
        first += catalog.ids("ranked_hits", query=match)
    known = set(found)
    return list(dict.fromkeys([*(row for row in first if row in known), *found]))


def _named_rows(catalog: Catalog, query: Query) -> list[int]:
    """The rows of which name and title have all that was typed, the best first."""
    match = query.within("name title")
    found = catalog.matching(match)
    return catalog.ids("ranked_hits", query=match) if len(found) <= RANKED else found


def _ranked(catalog: Catalog, query: Query, count: int) -> str:
    """What of so many hits can be ranked: all, those by name or text, by name; "" for nothing."""
    if count <= RANKED:
        return query.whole
    narrower = ["name title text"] if count <= MANY else []
    for columns in [*narrower, "name title"]:
        match = query.within(columns)
        if len(catalog.matching(match)) <= RANKED:
            return match
    return ""


def _first_of_each(
    catalog: Catalog, dataset: Dataset, query: Query, rows: Sequence[int], counts: dict[str, int]
) -> list[Group]:
    """The best categories with their best rows."""
    tables = catalog.places.tables
    chosen: dict[str, list[int]] = {name: [] for name in list(counts)[:GROUPS]}
    left = sum(min(PER_GROUP, counts[name]) for name in chosen)
    for row in rows:
        mine = chosen.get(dataset.by_id[tables[row]].category)
        if mine is not None and len(mine) < PER_GROUP:
            mine.append(row)
            left -= 1
            if not left:
                break
    all_hits = hits(catalog, dataset, query, [row for mine in chosen.values() for row in mine])
    groups: dict[str, list[Hit]] = {name: [] for name in chosen}
    for hit in all_hits:
        groups[hit.entry.category].append(hit)
    return [Group(name, counts[name], mine) for name, mine in groups.items()]


def hits(catalog: Catalog, dataset: Dataset, query: Query, rows: Sequence[int]) -> list[Hit]:
    """Rows as they are shown, in the same order."""
    tables = catalog.places.tables
    return [
        Hit(
            entry=dataset.by_id[tables[item.id]],
            name=item.name,
            title=item.title,
            shown=marked(query, item.title or item.name),
            named=marked(query, item.name) if item.title else [],
            excerpts=excerpts(query, item),
        )
        for item in catalog.items(rows)
    ]


def excerpts(query: Query, item: StoredRow) -> list[Excerpt]:
    """The row's first text, whatever is in it, and the first other values that match; short."""
    found: list[Excerpt] = []
    titled = False
    for field, value in fields_of(item.values):
        pieces = marked(query, plain(value))
        title = not titled and localized(value) is not None
        titled = titled or title
        if title or any(mark for _, mark in pieces):
            found.append(Excerpt(field, _cut(pieces)))
            if len(found) == EXCERPTS and titled:
                break
    return found[: EXCERPTS + 1]


def _cut(pieces: Pieces) -> Pieces:
    """What stands around the first word that is marked, if one is."""
    first = next((number for number, (_, mark) in enumerate(pieces) if mark), 0)
    before = "".join(piece for piece, _ in pieces[:first])
    start = f"…{before[-AROUND:]}" if len(before) > AROUND else before
    shown: Pieces = [(start, False)] if start else []
    left = 2 * AROUND
    for piece, mark in pieces[first:]:
        shown.append((piece if len(piece) <= left else f"{piece[:left]}…", mark))
        left -= len(piece)
        if left <= 0:
            break
    return shown


def _named(dataset: Dataset, query: Query) -> list[TableEntry]:
    """Tables whose own name has every word."""
    if not query.wanted:
        return []
    named = []
    for path, entry in dataset.folded_paths:
        if not all(word in path for word, _ in query.wanted):
            continue
        known = "".join(piece for piece, mark in marked(query, entry.path) if mark).casefold()
        if all(word in known for word, _ in query.wanted):
            named.append(entry)
    return named[:10]
