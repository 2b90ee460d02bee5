"""Lists of releases over a restart: what is shown while GitLab is away then, and what is not."""

import json
import os
import re
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from portal.config.model import Project
from portal.gitlab.disk import KnownProject, ListingFiles
from portal.releases.model import Asset, Listing, Release
from tests.support.gitlab.faulty import FaultyGitLab
from tests.support.running import ask

PETS = Project("pets", "g/pets", "Pets", "")
THEN = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
FILES = (Asset("a.zip", "A", "https://x/a", 5, "ab" * 32), Asset("b\ud800", "", "https://x/b"))
RELEASES = (
    Release("v2/ü", "Zwei", "# Ä\n\ud800", THEN, True, FILES, ()),
    Release("v1", "v1", "", THEN, False, (), FILES[1:], uploads=FILES[:1]),
)


@pytest.fixture
def memory(tmp_path):
    return ListingFiles(tmp_path / "releases", "https://gitlab.example")


def known(listing):
    return KnownProject(listing, 7, "g/pets")


def test_what_is_kept_comes_back_as_it_was_and_stale(memory, tmp_path):
    assert memory.recall(PETS) is None
    memory.keep(PETS, known(Listing(RELEASES, THEN)), True)
    assert memory.recall(PETS) == known(Listing(RELEASES, THEN, stale=True))
    assert (tmp_path / "releases").stat().st_mode & 0o077 == 0
    later = THEN.replace(hour=13)
    memory.keep(PETS, known(Listing((), later)), False)  # only the time, since nothing changed
    assert memory.recall(PETS) == known(Listing(RELEASES, later, stale=True))
    memory.keep(PETS, known(Listing((), later)), True)
    assert memory.recall(PETS) == known(Listing((), later, stale=True))
    memory.forget(PETS)
    memory.forget(PETS)
    assert memory.recall(PETS) is None
    assert list((tmp_path / "releases").iterdir()) == []


def test_what_a_kill_has_left_half_written_goes_at_the_next_start(memory, tmp_path):
    memory.keep(PETS, known(Listing(RELEASES, THEN)), True)
    folder = tmp_path / "releases"
    gone = subprocess.Popen(["true"])
    gone.wait()
    for number in (gone.pid, os.getpid()):
        (folder / f"pets.{number}.new").write_text("half")
    memory.recall(PETS)
    assert {path.name for path in folder.iterdir()} == {"pets.json", f"pets.{os.getpid()}.new"}


def test_a_list_of_another_project_or_gitlab_is_not_ours(memory, tmp_path):
    memory.keep(PETS, known(Listing(RELEASES, THEN)), True)
    assert memory.recall(replace(PETS, path="g/other")) is None
    assert ListingFiles(tmp_path / "releases", "https://other.example").recall(PETS) is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b"{}", b'{"gitlab": 1}', b"null", "torn"]
)
def test_a_file_that_is_damaged_is_none(memory, tmp_path, content):
    memory.keep(PETS, known(Listing(RELEASES, THEN)), True)
    (file,) = (tmp_path / "releases").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if content == "torn" else content)
    assert memory.recall(PETS) is None
    head, first, *others = whole.splitlines()
    strange = json.dumps(json.loads(first) | {"more": 1}).encode()
    file.write_bytes(b"\n".join((head, strange, *others)))
    assert memory.recall(PETS) is None


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "releases").write_text("a file")
    memory = ListingFiles(tmp_path / "releases", "https://gitlab.example")
    memory.keep(PETS, known(Listing(RELEASES, THEN)), True)
    assert memory.recall(PETS) is None


def shown(portal):
    return ask(f"{portal.url}/downloads/pets", Accept="text/html")


def kept(portal):
    """Wait until the list is on disk, and say when."""
    file = portal.data_dir / "releases" / "pets.json"
    until = time.monotonic() + 20
    while not file.exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    return file


@pytest.mark.parametrize("processes", [1, 2])
def test_a_start_while_gitlab_is_away_shows_the_last_releases(start_portal, processes):
    with FaultyGitLab() as gitlab, start_portal(gitlab=gitlab.url, processes=processes) as portal:
        assert b"truncated.bin" in shown(portal)[2]
        file = kept(portal)
        assert portal.stop() == 0
        gitlab.fault = "500"
        os.utime(file, (THEN.timestamp(), THEN.timestamp()))
        portal.start()
        status, _, body = shown(portal)
        page = body.decode()
        assert status == 200
        assert "truncated.bin" in page
        assert re.search(r"may be out of date.*as of <time [^>]*>2026-03-01 12:30 UTC", page, re.S)
        gitlab.fault = None
        until = time.monotonic() + 20
        while "out of date" in shown(portal)[2].decode():
            assert time.monotonic() < until
            time.sleep(0.1)


def test_what_was_withdrawn_does_not_come_back(start_portal):
    with FaultyGitLab() as gitlab, start_portal(gitlab=gitlab.url) as portal:
        assert shown(portal)[0] == 200
        file = kept(portal)
        gitlab.fault = "404"
        until = time.monotonic() + 20
        while shown(portal)[0] != 404 or file.exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        assert portal.stop() == 0
        gitlab.fault = "500"
        portal.start()
        assert shown(portal)[0] == 503
