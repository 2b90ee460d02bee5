"""Changes of JSON text: a value is replaced, what is around it stays as it was written."""

import re
from itertools import pairwise

from portal.saves.jsontext import Node

_BLANK = r"[ \t\r\n]*+"
_SPACING = re.compile(
    rf"\[({_BLANK})-?[0-9]+({_BLANK},{_BLANK})-?[0-9]+(?:.*[0-9])?({_BLANK})\]", re.DOTALL
)


def replaced(node: Node, changes: list[tuple[Node, str]]) -> str:
    """The text of `node` with the values in it replaced; all else is verbatim."""
    pieces, at = [], node.start
    for inner, new in sorted(changes, key=lambda change: change[0].start):
        pieces += [node.text[at : inner.start], new]
        at = inner.end
    return "".join([*pieces, node.text[at : node.end]])


def relisted(array: Node, items: list[tuple[Node, str]]) -> str:
    """The text of an array with other elements, each in the white space of the one it stands for.

    `items` are (an element of the array, its text); an element may come twice or not at all.
    """
    if not items:
        return "[]"
    text, first, last = array.text, array.items[0], array.items[-1]
    opening = text[array.start + 1 : first.start]
    commas = {
        after.start: text[before.end : after.start] for before, after in pairwise(array.items)
    }
    # What came first may come later: then it is set off as the one behind it was.
    commas[first.start] = next(iter(commas.values()), f",{opening}")
    rest = "".join(commas[item.start] + new for item, new in items[1:])
    return f"[{opening}{items[0][1]}{rest}{text[last.end : array.end]}"


def relisted_integers(node: Node, numbers: bytes) -> str:
    """The text of an array of integers with other ones, in the white space of the old."""
    match = _SPACING.match(node.raw)
    opening, comma, closing = match.groups() if match else ("", ", ", "")
    return f"[{opening}{comma.join(map(str, numbers))}{closing}]"
