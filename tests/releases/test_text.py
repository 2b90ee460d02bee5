"""Releases for a terminal and for a program: what each client gets, and that it is true."""

import hashlib
import json
import re
import subprocess
import time

import pytest

from portal.http.accept import choose, release_forms
from tests.support.programs import needs
from tests.support.running import ask

CURL, FIREFOX = (
    "curl/8.14.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
)
PAGES = ("/", "/downloads", "/downloads/pets", "/downloads/pets/v2.1.0", "/downloads/pets/latest")


@pytest.mark.parametrize(
    ("accept", "agent", "expected"),
    [
        ("*/*", CURL, "text"),
        ("*/*", "Wget/1.25.0", "text"),
        ("*/*", "python-requests/2.32", "text"),
        ("*/*", "", "text"),
        ("", CURL, "html"),
        ("*/*", FIREFOX, "html"),
        ("*/*", "facebookexternalhit/1.1", "html"),
        ("*/*", "Slackbot-LinkExpanding 1.0", "html"),
        ("*/*;q=0", CURL, "html"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", CURL, "html"),
        ("application/json", FIREFOX, "json"),
        ("application/json, text/plain, */*", FIREFOX, "json"),
        ("text/plain", FIREFOX, "text"),
        ("text/html;q=0.5, application/json", CURL, "json"),
        ("text/html;q=0, */*", CURL, "text"),
        ("image/png", CURL, "html"),
        ("APPLICATION/JSON", "", "json"),
        ("text/plain;q=0.9, text/html;q=0.9", "", "text"),
        (";;,,q=1", "", "html"),
    ],
)
def test_the_form_that_is_answered(accept, agent, expected):
    assert choose(accept, release_forms(accept, agent)) == expected


@pytest.fixture(scope="module")
def measured(portal):
    """The portal, once it knows the sizes: they come after the first list."""
    until = time.monotonic() + 20
    while not re.search(rb"\d  [0-9a-f]{64}  \S+windows\.zip", ask(portal.url)[2]):
        assert time.monotonic() < until
        time.sleep(0.1)
    return portal


@pytest.mark.parametrize("path", PAGES)
def test_a_terminal_reads_lines(measured, path):
    portal = measured
    status, headers, body = ask(portal.url + path)
    assert (status, headers["content-type"]) == (200, "text/plain; charset=UTF-8")
    assert "Accept" in headers["vary"]
    assert headers["etag"]
    lines = body.decode().splitlines()
    assert b"<!doctype" not in body
    sums = ask(f"{portal.url}/downloads/pets/v2.1.0/SHA256SUMS")[2].decode().split()
    rows = [line.split() for line in lines if line.endswith("/pets-2.1.0-windows.zip")]
    ((size, digest, address),) = rows
    assert digest == sums[sums.index("pets-2.1.0-windows.zip") - 1]
    assert address == f"{portal.url}/downloads/pets/v2.1.0/pets-2.1.0-windows.zip"
    content = ask(address)[2]
    assert (len(content), hashlib.sha256(content).hexdigest()) == (int(size), digest)


@pytest.mark.parametrize("path", PAGES)
def test_a_program_reads_json(portal, path):
    status, headers, body = ask(portal.url + path, Accept="application/json")
    assert (status, headers["content-type"]) == (200, "application/json; charset=UTF-8")
    said = json.loads(body)
    for project in said.get("projects", [said]):
        for release in project.get("releases", [project]):
            assert release["page"].startswith(f"{portal.url}/downloads/")
            for file in release["files"]:
                assert ask(file["url"], method="HEAD")[0] == 200
                assert (file["sha256"] is None) == (file["size"] is None)
    assert b"pets-2.1.0-windows.zip" in body


@pytest.mark.parametrize("path", PAGES)
def test_a_browser_gets_the_page(portal, path):
    status, headers, _ = ask(portal.url + path, Accept="text/html,*/*;q=0.8")
    assert status == (302 if path.count("/") == 3 else 200)
    assert headers["content-type"] == "text/html; charset=UTF-8"
    assert "Accept" in headers["vary"]


@needs("curl")
def test_awk_can_take_it_apart(measured, tmp_path):
    """The way of a script: the address of a file, fetched, and checked by sha256sum."""
    script = """
        line=$(curl -sS "$1/downloads/prospects/latest" | grep '\\.zip$' | grep -v ' - ' | head -1)
        curl -sS -o got "$(echo "$line" | awk '{print $3}')"
        echo "$(echo "$line" | awk '{print $2}')  got" | sha256sum --check
    """
    done = subprocess.run(
        ["sh", "-euc", script, "sh", measured.url], cwd=tmp_path, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, b"got: OK\n"), done.stderr


def test_no_terminal_obeys_a_release(portal):
    for path in PAGES:
        body = ask(portal.url + path)[2]
        assert not [byte for byte in body if byte < 32 and byte != 10]


def test_json_says_which_is_latest(portal):
    said = json.loads(ask(f"{portal.url}/downloads/pets", Accept="application/json")[2])
    marked = [release["version"] for release in said["releases"] if release["latest"]]
    assert marked == [said["latest"]] == ["v2.1.0"]
    states = {r["version"]: (r["prerelease"], r["upcoming"]) for r in said["releases"]}
    assert states["v2.2.0-rc.1"] == (True, False)
    assert states["v3.0.0"] == (False, True)
    assert said["clone"] == f"{portal.url}/pets.git"
    assert said["older"] is None
