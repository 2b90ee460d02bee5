"""Wrong sizes that the content proves: offered byte by byte, made only when asked for."""

import random
import struct

import pytest

from portal import saves
from portal.saves.errors import EditError, SaveError
from portal.saves.proofs import fixed, prove
from tests.support.saves import fstring, mount_record, mounts_json, payload, prospect_json

REPAIR = [{"edit": "repair"}]
INT = struct.Struct("<i")


def size_at(buffer, name, type_, occurrence=0):
    """Where the size of a property is."""
    mark, at = fstring(name) + fstring(type_), -1
    for _ in range(occurrence + 1):
        at = buffer.index(mark, at + 1)
    return at + len(mark)


def off_by(buffer, at, by):
    content = bytearray(buffer)
    INT.pack_into(content, at, INT.unpack_from(content, at)[0] + by)
    return bytes(content)


RECORD = mount_record()
PLACES = {
    "a text": size_at(RECORD, "OwnerName", "StrProperty"),
    "a name": size_at(RECORD, "AISetupRowName", "NameProperty"),
    "a number": size_at(RECORD, "Experience", "IntProperty"),
    "a struct": size_at(RECORD, "CharacterRecord", "StructProperty"),
    "an array": size_at(RECORD, "Talents", "ArrayProperty"),
    "an array's inner size": size_at(RECORD, "Talents", "StructProperty"),
    "a text in an array": size_at(RECORD, "TalentRowName", "StrProperty", 1),
    "the last one": size_at(RECORD, "ActorPathName", "StrProperty"),
}


@pytest.mark.parametrize("by", [-3, -1, 1, 2, 7, 400])
@pytest.mark.parametrize("place", PLACES)
def test_a_wrong_size_in_a_mount_is_offered_as_a_repair(place, by):
    at = PLACES[place]
    broken = mounts_json({"record": off_by(RECORD, at, by)}, {"name": "Zoë"})
    description = saves.describe("pets", broken)
    (repair,) = description["repairs"]
    right, wrong = RECORD[at : at + 4], off_by(RECORD, at, by)[at : at + 4]
    assert (repair["offset"], repair["before"], repair["after"]) == (
        at, wrong.hex(" "), right.hex(" "),
    )  # fmt: skip
    assert repair["where"] == "Mount 1 (Clover)"
    assert "Mount 1: The save is damaged" in description["broken"]
    assert description["mounts"] == []
    written = saves.change("pets", broken, REPAIR)
    assert written.content == mounts_json({}, {"name": "Zoë"})
    assert written.description == saves.describe("pets", mounts_json({}, {"name": "Zoë"}))


def test_a_wrong_size_that_nobody_reads_is_a_warning_with_a_remedy():
    at = size_at(RECORD, "PlayerID", "StrProperty")
    broken = mounts_json({"record": off_by(RECORD, at, 2)}, {"name": "Zoë", "guid": 7})
    (warning,) = saves.describe("pets", broken)["warnings"]
    assert (warning["code"], warning["remedy"]) == ("length", {"edit": "repair", "mount": 1})
    assert "Mount 1 (Clover) has a wrong length inside (PlayerID)" in warning["sentence"]
    written = saves.change("pets", broken, [warning["remedy"]])
    assert written.content == mounts_json({}, {"name": "Zoë", "guid": 7})
    assert f"byte {at}: 08 00 00 00 → 06 00 00 00" in written.changes[0]["note"]
    # It is not repaired by itself.
    (warning,) = saves.change(
        "pets", broken, [{"edit": "rename", "mount": 1, "name": "A longer name"}]
    ).description["warnings"]
    assert warning["code"] == "length"


WORLD = payload()
HISTORY = size_at(WORLD, "MissionHistory", "ArrayProperty")
WORLD_PLACES = {
    "the history": HISTORY,
    "its inner size": size_at(WORLD, "MissionHistory", "StructProperty"),
    "an active mission": size_at(WORLD, "FactionMissionName", "NameProperty"),
    "a hunt": size_at(WORLD, "RowName", "NameProperty"),
    "the second ProspectInfo": size_at(WORLD, "ProspectInfo", "StructProperty"),
    "the map": size_at(WORLD, "ProspectMapName", "StrProperty"),
}


@pytest.mark.parametrize("by", [-2, 5])
@pytest.mark.parametrize("place", WORLD_PLACES)
def test_a_wrong_size_in_a_world_is_offered_as_a_repair(place, by):
    broken = prospect_json(off_by(WORLD, WORLD_PLACES[place], by))
    description = saves.describe("prospects", broken)
    assert [each["offset"] for each in description["repairs"]] == [WORLD_PLACES[place]]
    assert description["name"] == "Höhle"
    assert saves.change("prospects", broken, REPAIR).content == prospect_json()


def test_a_whole_save_has_nothing_to_prove():
    assert prove(RECORD) == []
    assert prove(WORLD, frozenset({"GameModeStateRecorderComponent"})) == []


@pytest.mark.parametrize("asked", [[{"edit": "rename", "mount": 1, "name": "X"}], REPAIR * 2, []])
def test_a_broken_save_takes_the_repair_and_nothing_else(asked):
    broken = mounts_json({"record": off_by(RECORD, PLACES["a text"], 1)})
    with pytest.raises(EditError):
        saves.change("pets", broken, asked)


def test_a_whole_save_takes_no_repair():
    with pytest.raises(EditError, match=r"repair takes|mount is a whole|no length that is wrong"):
        saves.change("pets", mounts_json({}), REPAIR)


def test_what_is_not_proven_is_refused_as_before():
    # The value is cut: no size makes the rest a list of properties.
    at = RECORD.index(fstring("Experience"))
    with pytest.raises(SaveError, match="Mount 1: The save is damaged"):
        saves.describe("pets", mounts_json({"record": RECORD[: at + 12] + RECORD[at + 40 :]}))


def test_what_is_proven_always_reads_back():
    """Sizes that lie, anywhere: a repair restores the record, or there is none."""
    chance = random.Random(5)  # noqa: S311 - the same places every time
    proven = 0
    for _ in range(1500):
        at = chance.randrange(len(RECORD) - 4)
        broken = off_by(RECORD, at, chance.choice([-9, -1, 1, 3, 260]))
        if fixes := prove(broken):
            proven += 1
            assert prove(fixed(broken, fixes)) == []
            saves.describe("pets", mounts_json({"record": fixed(broken, fixes)}))
    assert proven > 20
