"""What a person typed, as a query of the index; nothing that is typed is an error.

Words match what begins with them, "quoted words" as they stand, -words must not be there. All must
be found. Case and accents do not matter.
"""

import re
import unicodedata
from dataclasses import dataclass

LONGEST = 200  # characters that are looked at; as many are recorded
MOST_TERMS = 16

_TERM = re.compile(r'(-?)(?:"([^"]*)(?:"|$)|(\S+))')
_WORD = re.compile(r"[^\W_]+")
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\dA-Z_]+|\d+")


@dataclass(frozen=True, slots=True)
class Query:
    """`match` is in the language of FTS5, "" where nothing typed is a word: then `part` is
    looked for as it stands. `wanted` are folded words, and whether what begins with
    each is meant too."""

    typed: str
    match: str
    wanted: tuple[tuple[str, bool], ...]
    unwanted: str
    exact: frozenset[str]
    starts: tuple[str, ...]

    @property
    def part(self) -> str:
        """What to look for where there is no word, as in a picture of a horse; not a bare sign."""
        return "" if self.match or self.typed.isascii() else self.typed

    def within(self, columns: str) -> str:
        """`match` within some columns ("name text") only."""
        return f"{{{columns}}} : ({self.match}){self.unwanted}"

    @property
    def whole(self) -> str:
        """`match` in all columns."""
        return f"({self.match}){self.unwanted}"


def parse(typed: str) -> Query:
    """The query that somebody meant."""
    typed = typed.replace("\0", " ").strip()[:LONGEST]  # a NUL ends what SQLite reads
    wanted: list[tuple[str, bool]] = []
    terms, unwanted = [], []
    for minus, phrase, word in _TERM.findall(typed)[:MOST_TERMS]:
        term = phrase or word.replace('"', " ")
        found = [folded(each) for each in _WORD.findall(term)]
        if not found:
            continue
        if minus:
            unwanted.append(f'"{term}"')
        elif phrase:
            terms.append(f'"{term}"')
            wanted += [(each, False) for each in found]
        else:
            # Whole words rank before what only begins so, since they match twice.
            terms.append(f'("{term}" OR "{term}" *)')
            wanted += [*((each, False) for each in found[:-1]), (found[-1], True)]
    without = f" NOT ({' OR '.join(unwanted)})" if terms and unwanted else ""
    exact = frozenset(word for word, prefix in wanted if not prefix)
    starts = tuple(word for word, prefix in wanted if prefix)
    return Query(typed, " AND ".join(terms), tuple(wanted), without, exact, starts)


def folded(word: str) -> str:
    """A word as the index has it: without case and accents."""
    if word.isascii():
        return word.lower()
    parts = unicodedata.normalize("NFKD", word)
    return "".join(c for c in parts if not unicodedata.combining(c)).lower()


def marked(query: Query, text: str) -> list[tuple[str, bool]]:
    """The text in pieces, and whether each is what was looked for."""
    if query.part:
        spans = [found.span() for found in re.finditer(re.escape(query.part), text)]
    else:
        spans = list(_spans(query, text))
    pieces, end = [], 0
    for start, stop in spans:
        pieces += [(text[end:start], False), (text[start:stop], True)]
        end = stop
    return [(piece, mark) for piece, mark in [*pieces, (text[end:], False)] if piece]


def _spans(query: Query, text: str) -> list[tuple[int, int]]:
    """Where words that match stand; within CamelCase also a part of one."""
    spans: list[tuple[int, int]] = []
    known = folded(text)
    if not any(word in known for word, _ in query.wanted):
        return spans  # most texts: looking at each of their words would cost most of a search
    for found in _WORD.finditer(text):
        word = folded(found[0])
        if _matches(query, word):
            spans.append(found.span())
        elif any(wanted in word for wanted, _ in query.wanted):
            spans += [
                piece.span()
                for piece in _PIECE.finditer(text, *found.span())
                if _matches(query, folded(piece[0]))
            ]
    return spans


def _matches(query: Query, word: str) -> bool:
    """Whether a folded word is one that is wanted."""
    return word in query.exact or word.startswith(query.starts)
