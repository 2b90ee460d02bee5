"""What the search index has of a row: made of its body, for the index, for excerpts, and again when
the row is taken out.

What makes other words of a row than before has to count up `form` in the schema of the index, which
is then made anew: the old words could not be taken out, and the new ones would not be found.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from portal.catalog.values import Value, localized, names_nothing, only_reference, plain, storable

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)")
_MOST = 20_000  # characters of one column
_TITLE = 200  # characters of a title
# Fields that hold a title, the surest first, and whether a plain text will do.
_TITLES = (
    (re.compile(r"^DisplayName$"), True),
    (re.compile(r"^Title$"), True),
    (re.compile(r"DisplayName$"), False),
    (re.compile(r"(?:Title|Label)$"), False),
    (re.compile(r"(?<=.)Name$"), False),
)


class Words(NamedTuple):
    """The columns of the search index: the row's name, its title, its texts, its other values; and
    how its name and title are spelt, for what is nearly that."""

    name: str
    title: str
    text: str
    value: str
    spelling: str


def words(name: str, body: Mapping[str, Value]) -> Words:
    """What a row can be found by. Names are also in their parts: "DriftHare Drift Hare"."""
    texts, values = [], []
    shown = title(body)
    for field, value in body.items():
        if field != "Name":
            for leaf in leaves(value):
                found = localized(leaf)
                if found and found.text != shown:
                    texts.append(found.text)
                elif found:
                    continue
                else:
                    values.append(plain(leaf))
    columns = (_split(name), shown, "\n".join(texts)[:_MOST], _split(" ".join(values))[:_MOST])
    spelling = " ".join(dict.fromkeys(filter(None, map(squeezed, (name, shown)))))
    return Words(*map(storable, (*columns, spelling)))


def squeezed(text: str) -> str:
    """A name without case, spaces and signs: "Iron Ingot" and "Iron_Ingot" are "ironingot"."""
    return "".join(c for c in text[:_TITLE].casefold() if c.isalnum())


def title(body: Mapping[str, Value]) -> str:
    """The name of a row as people see it, "" if it has none of its own.

    Tables say it in a field called DisplayName or Title, or in a text whose field ends so.
    """
    best, shown = len(_TITLES), ""
    for field, value in body.items():
        text = localized(value)
        for rank, (pattern, plain_too) in enumerate(_TITLES[:best]):
            if pattern.search(field) and (text or plain_too) and isinstance(value, str):
                line = storable(" ".join((text.text if text else value).split()))[:_TITLE]
                if line and line != "None":
                    best, shown = rank, line
                break
    return shown


def leaves(value: Value) -> Iterator[Value]:
    """The plain values within one, however deep; a reference counts as one of them."""
    for _, inner in fields_of(value):
        yield inner


def fields_of(value: Value, path: str = "") -> Iterator[tuple[str, Value]]:
    """The same, each with where it stands ("Sight.Day"); what stands in a list is where that is."""
    if isinstance(value, Mapping) and not only_reference(value) and not names_nothing(value):
        for name, inner in value.items():
            yield from fields_of(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from fields_of(inner, path)
    elif value is not None and not isinstance(value, bool) and not names_nothing(value):
        yield path, value


def _split(text: str) -> str:
    parts = _HUMP.sub(" ", text)
    return text if parts == text else f"{text} {parts}"
