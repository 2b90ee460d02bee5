"""/pets and /prospects: the ways through, and what is counted."""

import json
import re
import socket
import struct
from urllib.parse import urlsplit

import pytest

from portal import saves
from tests.support.running import ask
from tests.support.saves import mounts_json, prospect_json
from tests.support.tools import events, get, opened, post, tell, upload, uses

MOUNTS = mounts_json({"name": "Clover"}, {"name": "Ivy", "guid": 4101, "number": 2147400001})
PROSPECT = prospect_json()
RENAME = {"edit": "rename", "mount": 1, "name": "Ælfgifu 🐎"}
HARDER = {"edit": "difficulty", "difficulty": "Hard"}
WALKS = [("pets", MOUNTS, RENAME), ("prospects", PROSPECT, HARDER)]


@pytest.mark.parametrize("tool", ["pets", "prospects"])
def test_the_tools_page(portal, tool):
    status, headers, body = ask(f"{portal.url}/{tool}", Accept="text/html")
    assert status == 200
    assert "set-cookie" not in headers
    assert "x-robots-tag" not in headers
    page = body.decode()
    assert 'enctype="multipart/form-data"' in page
    assert '<input id="file" name="file" type="file"' in page
    assert f'action="/{tool}"' in page
    assert f'href="/{tool}" aria-current="page"' in page
    assert ask(f"{portal.url}/{tool}", method="HEAD")[0] == 200
    assert ask(f"{portal.url}/{tool}/")[0] == 200


def test_a_tool_may_share_its_name_with_a_project(portal):
    assert ask(f"{portal.url}/pets.git/info/refs?service=git-upload-pack")[0] == 200
    assert ask(f"{portal.url}/pets.git")[1]["location"] == "/downloads/pets"
    assert ask(f"{portal.url}/pets/info/refs?service=git-upload-pack")[0] == 301
    assert ask(f"{portal.url}/downloads/pets")[0] == 200


@pytest.mark.parametrize(("tool", "save", "edit"), WALKS)
def test_a_program_walks_through(portal, clients, tool, save, edit):
    client = clients.new()
    said = opened(portal, tool, save, client)
    assert said["description"] == saves.describe(tool, save)
    assert (said["version"], said["name"], said["size"]) == (0, "Save.json", len(save))
    assert said["edit"] == f"{portal.url}/{tool}/{said['id']}/edit"
    assert events(portal, client) == ["upload"]

    expected = saves.change(tool, save, [edit])
    status, preview = tell(portal, said, "preview", client, version=0, edits=[edit])
    assert (status, preview) == (200, {"version": 0, "changes": expected.changes})
    status, done = tell(portal, said, "edit", client, version=0, edits=[edit])
    assert (status, done["version"], done["changes"]) == (200, 1, expected.changes)
    assert done["description"] == expected.description
    assert events(portal, client) == ["upload"]

    status, headers, body = ask(done["download"], client, User_Agent="Player")
    assert (status, body) == (200, expected.content)
    assert headers["content-disposition"].startswith('attachment; filename="Save.json"')
    assert uses(portal, client)[1:] == [(tool, "download", "Player")]
    status, _, body = get(portal, said, "", client, Accept="application/json")
    assert json.loads(body)["description"] == expected.description


def test_an_unchanged_file_comes_back_byte_for_byte(portal, clients):
    client = clients.new()
    said = opened(portal, "pets", MOUNTS, client)
    assert get(portal, said, "download", client)[2] == MOUNTS


def fields(page):
    """The names and values of a page's form."""
    form = page.partition('class="save"')[2].partition("</form>")[0]
    found = {}
    for element in re.findall(r"<input [^>]*>", form):
        attributes = dict(re.findall(r'([a-z]+)="([^"]*)"', element))
        if attributes.get("type") != "checkbox" or " checked" in element:
            found[attributes["name"]] = attributes["value"]
    for name, options in re.findall(r'<select id="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        found[name] = re.search(r'value="([^"]*)" selected', options)[1]
    return found


def send(portal, path, values, client):
    """Post a form as a browser does."""
    data = [part for n, v in values.items() for part in ("--data-urlencode", f"{n}={v}")]
    return post(portal, path, *data, client=client, Accept="text/html,*/*")


@pytest.mark.parametrize(
    ("tool", "save", "typed", "edits"),
    [
        (
            "pets",
            MOUNTS,
            {"m1-name": "Ælfgifu 🐎", "m1-gene0": "7", "m1-gene1": "1", "m2-delete": "1"},
            [
                RENAME,
                {"edit": "genetics", "mount": 1, "values": {"Vitality": 7, "Agility": 1}},
                {"edit": "delete", "mount": 2},
            ],
        ),
        (
            "prospects",
            PROSPECT,
            {"difficulty": "Hard", "hardcore": "true", "privacy": "Private", "mission1": "1"},
            [
                HARDER,
                {"edit": "hardcore", "hardcore": True},
                {"edit": "privacy", "privacy": "Private"},
                {"edit": "reset_mission", "mission": "Hill_Done"},
            ],
        ),
    ],
)
def test_a_browser_walks_through_without_javascript(portal, clients, tool, save, typed, edits):
    client = clients.new()
    status, headers, _ = upload(portal, tool, save, client, Accept="text/html,*/*")
    path = headers["location"]
    assert (status, bool(re.fullmatch(rf"/{tool}/[0-9a-f]{{32}}", path))) == (303, True)
    page = ask(portal.url + path, client, Accept="text/html")[2].decode()
    shown = fields(page)
    status, _, body = send(portal, f"{path}/preview", shown | typed, client)
    assert status == 200
    assert "What will change" in body.decode()
    hidden = fields(body.decode())
    assert hidden == {"version": "0", **typed}
    status, _, body = send(portal, f"{path}/preview", hidden | {"back": "1"}, client)
    assert (status, fields(body.decode())) == (200, shown | typed)
    status, headers, _ = send(portal, f"{path}/edit", hidden, client)
    assert (status, headers["location"]) == (303, f"{path}/result")
    page = ask(f"{portal.url}{path}/result", client, Accept="text/html")[2].decode()
    assert "Steam Cloud" in page
    assert "Keep a copy" in page
    body = ask(f"{portal.url}{path}/download", client)[2]
    assert body == saves.change(tool, save, edits).content
    assert events(portal, client) == ["upload", "download"]


