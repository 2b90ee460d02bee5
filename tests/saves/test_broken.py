"""Files that are broken or another tool's: each has its sentence, and none is unpacked in full."""

import base64
import tracemalloc
import zlib

import pytest

from portal import saves
from portal.saves import blob as blobs
from portal.saves.errors import SaveError, WrongToolError
from tests.support.saves import (
    closed,
    mounts_json,
    payload,
    prospect_json,
    recorder,
    structure,
    structures,
)

BOMB = base64.b64encode(zlib.compress(bytes(64 << 20), 9)).decode()
CUT = base64.b64encode(zlib.compress(payload())[:-20]).decode()
LONG = base64.b64encode(zlib.compress(payload()) + b"more").decode()


@pytest.mark.parametrize(
    ("packed", "gist"),
    [
        ({"BinaryBlob": None}, "has no BinaryBlob"),
        ({"BinaryBlob": "abcde"}, "cut off or not base64"),
        ({"BinaryBlob": "ab!="}, "cut off or not base64"),
        ({"BinaryBlob": "äää="}, "cut off or not base64"),
        ({"BinaryBlob": f"{LONG[:40]}!{LONG[40:]}"}, "cut off or not base64"),
        ({"BinaryBlob": "AAAA"}, "cannot be unpacked"),
        ({"BinaryBlob": ""}, "unpacks to less|cut off or too long"),
        ({"BinaryBlob": CUT}, "cut off or too long"),
        ({"BinaryBlob": LONG}, "cut off or too long"),
        ({"UncompressedLength": 10}, "more than it announces"),
        ({"UncompressedLength": 10**6}, "less than it announces"),
        ({"UncompressedLength": -1}, "more than 128 MiB"),
        ({"UncompressedLength": (128 << 20) + 1}, "more than 128 MiB"),
    ],
)
def test_a_broken_blob_has_its_sentence(packed, gist):
    with pytest.raises(SaveError, match=gist):
        saves.describe("prospects", prospect_json(packed=packed))


@pytest.mark.parametrize("announced", [None, 100, 1 << 20])
def test_a_bomb_is_not_unpacked(monkeypatch, announced):
    monkeypatch.setattr(blobs, "MAX_UNPACKED", 1 << 20)
    content = prospect_json(packed={"BinaryBlob": BOMB, "UncompressedLength": announced})
    tracemalloc.start()
    try:
        with pytest.raises(SaveError, match="more than"):
            saves.describe("prospects", content)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "gist"),
    [
        (b"", "a text is cut off"),
        (closed(), "world is not in it"),
        (closed(structure("ProspectInfo", "Info")), "world is not in it"),
        (closed(structures("StateRecorderBlobs", "Blob", [])), "world is not in it"),
        (payload([recorder("GameModeStateRecorderComponent")] * 16), "more than 16 GameMode"),
        (payload()[:-40], "The save is damaged"),
    ],
)
def test_a_broken_world_has_its_sentence(content, gist):
    with pytest.raises(SaveError, match=gist):
        saves.describe("prospects", prospect_json(content))


def test_the_other_tools_file_is_named():
    with pytest.raises(WrongToolError, match=r"This is a prospect, not a Mounts\.json") as caught:
        saves.read("pets", prospect_json())
    assert caught.value.tool == "prospects"
    with pytest.raises(WrongToolError, match=r"This is a Mounts\.json, not a prospect") as caught:
        saves.read("prospects", mounts_json())
    assert (caught.value.tool, caught.value.status) == ("pets", 422)
    with pytest.raises(SaveError, match=r"This is Characters\.json"):
        saves.read("pets", b'{"Characters.json": []}')
    with pytest.raises(SaveError, match="needs ProspectInfo and ProspectBlob"):
        saves.read("prospects", b'{"ProspectInfo": {}}')


@pytest.mark.parametrize(
    ("broken", "gist"),
    [
        ('{"SavedMounts": {}}', "not a list of mounts"),
        ('{"SavedMounts": [1]}', "not a list of mounts"),
        ('{"SavedMounts": ["a"]}', "Mount 1: it has no BinaryData"),
        (
            '{"SavedMounts": [{"RecorderBlob": {"BinaryData": "AAAA"}}]}',
            "Mount 1: .* no BinaryData",
        ),
        ('{"SavedMounts": [{"RecorderBlob": {"BinaryData": [1, 256]}}]}', "is not a byte"),
        ('{"SavedMounts": [{"RecorderBlob": {"BinaryData": [1, -1]}}]}', "is not a byte"),
        (
            '{"SavedMounts": [{"RecorderBlob": {"BinaryData": [9999999999999999999]}}]}',
            "is not a byte",
        ),
        ('{"SavedMounts": [{"RecorderBlob": {"BinaryData": []}}]}', "Mount 1: The save is damaged"),
        (
            '{"SavedMounts": [{"RecorderBlob": {"BinaryData": [' + "1, " * 700_000 + "1]}}]}",
            "more than 2 MiB",
        ),
        ('{"SavedMounts": [' + "{}, " * 1000 + "{}]}", "more than 1000 mounts"),
    ],
)
def test_a_broken_file_has_its_sentence(broken, gist):
    with pytest.raises(SaveError, match=gist):
        saves.describe("pets", broken.encode())
