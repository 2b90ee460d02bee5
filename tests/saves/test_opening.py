"""Wrong files are known by their content; the one save in a zip archive is opened."""

import gzip
import io
import json
import struct
import zipfile

import pytest

from portal import saves
from portal.saves.errors import SaveError, WrongToolError
from tests.support.saves import mounts_json, prospect_json

PETS = mounts_json({})
WORLD = prospect_json()


def zipped(*files, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


def game(**members):
    return json.dumps(members, indent="\t").encode()


CHARACTERS = json.dumps({"Characters.json": ['{"CharacterName": "ANN"}']}).encode()
WRONG = {
    "Characters.json": (CHARACTERS, "This is Characters.json, in which the game keeps"),
    "Profile.json": (game(UserID="7", MetaResources=[], Talents=[]), "This is Profile.json"),
    "Loadouts.json": (game(Loadouts=[]), "This is Loadouts.json"),
    "AssociatedProspects_Slot_0.json": (
        json.dumps({"AssociatedProspects_Slot_0.json": []}).encode(),
        "list of a character's prospects, not a prospect",
    ),
    "Accolades.json": (game(CompletedAccolades=[], PlayerTrackers=[]), "This is Accolades.json"),
    "MetaInventory.json": (game(InventoryID="Main", Items=[]), "This is MetaInventory.json"),
    "BestiaryData.json": (game(BestiaryTracking=[], FishTracking=[]), "This is BestiaryData.json"),
    "flags.dat": (b"\x01\x02\x03", "This is a binary file, such as the game's flags.dat"),
    "ServerSettings.ini": (b"[/Script/Icarus.Settings]\r\nA=b\r\n", "This is a file of settings"),
    "D_Mounts.json": (game(RowStruct="/Script/Icarus.Mount", Defaults={}, Rows=[]), "data tables"),
    "gzip": (gzip.compress(PETS), "This is a gzip archive. Unpack it"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4", "This is a 7z archive"),
    "rar": (b"Rar!\x1a\x07\1\0", "This is a rar archive"),
    "settings.sav": (b"GVAS\2\0\0\0", "This is a file of Unreal's own"),
    "page": (b"<!DOCTYPE html><html><body>404</body></html>", "This is a web page"),
    "page in capitals": (b"\r\n<HTML><p>", "This is a web page"),
    "list": (b"[1,2]", "is no save|no save"),
    "other": (game(Anything=1), "The file is JSON, but not"),
}


@pytest.mark.parametrize("tool", ["pets", "prospects"])
@pytest.mark.parametrize("name", WRONG)
def test_the_answer_says_which_file_it_is_and_where_the_right_one_lies(tool, name):
    content, gist = WRONG[name]
    with pytest.raises(SaveError, match=gist) as caught:
        saves.open_file(tool, content)
    advice = caught.value.advice
    for place in (r"%LOCALAPPDATA%\Icarus\Saved\PlayerData", "compatdata/1149460"):
        assert place in advice
    assert ("DedicatedServer/Prospects" in advice) == (tool == "prospects")
    assert len(advice) < 600
    assert len(caught.value.sentence) < 600


@pytest.mark.parametrize(
    ("content", "gist"),
    [
        (bytes(4096), "nothing but zeros"),
        (
            PETS + bytes(4096),
            "that is damaged. The file ends in 4,096 zero bytes",
        ),
        (
            PETS[:700] + bytes(100),
            "that is damaged. The file ends in 100 zero bytes",
        ),
        (
            PETS[:700],
            "that is damaged. The file is not JSON: it ends too early",
        ),
        (PETS.decode().encode("utf-16-le")[:900], "looks like a Mounts.json that is damaged"),
        (
            b'{"SavedMounts":[],}',
            "that is damaged. The file is not JSON: line 1",
        ),
    ],
)
def test_a_damaged_file_is_known_too(content, gist):
    with pytest.raises(SaveError, match=gist):
        saves.open_file("pets", content)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
@pytest.mark.parametrize(
    ("tool", "right", "name"),
    [("pets", PETS, "Mounts.json"), ("prospects", WORLD, "Höhle.json")],
)
def test_the_one_fitting_file_of_a_zip_is_opened(tool, right, name, method):
    others = [("read me.txt", b"\xff"), ("Characters.json", CHARACTERS), ("folder/", b"")]
    opened = saves.open_file(tool, zipped(*others, (f"a\\b/{name}", right), method=method))
    assert (opened.name, opened.content) == (name, right)
    assert opened.description == saves.describe(tool, right)


def test_a_file_in_utf_16_is_found_in_a_zip():
    content = b"\xff\xfe" + PETS.decode().encode("utf-16-le")
    assert saves.open_file("pets", zipped(("Mounts.json", content))).content == content


def test_a_file_that_came_alone_has_no_content_of_its_own():
    assert saves.open_file("pets", PETS).content == b""


@pytest.mark.parametrize(
    ("content", "gist"),
    [
        (zipped(), "no file in the zip archive that is a Mounts.json"),
        (zipped(("a.json", b"{}")), "no file in the zip archive that is a Mounts.json"),
        (zipped(("a.zip", zipped(("Mounts.json", PETS)))), "no file in the zip archive"),
        (zipped(("a.json", PETS), ("b.json", PETS)), "2 files in the zip .*: a.json, b.json"),
        (zipped(("Mounts.json", PETS))[:-30], "cut off"),
        (zipped(("Mounts.json", PETS))[:200], "cut off"),
        (b"PK\3\4" + bytes(200), "cut off"),
        (zipped(("Mounts.json", PETS), method=zipfile.ZIP_LZMA), "packed in a way"),
        (zipped(("Mounts.json", PETS), method=zipfile.ZIP_BZIP2), "packed in a way"),
    ],
)
def test_a_zip_without_exactly_one_has_its_sentence(content, gist):
    with pytest.raises(SaveError, match=gist):
        saves.open_file("pets", content)


def test_a_zip_of_the_other_tool_is_sent_there():
    with pytest.raises(WrongToolError) as caught:
        saves.open_file("pets", zipped(("World.json", WORLD)))
    assert caught.value.tool == "prospects"


def test_an_encrypted_zip_is_refused():
    content = bytearray(zipped(("Mounts.json", PETS)))
    at = content.rindex(b"PK\1\2")
    content[at + 8] |= 1  # the flags of the directory's entry
    with pytest.raises(SaveError, match="encrypted"):
        saves.open_file("pets", bytes(content))


def test_a_bomb_costs_no_more_than_its_bound():
    bomb = zipped(*[(f"{n}.json", b" " * (15 << 20)) for n in range(8)])
    assert len(bomb) < 1 << 20
    with pytest.raises(SaveError, match="holds more than 48 MiB"):
        saves.open_file("pets", bomb)


def test_a_file_that_unpacks_to_more_than_it_says_is_refused():
    content = bytearray(zipped(("Mounts.json", b" " * (20 << 20))))
    at = content.rindex(b"PK\1\2")
    struct.pack_into("<I", content, at + 24, 1000)  # the size that the directory announces
    with pytest.raises(SaveError, match="zip archive"):
        saves.open_file("pets", bytes(content))


def test_a_directory_of_many_files_is_not_read():
    with pytest.raises(SaveError, match="more than 1,000 files"):
        saves.open_file("pets", zipped(*[(f"{n}", b"") for n in range(1001)]))
