"""What one release is read as, and what is asked of it."""

from datetime import UTC, datetime

import pytest

from portal.gitlab.entries import MalformedRelease, file_name, is_foreign, read_release
from portal.releases.model import Listing, asset_path, newest_first
from tests.support.gitlab.api import entry, link

PROJECT = "https://gitlab.example.com/api/v4/projects/example%2Fpets"


def read(version="v1.0.0", *links, **changes):
    return read_release(entry(version, *links, **changes), "pets", PROJECT)


def test_a_whole_entry():
    release = read("v2.1.0", link("https://x.example/f/a%20b.zip", name="The zip"))
    assert (release.version, release.title, release.notes) == ("v2.1.0", "Pets v2.1.0", "Notes.")
    assert release.released_at == datetime(2026, 1, 2, 1, 4, 5, 678000, UTC)
    (asset,) = release.assets
    assert (asset.name, asset.label) == ("a b.zip", "The zip")
    assert asset.url == "https://x.example/f/a%20b.zip"
    assert [a.name for a in release.archives] == [
        "pets-v2.1.0.tar.gz",
        "pets-v2.1.0.zip",
        "pets-v2.1.0.tar.bz2",
        "pets-v2.1.0.tar",
    ]
    assert release.archives[0].url == f"{PROJECT}/repository/archive.tar.gz?sha=v2.1.0"


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        "v1",
        entry(tag_name=None),
        entry(tag_name=""),
        entry(tag_name=7),
        entry("v1\n"),
        entry("v1\u202egpj"),
        entry(released_at=None, created_at=None),
        entry(released_at="soon", created_at=5),
        {},
    ],
)
def test_what_cannot_be_shown_is_malformed(bad):
    with pytest.raises(MalformedRelease):
        read_release(bad, "pets", PROJECT)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": None, "description": None, "assets": None},
        {"assets": []},
        {"assets": {"links": "x", "sources": {}}},
        {"assets": {"links": [None, 1, {}, {"url": 3}], "sources": [None, {"format": 1}]}},
        {"released_at": None},
        {"released_at": "2026-01-01T00:00:00"},
        {"name": "\ud800", "description": "\udfff"},
    ],
)
def test_what_is_missing_or_odd_inside_is_done_without(changes):
    release = read(**changes)
    assert release.title
    assert (release.title + release.notes).encode()
    assert release.released_at.tzinfo is UTC
    assert release.assets == ()


@pytest.mark.parametrize(
    ("version", "archive", "path"),
    [
        ("release/2.1", "pets-release-2.1.tar.gz", "release%2F2.1"),
        ("v1 beta", "pets-v1 beta.tar.gz", "v1%20beta"),
        ("100%", "pets-100%.tar.gz", "100%25"),
        ("vé", "pets-vé.tar.gz", "v%C3%A9"),
        ("v1+b", "pets-v1+b.tar.gz", "v1%2Bb"),
    ],
)
def test_odd_tags(version, archive, path):
    release = read(version)
    assert release.archives[0].name == archive
    assert release.archives[0].url.endswith(f"archive.tar.gz?sha={path}")
    assert asset_path("pets", version, "a/b #?.zip") == f"/downloads/pets/{path}/a%2Fb%20%23%3F.zip"
    assert release.anchor == "release-" + path.replace("%", "_")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://x/a/b.zip", "b.zip"),
        ("https://x/a/b.zip?sig=1/2#f", "b.zip"),
        ("https://x/a/b%2Ezip", "b.zip"),
        ("https://x/a/d%2Fb.zip", "b.zip"),
        ("https://x/a/%C3%A9.zip", "é.zip"),
        ("https://x/a/%ff.zip", "\ufffd.zip"),
        ("https://x/a/%22%3Cb%3E.zip", '"<b>.zip'),
        ("https://x/a/", ""),
        ("https://x", ""),
        ("https://x/a/..", ""),
        ("https://x/a/%2e%2e", ""),
        ("https://x/a/a%2f..", ""),
        ("https://x/a/a%0d%0aSet-Cookie:x", ""),
        ("https://x/a/a%00.zip", ""),
        ("https://x/a/%E2%80%AEgpj.exe", ""),
        ("https://x/a/" + "n" * 256, ""),
        ("https://[x/a.zip", ""),
        ("", ""),
    ],
)
def test_file_names(address, name):
    assert file_name(address) == name


