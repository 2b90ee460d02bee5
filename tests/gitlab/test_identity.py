"""Projects that were moved or made anew, and a GitLab under two names."""

import asyncio
import json
import subprocess

import pytest

from portal.gitlab import identity
from portal.gitlab.identity import path_of_repository, read_details
from portal.gitlab.requests import Failing
from tests.support.gitlab.inside import Inside
from tests.support.running import TOKEN

BEARER = {"Authorization": f"Bearer {TOKEN}"}
INFO_REFS = "/pets.git/info/refs?service=git-upload-pack"


def run(content, tmp_path, steps, **options):
    async def main():
        async with Inside(content, tmp_path, **options) as inside:
            await steps(inside)

    asyncio.run(main())


def shown(status, *_):
    return status == 200


def test_a_project_that_has_moved_is_followed(content, tmp_path, caplog):
    """The API's 301 to its number, git's to its new path; the operator is shown the new path."""

    async def steps(inside):
        _, _, page = await inside.until("/downloads/pets", shown)
        assert "prospects" in page
        assert (await inside.ask(INFO_REFS))[0] == 200
        clone = ("git", "clone", "-q", f"{inside.url}/pets.git", str(tmp_path / "clone"))
        done = await asyncio.to_thread(subprocess.run, clone, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        _, _, text = await inside.ask("/metrics", **BEARER)
        assert "the configuration says icarus/worlds" in text
        assert (await inside.ask("/readyz"))[0] == 200

    run(content, tmp_path, steps, path="icarus/worlds")
    assert "in GitLab the project is at icarus/prospects now" in caplog.text


def test_git_learns_of_a_move_before_the_list_does(content, tmp_path, monkeypatch):
    """Between two looks at the project, git's own redirect says where it is."""

    async def steps(inside):
        await inside.until("/downloads/pets", shown)
        known = inside.services.listings._api._known["pets"].identity
        known._path = "icarus/worlds"  # as if the move had only just happened
        known._ask_at = 1e18
        assert (await inside.ask(INFO_REFS))[0] == 200
        assert known.location.paths[0] == "icarus/prospects"

    run(content, tmp_path, steps, path="icarus/worlds")


def test_the_number_and_path_are_known_after_a_restart(content, tmp_path):
    async def first(inside):
        await inside.until("/downloads/pets", shown)
        await inside.until("/readyz", shown)
        while not (tmp_path / "releases" / "pets.json").exists():  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def second(inside):
        assert (await inside.until("/downloads/pets", shown))[0] == 200
        known = inside.services.listings._api._known["pets"].identity
        assert (known.number, known.location.paths[0]) == (number, "icarus/prospects")

    run(content, tmp_path, first, path="icarus/worlds")

    async def away():
        """Another stand-in under the old address would need its port; one that is gone does."""
        inside = Inside(content, tmp_path, path="icarus/worlds")
        inside.gitlab_url = document(tmp_path)["gitlab"]
        async with inside:
            await second(inside)

    number = document(tmp_path)["number"]
    assert isinstance(number, int)
    asyncio.run(away())


def document(tmp_path):
    """The head of the list that is kept."""
    lines = (tmp_path / "releases" / "pets.json").read_text().splitlines()
    return json.loads(lines[0])


def test_a_project_that_is_made_anew_under_its_path(content, tmp_path, monkeypatch, caplog):
    """Its new number is noticed, and package files of the old one are not taken for its."""
    monkeypatch.setattr(identity, "ASK_SECONDS", 0.2)

    async def steps(inside):
        await inside.until("/downloads/pets", shown)
        known = inside.services.listings._api._known["pets"].identity
        before, known.number = known.number, 1
        async with asyncio.timeout(10):
            while known.number != before:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    run(content, tmp_path, steps)
    assert "another project has this path now" in caplog.text


@pytest.mark.parametrize("more", ["", 'external_url = "http://gitlab.public.example"'])
def test_a_gitlab_under_two_names(content, tmp_path, more):
    """Links are written with the name that GitLab gives itself, and asked under the configured."""

    async def main():
        inside = Inside(content, tmp_path, more=more)
        inside.standin.site.external_url = "http://gitlab.public.example"
        async with inside:
            await inside.until("/downloads/pets", shown)
            status, headers, _ = await inside.ask("/downloads/pets/v2.1.0/SHA256SUMS")
            assert (status, headers["X-Content-Type-Options"]) == (200, "nosniff")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("document", "details"),
    [
        (
            {"id": 7, "path_with_namespace": "a/b", "web_url": "https://x.example/root/a/b"},
            (7, "a/b", "https://x.example/root"),
        ),
        ({"id": 7, "path_with_namespace": "a/b", "web_url": "https://x.example/c"}, (7, "a/b", "")),
        ({"id": 7, "path_with_namespace": "a/b", "web_url": "ftp://x.example/a/b"}, (7, "a/b", "")),
        ({"id": 7, "path_with_namespace": "../b", "web_url": 5}, (7, "../b", "")),
        ({"id": 7, "path_with_namespace": "a b/c"}, (7, "", "")),
        ({"id": 7}, (7, "", "")),
    ],
)
def test_what_gitlab_says_of_a_project(document, details):
    found = read_details(document)
    assert (found.number, found.path, found.base) == details


@pytest.mark.parametrize("document", [{}, {"id": "7"}, {"id": True}])
def test_a_project_without_a_number(document):
    with pytest.raises(Failing):
        read_details(document)


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("https://x.example/a/b.git/info/refs?service=git-upload-pack", "a/b"),
        ("https://X.example/a/b.git/info/refs", "a/b"),
        ("https://x.example/users/sign_in", ""),
        ("https://y.example/a/b.git/info/refs", ""),
        ("/a/b.git/info/refs", ""),
        ("", ""),
    ],
)
def test_where_git_is_led(location, path):
    assert path_of_repository(location, ("https://x.example",)) == path
