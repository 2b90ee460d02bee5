"""Mutated files: each is read or refused with a sentence, and what is written reads back."""

import random
import struct
from collections import Counter
from contextlib import suppress

import pytest

from portal import saves
from portal.saves.errors import EditError, SaveError
from tests.support.saves import mount_record, mounts_json, payload, prospect_json

EDITS = {
    "pets": [
        {"edit": "rename", "mount": 1, "name": "Ünver"},
        {"edit": "sex", "mount": 1, "sex": 2},
        {"edit": "genetics", "mount": 1, "values": {"Vitality": 7}},
        {"edit": "level", "mount": 1, "level": 50},
        {"edit": "reset_talents", "mount": 1},
        {"edit": "clone", "mount": 1},
        {"edit": "delete", "mount": 1},
    ],
    "prospects": [
        {"edit": "difficulty", "difficulty": "Extreme"},
        {"edit": "hardcore", "hardcore": True},
        {"edit": "privacy", "privacy": "Private"},
        {"edit": "reset_mission", "mission": "Hill_Done"},
    ],
}


def mutated_files(count, seed=1):
    """`count` times (tool, file): good files, changed in a few places of one of their layers."""
    chance = random.Random(seed)  # noqa: S311 - the same files every time
    for _ in range(count):
        layer = chance.choice((_mutated_mounts, _mutated_record, _mutated_prospect, _mutated_world))
        yield layer(chance)


def _mutated_mounts(chance):
    return "pets", mutated(mounts_json({}, {"name": "Zoë"}), chance)


def _mutated_record(chance):
    return "pets", mounts_json({"record": mutated(mount_record(), chance)}, {})


def _mutated_prospect(chance):
    return "prospects", mutated(prospect_json(), chance)


def _mutated_world(chance):
    return "prospects", prospect_json(mutated(payload(), chance))


def mutated(content, chance):
    """Bytes flipped, doubled, taken out, or an int32 that lies, in one to four places."""
    content = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(content))
        until = min(at + chance.choice((1, 4, 40)), len(content))
        kind = chance.randrange(5)
        if kind == 0:
            content[at] = chance.randrange(256)
        elif kind == 1:
            content[at:until] *= 2
        elif kind == 2 and len(content) > 50:
            del content[at:until]
        elif kind == 3:
            lie = chance.choice((-1, 0, 1, 255, 2**31 - 1, -(2**31)))
            content[at : at + 4] = struct.pack("<i", lie)
        else:
            content[at] ^= 1 << chance.randrange(8)
    return bytes(content)


def tried(tool, content):
    """How it went: read or not, and how many edits were possible."""
    try:
        before = saves.describe(tool, content)
    except SaveError as e:
        return f"refused {e.status}" if e.sentence.encode() else "said nothing"
    done = 0
    for edit in EDITS[tool]:
        with suppress(EditError):
            written = saves.change(tool, content, [edit])
            assert saves.describe(tool, written.content) == written.description
            assert bool(written.changes) == (written.description != before)
            done += 1
    return f"{done} edits"


@pytest.mark.parametrize("seed", range(4))
def test_mutated_files_are_read_or_refused(seed):
    outcomes = Counter(tried(*file) for file in mutated_files(150, seed))
    # Both are tried: most are refused, and some can still be edited in full.
    assert outcomes["refused 422"] > 30
    assert not outcomes["said nothing"]
    assert outcomes["4 edits"] + outcomes["7 edits"] > 5
