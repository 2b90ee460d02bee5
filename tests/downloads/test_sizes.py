"""Files that are not as long as GitLab's package registry lists them."""

import json
import time

import pytest

from tests.support.gitlab.faulty import FaultyGitLab, _head
from tests.support.running import ask

LISTED = 100


def registry(size):
    """The registry's answers, by the end of their path."""
    names = ("shorter.bin", "replaced.bin", "right.bin")
    files = [{"id": i, "file_name": name, "size": size} for i, name in enumerate(names)]
    package = {"id": 5, "name": "faulty", "version": "1"}
    lists = {"packages": [package], "package_files": files}
    return {name: _head(200, json.dumps(entries).encode()) for name, entries in lists.items()}


@pytest.fixture
def files():
    """What is sent; the test may change it."""
    sent = {
        "right.bin": _head(200, bytes(LISTED)),
        "shorter.bin": _head(200, bytes(LISTED - 10)) + bytes(10),
        "replaced.bin": _head(200, bytes(2 * LISTED)),
    }
    return sent | registry(LISTED)


@pytest.fixture
def portal(start_portal, files):
    """A portal that knows the sizes, which it asks for after the list."""
    with (
        FaultyGitLab(files=files) as gitlab,
        start_portal(gitlab=gitlab.url, asset_host="") as portal,
    ):
        until = time.monotonic() + 20
        while ask(f"{portal.url}/downloads/pets/v1/shorter.bin", "198.51.100.9", "HEAD")[0] != 502:
            assert time.monotonic() < until
            time.sleep(0.05)
        yield portal


def test_a_file_that_is_shorter_than_it_is_listed_is_no_download(portal, clients):
    """GitLab's answer is a whole one; that something is missing shows only in its list."""
    client, url = clients.new(), f"{portal.url}/downloads/pets/v1/shorter.bin"
    for headers in ({}, {"Range": "bytes=0-"}):
        answer = ask(url, client, **headers)
        assert answer[0] == 502
        assert b"not as long as its release says" in answer[2]
    assert portal.count("downloads", client) == 0
    assert ask(f"{portal.url}/downloads/pets/v1/right.bin", client)[2] == bytes(LISTED)
    assert portal.count("downloads", client) == 1


def test_a_file_that_was_replaced_is_measured_anew_within_the_request(portal, clients, files):
    client, url = clients.new(), f"{portal.url}/downloads/pets/v1/replaced.bin"
    assert ask(url, client)[0] == 502
    assert portal.count("downloads", client) == 0
    files |= registry(2 * LISTED)
    assert ask(url, client)[::2] == (200, bytes(2 * LISTED))
    assert portal.count("downloads", client) == 1
    page = ask(f"{portal.url}/downloads/pets/v1", client)[2].decode()
    assert f"{2 * LISTED}" in next(line for line in page.splitlines() if "replaced.bin" in line)
