"""Suggestions for a 404: names that are similar to the one that was asked for."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import NamedTuple

MOST = 3
CANDIDATES = 400  # that are compared: each costs some 10 microseconds, and anybody can ask
LONGEST = 120
CUTOFF = 0.65


class Place(NamedTuple):
    """A name and the path of what it names."""

    name: str
    address: str


def nearest(asked: str, places: Iterable[Place]) -> tuple[Place, ...]:
    """At most MOST places whose names are similar to `asked`, the most similar first.

    Equally similar ones keep their order. Blocking, for some milliseconds at most.
    """
    wanted = asked[:LONGEST].casefold()
    matcher = SequenceMatcher(b=wanted, autojunk=False)
    scored = []
    for number, place in enumerate(places):
        if number == CANDIDATES:
            break
        name = place.name[:LONGEST].casefold()
        matcher.set_seq1(name)
        within = len(wanted) > 2 and (wanted in name or (len(name) > 2 and name in wanted))
        if within or matcher.quick_ratio() >= CUTOFF:
            score = max(matcher.ratio(), CUTOFF if within else 0.0)
            scored.append((-score, number, place))
    likely = [place for score, _, place in sorted(scored) if -score >= CUTOFF]
    # Several names can have the same address; the most similar one is taken.
    by_address = {place.address: place for place in reversed(likely)}
    return tuple(by_address[address] for address in dict.fromkeys(p.address for p in likely))[:MOST]
