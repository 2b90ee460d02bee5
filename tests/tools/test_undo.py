"""The list of changes, each of which can be taken back; repairs; names; archives; lowering."""

import io
import json
import re
import zipfile

import pytest

from portal import saves
from portal.errors import PortalError
from portal.saves.steps import appended, without
from tests.support.running import ask
from tests.support.saves import fstring, mount_record, mounts_json, prospect_json
from tests.support.tools import get, opened, post, tell, upload

IVY = {"name": "Ivy", "guid": 4101, "number": 2147400001}
MOUNTS = mounts_json({}, IVY)


def rename(mount, name):
    return {"edit": "rename", "mount": mount, "name": name}


def level(mount, number, **more):
    return {"edit": "level", "mount": mount, "level": number, **more}


def made(tool, content, *edits):
    return saves.change(tool, content, list(edits)).content if edits else content


CLONE, DELETE = {"edit": "clone", "mount": 1, "name": "Twin"}, {"edit": "delete", "mount": 1}
CLONE_2 = {**CLONE, "mount": 2}


@pytest.mark.parametrize(
    ("steps", "taken", "left"),
    [
        ([rename(1, "A"), rename(2, "B")], 1, [rename(2, "B")]),
        ([rename(1, "A"), rename(2, "B")], 2, [rename(1, "A")]),
        # After the deletion the page's mount 1 is what was mount 2.
        ([DELETE, rename(1, "B")], 1, [rename(2, "B")]),
        ([DELETE, rename(1, "B")], 2, [DELETE]),
        # What was done to a copy goes with it; the next copy takes its number.
        ([CLONE, rename(3, "C"), level(2, 30)], 1, [level(2, 30)]),
        ([CLONE, CLONE_2, rename(4, "D")], 1, [CLONE_2, rename(3, "D")]),
    ],
)  # fmt: skip
def test_any_change_can_be_taken_back(portal, clients, steps, taken, left):
    client = clients.new()
    said = opened(portal, "pets", MOUNTS, client)
    for version, edit in enumerate(steps):
        status, done = tell(portal, said, "edit", client, version=version, edits=[edit])
        assert (status, len(done["edits"])) == (200, version + 1)
    status, done = tell(portal, said, "undo", client, version=len(steps), edit=taken)
    assert (status, done["edits"]) == (200, left)
    assert get(portal, said, "download", client)[2] == made("pets", MOUNTS, *left)
    assert done["description"] == saves.describe("pets", made("pets", MOUNTS, *left))


def test_after_the_last_one_the_file_is_as_it_came(portal, clients):
    client = clients.new()
    said = opened(portal, "pets", MOUNTS, client)
    tell(portal, said, "edit", client, edits=[rename(1, "A"), level(1, 50)])
    for _ in range(2):
        assert tell(portal, said, "undo", client, edit=1)[0] == 200
    assert get(portal, said, "download", client)[2] == MOUNTS


def test_a_browser_takes_one_back(portal, clients):
    client = clients.new()
    said = opened(portal, "prospects", prospect_json(), client)
    path = f"/prospects/{said['id']}"
    for version, (name, value) in enumerate([("difficulty", "Hard"), ("hardcore", "true")]):
        data = f"version={version}&{name}={value}"
        assert post(portal, f"{path}/edit", "-d", data, client=client)[0] == 303
    page = get(portal, said, "result", client, Accept="text/html")[2].decode()
    assert re.findall(r'name="edit" value="(\d)"', page) == ["2", "1"]
    assert "2 changes" in page
    status, headers, _ = post(portal, f"{path}/undo", "-d", "version=2&edit=1", client=client)
    assert (status, headers["location"]) == (303, f"{path}/result")
    assert ask(said["download"], client)[2] == prospect_json(hardcore=True)
    status, headers, _ = post(portal, f"{path}/undo", "-d", "version=3&edit=1", client=client)
    assert (status, headers["location"]) == (303, path)


@pytest.mark.parametrize(
    ("told", "status", "gist"),
    [
        ({"edit": 2}, 400, "no change number 2"),
        ({"edit": 0}, 400, "no change number 0"),
        ({"edit": -1}, 400, "no change number -1"),
        ({"edit": True}, 400, "Say which change"),
        ({"edit": "1"}, 400, "Say which change"),
        ({}, 400, "Say which change"),
        ({"edit": 1, "version": 0}, 409, "another tab"),
    ],
)
def test_what_cannot_be_taken_back_is_said(portal, clients, told, status, gist):
    client = clients.new()
    said = opened(portal, "pets", MOUNTS, client)
    tell(portal, said, "edit", client, edits=[rename(1, "A")])
    answered, answer = tell(portal, said, "undo", client, **told)
    assert answered == status
    assert gist in answer["error"]
    assert get(portal, said, "download", client)[2] == made("pets", MOUNTS, rename(1, "A"))


def test_a_later_change_that_needs_it_keeps_it(portal, clients):
    client = clients.new()
    said = opened(portal, "pets", MOUNTS, client)
    tell(portal, said, "edit", client, edits=[level(1, 40)])
    tell(portal, said, "edit", client, edits=[level(1, 50)])
    tell(portal, said, "edit", client, edits=[{"edit": "reset_talents", "mount": 2}])
    twice = {"edit": "reset_talents", "mount": 2}
    assert tell(portal, said, "edit", client, edits=[twice])[0] == 400
    assert tell(portal, said, "undo", client, edit=1)[0] == 200