def test_edits_add_up_and_copies_have_their_names(portal, clients):
    client = clients.new()
    said = opened(portal, "pets", MOUNTS, client)
    path = f"/pets/{said['id']}"
    assert send(portal, f"{path}/edit", {"version": 0, "m1-clone": "Twin"}, client)[0] == 303
    assert send(portal, f"{path}/edit", {"version": 1, "m3-level": "30"}, client)[0] == 303
    now = json.loads(get(portal, said, "", client, Accept="application/json")[2])
    names = [(mount["name"], mount["level"]) for mount in now["description"]["mounts"]]
    assert names == [("Clover", 12), ("Ivy", 12), ("Twin", 30)]


def test_what_is_wrong_with_a_field_stands_beside_it(portal, clients):
    client = clients.new()
    said = opened(portal, "pets", MOUNTS, client)
    typed = {"version": 0, "m1-name": "  ", "m1-level": "abc", "m2-gene0": "8", "m2-sex": "3"}
    status, _, body = send(portal, f"/pets/{said['id']}/preview", typed, client)
    page = body.decode()
    assert status == 400
    assert "4 fields are not right." in page
    for name in ("m1-name", "m1-level", "m2-gene0", "m2-sex"):
        element = re.search(rf'<[a-z]+ id="{name}"[^>]*>', page)[0]
        assert 'aria-invalid="true"' in element
        assert f"{name}-error" in element
        assert f'<p id="{name}-error"' in page
    assert page.count("<details open>") == 2
    assert 'value="abc"' in page


@pytest.mark.parametrize("typed", [{}, {"m1-name": "Clover"}, {"m9-name": "X"}, {"m1-sex": "1"}])
def test_nothing_different_is_no_edit(portal, clients, typed):
    client = clients.new()
    said = opened(portal, "pets", MOUNTS, client)
    for what in ("preview", "edit"):
        answer = send(portal, f"/pets/{said['id']}/{what}", {"version": 0, **typed}, client)
        assert answer[0] == 400
        assert "Nothing is different yet." in answer[2].decode()


@pytest.mark.parametrize(
    ("headers", "status", "part", "counted"),
    [
        ({}, 200, slice(None), 1),
        ({"Range": "bytes=0-"}, 206, slice(None), 1),
        ({"Range": "bytes=0-1999"}, 206, slice(2000), 1),
        ({"Range": "bytes=0-99"}, 206, slice(100), 0),
        ({"Range": "bytes=2000-"}, 206, slice(2000, None), 0),
        ({"Range": "bytes=-100"}, 206, slice(-100, None), 0),
        ({"Range": "bytes=2000-", "If_Range": '"other"'}, 200, slice(None), 1),
        ({"Range": "lines=5-"}, 200, slice(None), 1),
        ({"Range": "bytes=9999999-"}, 416, slice(0), 0),
    ],
)
def test_a_download_is_counted_once(portal, clients, headers, status, part, counted):
    client = clients.new()
    said = opened(portal, "pets", MOUNTS, client)
    answer = get(portal, said, "download", client, **headers)
    whole = len(MOUNTS)
    expected = 200 if status == 206 and len(MOUNTS[part]) == whole else status
    assert (answer[0], answer[2]) == (expected, MOUNTS[part])
    if answer[0] == 206:
        first = range(whole)[part][0]
        shown = f"bytes {first}-{first + len(answer[2]) - 1}/{whole}"
        assert answer[1]["content-range"] == shown
    assert events(portal, client) == ["upload"] + counted * ["download"]


def test_head_of_a_download_is_none(portal, clients):
    client = clients.new()
    said = opened(portal, "pets", MOUNTS, client)
    status, headers, _ = get(portal, said, "download", client, method="HEAD")
    assert (status, headers["content-length"]) == (200, str(len(MOUNTS)))
    assert events(portal, client) == ["upload"]


def test_a_client_that_leaves_in_the_middle_of_a_download_is_no_error(start_portal, clients):
    client = clients.new()
    with start_portal() as portal:
        large = json.loads(MOUNTS)
        large["SavedMounts"] = 400 * large["SavedMounts"]
        said = opened(portal, "pets", json.dumps(large).encode(), client)
        path = urlsplit(said["download"]).path
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", portal.port)) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                assert connection.recv(15) == b"HTTP/1.1 200 OK"
        assert portal.stop() == 0
        assert "download 200" in portal.log()
        assert "ERROR" not in portal.log()
