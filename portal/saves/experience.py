"""How much experience a mount's level takes.

Known are three points of the game's curve for `Mount_*` species: level 10 takes 13,500, level 30
140,000 and level 50 1,150,000. Between them this is an estimate, by equal ratios; it put the three
real mounts that could be compared (levels 26, 32 and 33) within one level. It does not hold for
wolves and other tame animals.
"""

from itertools import pairwise

KNOWN = ((10, 13_500), (30, 140_000), (50, 1_150_000))
LEVELS = range(KNOWN[0][0], KNOWN[-1][0] + 1)


def is_known(level: int) -> bool:
    """Whether the experience is more than an estimate."""
    return level in dict(KNOWN)


def experience_of(level: int) -> int:
    """The experience for a level out of `LEVELS`."""
    for (low, least), (high, most) in pairwise(KNOWN):
        if low <= level <= high:
            ratio: float = (most / least) ** ((level - low) / (high - low))
            return round(least * ratio)
    raise ValueError(f"the curve is not known at level {level}")
