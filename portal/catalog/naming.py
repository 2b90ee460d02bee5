"""Names of versions, categories, tables and rows: their order, and which are like another."""

import re
from collections.abc import Callable, Iterable
from heapq import nlargest

from portal.suggestions import CANDIDATES, Place, nearest

_DIGITS = re.compile(r"(\d+)")


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key to sort by: runs of digits as numbers, the rest as text, so that 1.9 is before 1.10."""
    parts = _DIGITS.split(name.casefold())
    return (
        *((1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts if part),
        (-1, 0, name),
    )


def near(name: str, names: Iterable[str], where: Callable[[str], str]) -> tuple[Place, ...]:
    """The places of the names most like one; `where` gives a name's address.

    There can be thousands of names, so only those that share the most parts with it are compared.
    """
    wanted = _parts(name)
    likely = nlargest(CANDIDATES, dict.fromkeys(names), lambda each: len(wanted & _parts(each)))
    return nearest(name, (Place(each, where(each)) for each in likely))


def _parts(name: str) -> set[str]:
    folded = f" {name.casefold()[:100]} "
    return {folded[at : at + 3] for at in range(len(folded) - 2)}