def test_numbers_follow_deletions_and_copies():
    earlier = appended([], [DELETE, {**CLONE, "mount": 2}], 3)
    assert earlier == [DELETE, {**CLONE, "mount": 2}]
    # Of three mounts one is deleted and one added: 2, 3, 4.
    assert appended(earlier, [rename(1, "B"), rename(3, "D")], 3)[2:] == [
        rename(2, "B"),
        rename(4, "D"),
    ]
    assert without(earlier, 0, 3) == [{**CLONE, "mount": 2}]
    with pytest.raises(PortalError):
        without(earlier, 2, 3)
    assert without([{"edit": "repair"}, rename(1, "A")], 0, 1) == []


def broken():
    record = mount_record()
    at = record.index(fstring("Ada")) - 9
    return mounts_json({"record": record[:at] + b"\x09" + record[at + 1 :]})


def test_a_repair_is_offered_and_made_only_when_asked_for(portal, clients):
    client = clients.new()
    said = opened(portal, "pets", broken(), client)
    assert said["description"]["repairs"][0]["before"] == "09 00 00 00"
    assert get(portal, said, "download", client)[2] == broken()
    page = get(portal, said, "", client, Accept="text/html")[2].decode()
    assert "09 00 00 00" in page
    status, answer = tell(portal, said, "edit", client, edits=[rename(1, "A")])
    assert (status, answer["advice"][:27]) == (400, "This save has to be repaired"[:27])
    path = f"/pets/{said['id']}"
    assert post(portal, f"{path}/edit", "-d", "version=0&repair=1", client=client)[0] == 303
    assert get(portal, said, "download", client)[2] == mounts_json({})
    status, done = tell(portal, said, "edit", client, edits=[rename(1, "A")])
    assert done["edits"] == [{"edit": "repair"}, rename(1, "A")]
    assert get(portal, said, "download", client)[2] == mounts_json({"name": "A"})
    assert tell(portal, said, "undo", client, edit=1)[1]["edits"] == []
    assert get(portal, said, "download", client)[2] == broken()


def zipped(*files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


def test_the_one_save_in_a_zip_is_opened(portal, clients):
    client = clients.new()
    content = zipped(("PlayerData/Mounts.json", MOUNTS), ("Profile.json", b"{}"))
    said = opened(portal, "pets", content, client, name="backup.zip")
    assert (said["name"], said["size"]) == ("Mounts.json", len(MOUNTS))
    assert get(portal, said, "download", client)[2] == MOUNTS


@pytest.mark.parametrize(
    ("tool", "save", "name", "wanted"),
    [
        ("pets", MOUNTS, "Mounts (1).json", "Mounts.json"),
        ("pets", MOUNTS, "Mounts.json.backup_2", "Mounts.json"),
        ("prospects", prospect_json(), "World.json.backup", "Höhle.json"),
    ],
)
def test_another_name_is_given_back_with_a_word(portal, clients, tool, save, name, wanted):
    client = clients.new()
    said = opened(portal, tool, save, client, name=name)
    assert (said["name"], said["game_name"]) == (name, wanted)
    page = get(portal, said, "", client, Accept="text/html")[2].decode()
    assert f"<bdi>{wanted}</bdi></strong>: rename it" in page
    _, headers, _ = get(portal, said, "download", client)
    assert name in headers["content-disposition"]
    right = opened(portal, tool, save, client, name=wanted)
    assert "rename it" not in get(portal, right, "", client, Accept="text/html")[2].decode()


def test_lowering_is_confirmed_on_the_page(portal, clients):
    client = clients.new()
    said = opened(portal, "pets", MOUNTS, client)
    path, data = f"/pets/{said['id']}", "version=0&m1-level=5"
    accept = {"Accept": "text/html,*/*"}
    page = post(portal, f"{path}/preview", "-d", data, client=client, **accept)[2].decode()
    assert 'name="lower" value="1" required' in page
    assert "15,000 experience is lost" in page
    status, _, body = post(portal, f"{path}/edit", "-d", data, client=client, **accept)
    assert (status, "has to be confirmed" in body.decode()) == (400, True)
    assert post(portal, f"{path}/edit", "-d", f"{data}&lower=1", client=client)[0] == 303
    (mount, _) = json.loads(get(portal, said, "", client, Accept="application/json")[2])[
        "description"
    ]["mounts"]
    assert (mount["level"], mount["experience"]) == (5, 5_000)


def test_many_are_changed_together(portal, clients):
    client = clients.new()
    herd = [{"guid": n, "number": n, "name": f"M{n}"} for n in range(1, 37)]
    herd[3]["species"] = "Tamed_Wolf"
    said = opened(portal, "pets", mounts_json(*herd), client)
    path = f"/pets/{said['id']}"
    picked = "&".join(f"m{n}-pick=1" for n in range(2, 37))
    data = f"version=0&all-level=30&all-genes=7&all-reset_talents=1&{picked}"
    assert post(portal, f"{path}/edit", "-d", data, client=client)[0] == 303
    answer = json.loads(get(portal, said, "", client, Accept="application/json")[2])
    first, *others = answer["description"]["mounts"]
    assert first["level"] == 12
    assert {mount["level"] for mount in others} == {25, 30}
    assert all(set(mount["genetics"].values()) == {7} for mount in others)
    assert not any(mount["talents"] for mount in others)
    status, _, body = post(portal, f"{path}/edit", "-d", "version=1&all-level=30", client=client)
    assert (status, "No mount is picked" in body.decode()) == (400, True)
    page = ask(f"{said['page']}?species=Tamed_Wolf", client, Accept="text/html")[2].decode()
    assert page.count('<div class="mount">') == 1
    assert "1 of 36 are shown" in page


def test_a_file_that_is_none_says_where_the_right_one_lies(portal, clients):
    content = json.dumps({"Characters.json": []}).encode()
    status, _, body = upload(portal, "pets", content, clients.new(), Accept="text/html,*/*")
    assert status == 422
    assert "This is Characters.json" in body.decode()
    assert "compatdata/1149460" in body.decode()
