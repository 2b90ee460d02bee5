"""What one release is read as, and what is asked of it."""

from datetime import UTC, datetime

import pytest

from portal.gitlab.addresses import ProjectLocation
from portal.gitlab.entries import MalformedRelease, ReleaseSource, read_release
from portal.gitlab.naming import file_name
from portal.gitlab.notes_uploads import UPLOADS
from portal.releases.model import Listing, asset_path, newest_first
from portal.releases.stability import with_prereleases
from tests.support.gitlab.api import entry, link

GITLAB = "https://gitlab.example.com"
HOSTS = ("x.example", "x")
SOURCE = ReleaseSource("pets", ProjectLocation((GITLAB,), ("example/pets",), 7), HOSTS)


def read(version="v1.0.0", *links, **changes):
    return read_release(entry(version, *links, **changes), SOURCE)[0]


def left_out(*links):
    return [one.cause for one in read_release(entry("v1", *links), SOURCE)[1]]


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
    archive = f"{GITLAB}/example/pets/-/archive/v2.1.0/pets-v2.1.0.tar.gz"
    assert release.archives[0].url == archive


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
        read_release(bad, SOURCE)


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
    tag = path.replace("%2F", "/")
    assert f"/-/archive/{tag}/pets-" in release.archives[0].url
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


UPLOAD = "0123456789abcdef" * 2
DOWNLOADS = f"{GITLAB}/example/pets/-/releases/v1/downloads"
ARTIFACTS = f"{GITLAB}/example/pets/-/jobs/artifacts/v1/download?job="


@pytest.mark.parametrize(
    ("links", "names"),
    [
        ([link("https://x/1", direct_asset_url=f"{DOWNLOADS}/bin/a.zip")], ["a.zip"]),
        ([link("https://x/3", direct_asset_url=None, name=None)], ["3"]),
        ([link("https://x/files/tool-1.0.zip", name="The zip")], ["tool-1.0.zip"]),
        ([link("https://x/dl?id=1", name="tool-1.0.zip")], ["tool-1.0.zip"]),
        ([link("https://x/public/msi", name="tool-1.0.msi")], ["tool-1.0.msi"]),
        ([link("https://x", name="tool-1.0.dmg")], ["tool-1.0.dmg"]),
        ([link("https://x/download", name="Release 1.0")], ["Release 1.0"]),
        # What GitLab itself saves it as.
        ([link(f"{GITLAB}/-/project/7/uploads/{UPLOAD}/b.zip", name="c.zip")], ["b.zip"]),
        ([link(f"{GITLAB}/example/pets/-/package_files/5/download", name="d.zip")], ["d.zip"]),
        ([link(f"{ARTIFACTS}linux", name="Linux build")], ["Linux build.zip"]),
        # Names that collide are kept apart, by the filepath, the label, a number.
        (
            [
                link("https://x/1", direct_asset_url=f"{DOWNLOADS}/linux-amd64/tool"),
                link("https://x/2", direct_asset_url=f"{DOWNLOADS}/darwin-arm64/tool"),
                link("https://x/3", direct_asset_url=f"{DOWNLOADS}/tool"),
            ],
            ["linux-amd64-tool", "darwin-arm64-tool", "tool"],
        ),
        (
            [
                link("https://x/1/tool.tar.gz", name="For Linux"),
                link("https://x/2/tool.tar.gz", name="For macOS"),
            ],
            ["For Linux.tar.gz", "For macOS.tar.gz"],
        ),
        (
            [link("https://x/1/t.zip", name="t.zip"), link("https://x/2/t.zip", name="t.zip")],
            ["t.zip", "t-2.zip"],
        ),
        (
            [
                link(f"{ARTIFACTS}linux", name="Linux build"),
                link(f"{ARTIFACTS}windows", name="Windows build"),
            ],
            ["Linux build.zip", "Windows build.zip"],
        ),
        ([link("https://x/a", name="../..")], ["a"]),
        ([link("https://x/download", name="a/../b")], ["a-..-b"]),
    ],
)
def test_names_of_links(links, names):
    assert [asset.name for asset in read("v1", *links).assets] == names


def test_an_archive_gives_way_to_a_link_of_its_name():
    release = read("v1", link("https://x/pets-v1.zip"))
    assert release.asset("pets-v1.zip").url == "https://x/pets-v1.zip"
    assert "/-/archive/" in release.asset("pets-v1-source.zip").url
    assert release.asset("pets-v1.tar").name == "pets-v1.tar"
    assert release.asset("none") is None


