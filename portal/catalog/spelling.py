"""Spelling suggestions: the rows whose name or title is nearest to what was typed."""

import json
import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from portal.catalog.model import Dataset, TableEntry
from portal.catalog.snapshot import Catalog
from portal.catalog.words import squeezed

LONGEST = 40  # characters that are compared
CANDIDATES = 80  # rows that share most groups of three letters; these are compared as a whole
MOST = 6  # that are offered
LIKE = 0.7  # of 1 for the same: a word of ten letters may have three wrong
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A row that may have been meant; `label` is its title, or its name where it has none."""

    entry: TableEntry
    name: str
    label: str


def suggestions(catalog: Catalog, dataset: Dataset, typed: str) -> list[Suggestion]:
    """The rows that are called nearly so, the nearest first, each label once."""
    wanted = squeezed(typed)[:LONGEST]
    parts = dict.fromkeys(wanted[at : at + 3] for at in range(len(wanted) - 2))
    if not parts:
        return []
    match = " OR ".join(f'"{part}"' for part in parts)
    most = CANDIDATES * len(catalog.versions)  # a row has a form for each version that changed it
    rows = catalog.rows("near_spellings", query=match, most=most)
    held = catalog.held(dataset, (row for (row,) in rows))[:CANDIDATES]
    tables = catalog.places.tables
    scored = []
    for row, name, title in catalog.rows("labels_by_id", ids=json.dumps(held)):
        score = max(_likeness(wanted, each) for each in (name, title) if each)
        if score >= LIKE:
            entry = dataset.by_id[tables[row]]
            scored.append((-score, len(title or name), Suggestion(entry, name, title or name)))
    scored.sort(key=lambda each: each[:2])
    found: dict[str, Suggestion] = {}
    for *_, suggestion in scored:
        found.setdefault(suggestion.label.casefold(), suggestion)
    return list(found.values())[:MOST]


def _likeness(wanted: str, name: str) -> float:
    """How like a name is, as a whole or, a little less, by its best word; 1 for the same."""
    whole = _ratio(wanted, squeezed(name))
    words = [_ratio(wanted, squeezed(word)) for word in _WORD.findall(name.replace("_", " "))]
    return max([whole, *(0.95 * each for each in words)])


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other[:LONGEST], autojunk=False).ratio()
