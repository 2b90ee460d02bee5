"""Which tags are pre-releases, and which release is the latest."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.releases.model import Listing, Release
from portal.releases.stability import with_prereleases

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def listing(tags, patterns=None, upcoming=()):
    """Releases of these tags, the newest first."""
    made = [
        Release(tag, tag, "", NOW - timedelta(days=i), tag in upcoming, (), ())
        for i, tag in enumerate(tags)
    ]
    return Listing(with_prereleases(made, patterns), NOW)


PRERELEASES = (
    "v2.1-rc1 1.0.0rc1 v2.0.0-beta.1 v1.0.0-alpha 1.0a2 3.0-M1 v1-dev 1.0.0.dev3 "
    "2024.01-SNAPSHOT v1.0.0-rc.1+build.5 1.0b1 v1.2-next v3-Preview"
)
OTHERS = (
    "v1.0.0 1.0 v1 2024.01 release/2.1 v1.0.0+build.5 100% dev-tools-1.0 v1.0-source "
    "v1.0-barcode app-v1.2.3 größe-1 v1.0-macos v1.0-base"
)


@pytest.mark.parametrize("tag", PRERELEASES.split())
def test_words_make_a_prerelease_anywhere(tag):
    assert listing([tag]).releases[0].prerelease
    assert listing([tag, "v1.0.0"]).releases[0].prerelease


@pytest.mark.parametrize("tag", OTHERS.split())
def test_other_tags_are_none(tag):
    assert not listing([tag]).releases[0].prerelease
    assert not listing([tag, "v0.9.0"]).releases[0].prerelease


@pytest.mark.parametrize("tag", ["v17.0.0-ee", "1.20.1-2.3.0", "v1.0.0-1", "1.0.0-jre8"])
def test_other_suffixes_are_editions_where_there_is_nothing_else(tag):
    assert not listing([tag]).releases[0].prerelease
    assert not listing([tag, "v0.9.0-rc.1"]).releases[0].prerelease
    assert not listing([tag, "v99.0.0"], upcoming=["v99.0.0"]).releases[0].prerelease
    assert listing([tag, "v0.9.0"]).releases[0].prerelease


@pytest.mark.parametrize(
    ("tags", "upcoming", "latest"),
    [
        ([], [], None),
        (["v3.0.0"], ["v3.0.0"], None),
        (["v2.0.0-rc.1"], [], "v2.0.0-rc.1"),
        (["v2.0.0-rc.2", "v2.0.0-rc.1"], [], "v2.0.0-rc.2"),
        (["v2.0.0-rc.1", "v1.0.0"], [], "v1.0.0"),
        (["v3.0.0", "v2.0.0-rc.1", "v1.0.0"], ["v3.0.0"], "v1.0.0"),
        (["v17.1.0-ee", "v17.0.0-ee"], [], "v17.1.0-ee"),
        (["1.20.1-2.3.0", "1.20.1-2.2.0"], [], "1.20.1-2.3.0"),
        (["v2.1-rc1", "v2.0"], [], "v2.0"),
    ],
)
def test_latest_is_never_absent_where_anything_is_out(tags, upcoming, latest):
    found = listing(tags, upcoming=upcoming).latest()
    assert (found.version if found else None) == latest


def test_a_projects_own_patterns():
    tags = ["edge-9", "v2.0.0-rc.1", "v1.0.0"]
    assert [r.prerelease for r in listing(tags, ["edge-*"]).releases] == [True, False, False]
    assert not any(r.prerelease for r in listing(tags, []).releases)
    assert listing(tags, ["edge-?", "*-rc*"]).latest().version == "v1.0.0"
