"""Mounts that share an IcarusActorGUID."""

import pytest

from portal import saves
from tests.support.saves import mounts_json

TWIN = {"name": "Zoë"}


def own(mount):
    return [{"edit": "own_guid", "mount": mount}]


def test_the_second_is_pointed_out_with_a_remedy():
    (warning,) = saves.describe("pets", mounts_json({}, TWIN))["warnings"]
    assert warning["code"] == "guid"
    assert "Mount 2 (Zoë) has the same IcarusActorGUID (4100) as Mount 1" in warning["sentence"]
    assert warning["remedy"] == own(2)[0]
    written = saves.change("pets", mounts_json({}, TWIN), [warning["remedy"]])
    assert written.description["warnings"] == []
    assert written.content == mounts_json({}, TWIN | {"guid": 4101, "number": 2147399999})


def test_an_object_of_its_own_stays():
    other = TWIN | {"number": 2147399000}
    after = saves.change("pets", mounts_json({}, other), own(2)).content
    assert after == mounts_json({}, other | {"guid": 4101})


@pytest.mark.parametrize("count", [3, 36])
def test_many_are_told_one_by_one(count):
    content = mounts_json(*[{}] * count)
    warnings = saves.describe("pets", content)["warnings"]
    assert len(warnings) == count - 1
    written = saves.change("pets", content, [warning["remedy"] for warning in warnings])
    assert written.description["warnings"] == []
    mounts = written.description["mounts"]
    assert len({mount["guid"] for mount in mounts}) == count
    assert len({mount["object"] for mount in mounts}) == count


def test_none_is_no_number_to_share():
    assert saves.describe("pets", mounts_json({"guid": 0}, {"guid": 0}))["warnings"] == []