@pytest.mark.parametrize(
    "url",
    ["ftp://x/a.zip", "javascript:a.zip", "file:///etc/passwd", "//x/a.zip", "https://x/\n/a"],
)
def test_links_to_elsewhere_than_the_web_are_nowhere(url):
    assert read("v1", link(url, direct_asset_url="https://gitlab/a.zip")).assets == ()


@pytest.mark.parametrize(
    ("url", "foreign"),
    [
        ("https://gl.example/api/v4/projects/a%2Fb/packages/generic/p/1/x", False),
        ("https://gl.example/api/v4/projects/A%2fb/packages/generic/p/1/x", False),
        ("https://GL.example/api/v4/projects/7/packages/generic/p/1/x", False),
        ("https://gl.example/a/b/-/archive/v1/b-v1.zip", False),
        ("https://gl.example/a/b/uploads/0123/x.zip", False),
        ("https://gl.example/-/project/7/uploads/0123/x.zip", False),
        ("https://objects.example/x.zip", False),  # of another host: upstream.py decides
        ("https://gl.example/api/v4/projects/8/packages/generic/p/1/x", True),
        ("https://gl.example/api/v4/projects/77/packages/generic/p/1/x", True),
        ("https://gl.example/api/v4/projects/a%2Fbc/packages/generic/p/1/x", True),
        ("https://gl.example/api/v4/projects/7/../8/x", True),
        ("https://gl.example/api/v4/projects/7/%2e%2e/8/x", True),
        ("https://gl.example/api/v4/projects/7/..%2f8/x", True),
        ("https://gl.example/a/secret/-/archive/v1/b-v1.zip", True),
        ("https://gl.example/api/v4/personal_access_tokens/self", True),
        ("https://gl.example/", True),
    ],
)
def test_links_to_other_projects_of_the_same_gitlab(url, foreign):
    assert is_foreign(url, "https://gl.example", "a/b", 7) is foreign


def test_names_are_those_of_the_direct_address_and_unique():
    release = read(
        "v1",
        link("https://x/1", direct_asset_url="https://g/-/releases/v1/downloads/bin/a.zip"),
        link("https://x/2", direct_asset_url="https://g/-/releases/v1/downloads/a.zip"),
        link("https://x/3", direct_asset_url=None, name=None),
        link("https://x/pets-v1.zip"),
    )
    assert [(a.name, a.url) for a in release.assets] == [
        ("a.zip", "https://x/1"),
        ("3", "https://x/3"),
        ("pets-v1.zip", "https://x/pets-v1.zip"),
    ]
    assert release.asset("pets-v1.zip").url == "https://x/pets-v1.zip"
    assert "pets-v1.zip" not in [a.name for a in release.archives]
    assert release.asset("pets-v1.tar").name == "pets-v1.tar"
    assert release.asset("none") is None


def test_no_sources_no_archives():
    assert read(assets={"links": []}).archives == ()


def test_newest_first_and_latest():
    days = {"v1.0.0": 1, "v2.0.0-rc.1": 3, "v2.0.0": 4, "v1.0.1": 2, "v3.0.0": 9}
    releases = newest_first(
        read(v, released_at=f"2026-01-0{d}T00:00:00Z", upcoming_release=d == 9)
        for v, d in days.items()
    )
    listing = Listing(releases, datetime.now(UTC))
    versions = [release.version for release in listing.releases]
    assert versions == ["v3.0.0", "v2.0.0", "v2.0.0-rc.1", "v1.0.1", "v1.0.0"]
    assert listing.latest().version == "v2.0.0"
    assert listing.release("v1.0.1").version == "v1.0.1"
    assert listing.release("v9") is None
    assert Listing(releases[2:3], datetime.now(UTC)).latest() is None