@pytest.mark.parametrize(
    ("one", "cause", "outgoing"),
    [
        (link("https://wiki.example/undo", link_type="runbook"), "page", True),
        (link("https://docs.example/v1/", name="Documentation"), "page", True),
        (link("https://registry.example/a/pets:v1", link_type="image"), "page", True),
        (link("https://x/registry/", link_type="image"), "page", True),
        (link("https://files.example/a.zip"), "host", False),
        (link(f"{GITLAB}/example/pets/container_registry", link_type="image"), "page", False),
        (link(f"{GITLAB}/example/pets/-/packages/13", link_type="package"), "page", False),
        (link(f"{GITLAB}/api/v4/projects/7/variables", name="x.json"), "page", False),
        (link(f"{GITLAB}/api/v4/projects/8/jobs/5/artifacts"), "foreign", False),
        (link("ftp://x/a.zip"), "malformed", False),
        (link("https://x/download", name=".."), "malformed", False),
        (None, "malformed", False),
    ],
)
def test_what_is_no_file_is_named(one, cause, outgoing):
    assert left_out(one) == [cause]
    release = read("v1", one)
    assert release.assets == ()
    assert [one.url for one in release.links] == ([one["url"]] if outgoing else [])


def test_a_runbook_on_a_listed_host_is_a_file_where_its_name_is():
    assert read("v1", link("https://x/guide.txt", link_type="runbook")).assets


def test_no_sources_no_archives():
    assert read(assets={"links": []}).archives == ()


def test_newest_first_and_latest():
    days = {"v1.0.0": 1, "v2.0.0-rc.1": 3, "v2.0.0": 4, "v1.0.1": 2, "v3.0.0": 9}
    releases = newest_first(
        read(v, released_at=f"2026-01-0{d}T00:00:00Z", upcoming_release=d == 9)
        for v, d in days.items()
    )
    listing = Listing(with_prereleases(releases), datetime.now(UTC))
    versions = [release.version for release in listing.releases]
    assert versions == ["v3.0.0", "v2.0.0", "v2.0.0-rc.1", "v1.0.1", "v1.0.0"]
    assert listing.latest().version == "v2.0.0"
    assert listing.release("v1.0.1").version == "v1.0.1"
    assert listing.release("v9") is None
    assert Listing(releases[2:3], datetime.now(UTC)).latest().version == "v2.0.0-rc.1"
    assert Listing(releases[:1], datetime.now(UTC)).latest() is None


SECRET = "0123456789abcdef" * 2
API = f"{GITLAB}/api/v4/projects/7/uploads/{SECRET}"


@pytest.mark.parametrize(
    ("notes", "found"),
    [
        (f"![a](/uploads/{SECRET}/a.png)", [("a.png", f"{API}/a.png")]),
        (f"<{GITLAB}/example/pets/uploads/{SECRET}/a.png>", [("a.png", f"{API}/a.png")]),
        (f"[x]: /-/project/7/uploads/{SECRET}/a.png", [("a.png", f"{API}/a.png")]),
        (f"[a](/example/pets/uploads/{SECRET}/%C3%A4.png)", [("ä.png", f"{API}/ä.png")]),
        (
            f"(/uploads/{SECRET}/a.zip)",
            [("a.zip", f"{GITLAB}/api/v4/projects/7/uploads/{SECRET}/a.zip")],
        ),
        (f"(/-/project/8/uploads/{SECRET}/a.png)", []),
        (f"(/other/project/uploads/{SECRET}/a.png)", []),
        (f"(https://elsewhere.example/uploads/{SECRET}/a.png)", []),
        (f"(/uploads/{SECRET[1:]}/a.png)", []),
        (f"(/uploads/{SECRET}/../variables)", []),
        (f"(/uploads/{SECRET}/%2e%2e%2fvariables)", []),
        (f"(/api/v4/projects/7/variables?/uploads/{SECRET}/a.png)", []),
        (f"(/uploads/{SECRET}/)", []),
    ],
)
def test_uploads_of_notes(notes, found):
    release = read("v1", description=notes)
    assert [(u.name, u.url) for u in release.uploads] == found
    assert all(u.label in notes or "%" in notes for u in release.uploads)


def test_uploads_keep_their_names_apart_from_files_and_from_each_other():
    other = SECRET[::-1]
    notes = f"(/uploads/{SECRET}/a.png) (/uploads/{other}/a.png) (/uploads/{SECRET}/b.zip)"
    links = (link("https://x.example/a.png"), link(f"{GITLAB}/-/project/7/uploads/{SECRET}/b.zip"))
    release = read("v1", *links, description=notes)
    assert [a.name for a in release.assets] == ["a.png", "b.zip"]
    found = [u.name for u in release.uploads]
    assert found[2] == "b.zip"
    assert len({*found, "a.png"}) == 4
    assert release.image(found[0]) is release.uploads[0]
    assert release.image("b.zip") is None


def test_uploads_are_bounded():
    notes = " ".join(f"/uploads/{n:032x}/a.png" for n in range(200))
    assert len(read("v1", description=notes).uploads) == UPLOADS
