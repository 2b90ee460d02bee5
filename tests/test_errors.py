"""What is said when something goes wrong: what is near, how much is too much, when to come back."""

import json
import re
import time

import pytest

from portal.errors import Unavailable, spoken
from portal.suggestions import CANDIDATES, MOST, Place, nearest
from tests.support.gitlab.faulty import FaultyGitLab
from tests.support.running import ask, curl
from tests.support.saves import mounts_json
from tests.support.tools import get, opened, upload

NOWHERE = "http://127.0.0.1:9"
V2 = "/downloads/pets/v2.1.0"


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/downloads/pest", "/downloads/pets"),
        ("/downloads/pets/v2.1.1", "/downloads/pets/v2.1.0"),
        ("/downloads/pets/2.1.0", "/downloads/pets/v2.1.0"),
        (
            "/downloads/pets/v2.1.0/pets-windows.zip",
            "/downloads/pets/v2.1.0/pets-2.1.0-windows.zip",
        ),
        ("/downloads/pets/v2.1/pets-2.1.0-windows.zip", "/downloads/pets/v2.1.0"),
        ("/download", "/downloads"),
        ("/pet", "/pets"),
        ("/Prospect", "/prospects"),
        ("/privacy-policy", "/privacy"),
        ("/catalogue", "/catalog"),
        ("/pets.atom", "/feeds/pets.atom"),
        ("/downloads/pets.atom", "/downloads/pets"),
        ("/feeds/pest.atom", "/downloads/pets"),
    ],
)
def test_a_404_names_what_is_near(portal, path, near):
    status, headers, body = ask(portal.url + path)
    assert (status, headers["content-type"]) == (404, "text/plain; charset=UTF-8")
    assert f"Perhaps {portal.url}{near}\n" in body.decode()
    page = ask(portal.url + path, Accept="text/html")[2].decode()
    assert f'href="{near}"' in page.partition("Did you mean")[2]
    said = json.loads(ask(portal.url + path, Accept="application/json")[2])
    assert f"{portal.url}{near}" in said["near"]
    for address in said["near"]:
        assert ask(address, method="HEAD")[0] == 200


def test_git_is_told_the_clone_address_that_is_near(portal):
    status, _, body = ask(f"{portal.url}/pest.git/info/refs?service=git-upload-pack")
    assert (status, f"Clone {portal.url}/pets.git instead.\n" in body.decode()) == (404, True)


def test_a_404_says_nothing_where_nothing_is_near(portal):
    body = ask(f"{portal.url}/wp-login.php")[2].decode()
    assert "Perhaps" not in body
    page = ask(f"{portal.url}/wp-login.php", Accept="text/html")[2].decode()
    assert "Did you mean" not in page


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nonsense_is_answered_soon(portal, method):
    path = "/" + "../%ff<script>" * 500
    status, _, body = ask(portal.url + path, method=method, Accept="text/html")
    assert status == 404
    assert b"<script>" not in body


@pytest.mark.parametrize(
    ("asked", "names", "found"),
    [
        ("v1.0", ["v1.0.0", "v2.0.0", "w"], ["v1.0.0"]),
        ("PETS", ["pets", "prospects"], ["pets"]),
        ("windows", ["pets-2.1.0-windows.zip", "pets-linux.tar.gz"], ["pets-2.1.0-windows.zip"]),
        ("x", ["y", "z"], []),
        ("", ["a", "b"], []),
        ("a", [], []),
        ("aaaa", ["aaaa1", "aaaa2", "aaaa3", "aaaa4"], ["aaaa1", "aaaa2", "aaaa3"]),
        ("q" * 10_000, ["q" * 10_000], ["q" * 10_000]),
    ],
)
def test_what_is_near(asked, names, found):
    assert [place.name for place in nearest(asked, [Place(n, f"/{n}") for n in names])] == found


def test_a_place_is_named_once_and_the_search_has_an_end():
    twice = [Place("pets", "/pets"), Place("Pets", "/pets"), Place("pet", "/other")]
    assert [place.address for place in nearest("pets", twice)] == ["/pets", "/other"]
    many = [Place(f"name-{n}", f"/{n}") for n in range(CANDIDATES)]
    assert nearest("the one", [*many, Place("the one", "/one")]) == ()
    assert len(nearest("name", many)) == MOST


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "1 second"),
        (15, "15 seconds"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (121, "3 minutes"),
    ],
)
def test_when_to_come_back(seconds, said):
    assert spoken(seconds) == said
    assert Unavailable("Full.", retry_after=seconds).advice == f"Please try again in {said}."


def test_a_503_says_when_to_try_again(start_portal):
    with start_portal(gitlab=NOWHERE) as portal:
        for accept in ("text/html", "application/json", "*/*"):
            status, headers, body = ask(f"{portal.url}/downloads/pets", Accept=accept)
            assert status == 503
            when = re.search(r"Please try again in (\d+) seconds?\.", body.decode())
            assert headers["retry-after"] == when[1]
        page = ask(portal.url, Accept="text/html")[2].decode()
        assert page.count("The releases cannot be shown at the moment.") == 2
        assert "git clone" in page
        assert "cannot be shown" in ask(portal.url)[2].decode()
        said = json.loads(ask(portal.url, Accept="application/json")[2])
        assert [project["stale"] for project in said["projects"]] == [None, None]


def test_while_gitlab_is_away_the_last_releases_are_there_with_a_notice(start_portal):
    with FaultyGitLab() as gitlab, start_portal(gitlab=gitlab.url) as portal:
        assert "may be out of date" not in ask(portal.url)[2].decode()
        gitlab.fault = "500"
        until = time.monotonic() + 30
        while "may be out of date" not in (page := ask(portal.url, Accept="text/html")[2].decode()):
            assert time.monotonic() < until
            time.sleep(0.2)
        assert 'role="status"' in page
        assert "truncated.bin" in page
        for path in ("/downloads", "/downloads/pets"):
            assert "may be out of date" in ask(portal.url + path, Accept="text/html")[2].decode()
            assert "may be out of date" in ask(portal.url + path)[2].decode()
        assert json.loads(ask(f"{portal.url}/downloads/pets", Accept="application/json")[2])[
            "stale"
        ]
        assert ask(f"{portal.url}/readyz")[0] == 503


def test_a_413_says_the_limit(portal, clients, tmp_path):
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate((16 << 20) + 1)
    for accept in ("text/html", "application/json", "*/*"):
        status, _, body = upload(portal, "pets", large.read_bytes(), clients.new(), Accept=accept)
        assert status == 413
        assert "larger than 16 MiB" in body.decode()


def test_a_body_where_none_is_wanted_is_told_so(portal, tmp_path):
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(1 << 20)
    answer = curl("-D", "-", "-X", "POST", "--data-binary", f"@{large}", f"{portal.url}/downloads")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"at most 64 KiB" in answer


def test_an_expired_upload_says_how_to_go_on(portal, clients):
    client = clients.new()
    said = opened(portal, "pets", mounts_json({"name": "A"}), client)
    folder = portal.data_dir / "uploads"
    for file in folder.iterdir():
        if said["id"] in file.name:
            file.unlink()
    status, _, body = get(portal, said, "", client, Accept="text/html")
    assert status in (404, 410)
    page = body.decode()
    assert "an hour" in page
    assert '<a href="/pets">Choose a file</a>' in page
    assert f"{portal.url}/pets" in get(portal, said, "", client)[2].decode()
