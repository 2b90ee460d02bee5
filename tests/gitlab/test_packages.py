"""Sizes and checksums from GitLab's packages: when they are asked for, what failures leave."""

import asyncio

import pytest

from portal.gitlab.packages import Package, package_of
from portal.gitlab.requests import Failing
from tests.support.gitlab.api import (
    PACKAGES,
    PETS,
    RELEASES,
    Answer,
    entry,
    link,
    run,
)

SHA = "ab" * 32


def package_file(number, name, size, sha256=SHA):
    return {"id": number, "file_name": name, "size": size, "file_sha256": sha256}


def test_sizes_come_from_packages_and_are_asked_for_once():
    async def test(standin, api):
        def generic(rest):
            return link(f"{standin.url}/api/v4/projects/{rest}")

        own = "example%2Fpets/packages/generic/pets"
        standin.answers[RELEASES] = Answer(
            [
                entry(
                    "v1",
                    generic(f"{own}/1.0%2B1/a%20b.zip"),
                    generic(f"{own}/1.0%2B1/odd.zip"),
                    generic("7/packages/generic/secret/1.0/c.zip"),
                )
            ]
        )
        standin.answers[PACKAGES] = Answer(
            [{"id": i, "name": "pets", "version": v} for i, v in ((5, "1.0+1"), (6, "0.9"))]
            + [None, {"id": "x"}]
        )
        standin.answers[f"{PACKAGES}/5/package_files"] = Answer(
            [
                package_file(3, "a b.zip", 30),
                package_file(1, "a b.zip", 10),
                package_file(2, "odd.zip", -1, "no"),
                {"id": 9},
                None,
            ]
        )
        plain = await api.releases(PETS)
        assert not any(asset.size for asset in plain[0].assets)
        measured = await api.measure(PETS)
        assert [(a.name, a.size, a.sha256) for a in measured[0].assets] == [
            ("a b.zip", 30, SHA),
            ("odd.zip", None, None),
            ("c.zip", None, None),
        ]
        asked = len(standin.requests)
        assert await api.releases(PETS) == measured
        assert await api.measure(PETS) == measured
        assert len(standin.requests) == asked + 1

    run(test)


@pytest.mark.parametrize(
    ("passed", "again"), [(30, False), (90, True), (700, True)], ids=["soon", "minute", "later"]
)
@pytest.mark.parametrize("complete", [True, False])
def test_when_package_files_are_asked_for_again(monkeypatch, passed, again, complete):
    files = f"{PACKAGES}/5/package_files"

    async def test(standin, api):
        url = f"{standin.url}/api/v4/projects/example%2Fpets/packages/generic/pets/1/a.zip"
        standin.answers[RELEASES] = Answer([entry("v1", link(url))])
        standin.answers[PACKAGES] = Answer([{"id": 5, "name": "pets", "version": "1"}])
        standin.answers[files] = Answer([package_file(1, "a.zip", 1)] if complete else [])
        await api.releases(PETS)
        await api.measure(PETS)
        start = asyncio.get_running_loop().time()
        monkeypatch.setattr("portal.gitlab.packages.monotonic", lambda: start + passed)
        await api.measure(PETS)
        assert standin.asked(files) == 1 + (again and not (complete and passed == 90))
        assert standin.asked(PACKAGES) == 1

    run(test)


def test_what_was_known_stays_while_packages_fail():
    async def test(standin, api):
        url = f"{standin.url}/api/v4/projects/7/packages/generic/pets/1/a.zip"
        standin.answers[RELEASES] = Answer([entry("v1", link(url))])
        standin.answers["/api/v4/projects/7/packages"] = Answer(b"", 500)
        await api.releases(PETS)
        with pytest.raises(Failing):
            await api.measure(PETS)
        assert (await api.releases(PETS))[0].assets[0].size is None

    run(test)


OTHER = "cd" * 32


@pytest.mark.parametrize(
    ("before", "after", "linked", "told"),
    [
        (SHA, OTHER, "a.zip", 1),
        (SHA, SHA, "a.zip", 0),
        (SHA, None, "a.zip", 0),  # GitLab does not say, so nothing is known to have changed
        (None, OTHER, "a.zip", 0),
        (SHA, OTHER, "b.zip", 0),  # no release links to it
    ],
)
def test_a_published_file_whose_checksum_changes_is_told_once(
    monkeypatch, caplog, before, after, linked, told
):
    files = f"{PACKAGES}/5/package_files"

    async def test(standin, api):
        url = f"{standin.url}/api/v4/projects/example%2Fpets/packages/generic/pets/1/{linked}"
        standin.answers[RELEASES] = Answer([entry("v1", link(url))])
        standin.answers[PACKAGES] = Answer([{"id": 5, "name": "pets", "version": "1"}])
        start = asyncio.get_running_loop().time()
        await api.releases(PETS)
        for round_, sha256 in enumerate((before, after, after, after)):
            old, new = package_file(1, "a.zip", 1, before), package_file(2, "a.zip", 1, sha256)
            standin.answers[files] = Answer([old] if round_ == 0 else [old, new])
            moment = start + 700 * round_
            monkeypatch.setattr("portal.gitlab.packages.monotonic", lambda at=moment: at)
            (release,) = await api.measure(PETS)
            assert release.assets[0].sha256 == (sha256 if linked == "a.zip" else None)
        assert standin.asked(files) == 4

    run(test)
    words = f"'a.zip' of package 'pets' '1' was replaced: its SHA-256 was {before} and is {after}"
    assert caplog.text.count("was replaced") == told
    assert told == 0 or words in caplog.text


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://gl.example/root", True),
        ("https://GL.example:443/root", True),
        ("https://gl.example:8443/root", False),
        ("https://gl.example:x/root", False),
        ("http://gl.example/root", False),
        ("https://gl.example.evil.example/root", False),
        ("https://gl.example@evil.example/root", False),
        ("https://me@gl.example/root", False),
        ("https://gl.example", False),
        ("https://gl.example/roots", False),
    ],
)
def test_a_package_is_one_of_gitlabs_origin(url, known):
    place = f"{url}/api/v4/projects/7/packages/generic/pets/1.0/a%20b.zip?x=1"
    expected = (Package("7", "pets", "1.0"), "a b.zip") if known else None
    assert package_of("https://gl.example/root", place) == expected
