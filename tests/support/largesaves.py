"""Invented saves of the size of real ones."""

import random

from tests.support.saves import payload, prospect_json, recorder, tag


def large_prospect(count=1150, size=18_000):
    """1.2 MB that unpack to 20 MB, with a record for each of many things."""
    chance = random.Random(7)  # noqa: S311 - the same file every time
    more = [
        recorder(f"Kind{number % 60}Component", tag("Noise", "X", noise(chance, size)))
        for number in range(count)
    ]
    return prospect_json(payload(more))


def noise(chance, size):
    """Bytes of which, in base64, about a seventeenth is left when they are packed."""
    return chance.randbytes(size // 26) + bytes(size - size // 26)
