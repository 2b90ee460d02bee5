"""Releases as the portal shows and serves them: plain values, no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

PAGE = 50  # releases on one page of a project
IMAGES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One downloadable file of a release.

    `name` is the last segment of the public address and the file name that is saved; `label` is
    what a person wrote for it; `url` is where its bytes are; `size` is in bytes, `sha256` in
    lower-case hex, each None where GitLab does not say.
    """

    name: str
    label: str
    url: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class OutgoingLink:
    """A link of a release to a page for people: a runbook, an image's registry, documentation.

    `kind` is GitLab's link type. The portal does not ask for it and does not count it.
    """

    label: str
    url: str
    kind: str


# Why a link of a release is no file here, as one word for sums.
CAUSES = ("page", "host", "foreign", "malformed", "too_many")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A link of a release that is no file here, for the operator.

    `cause` is of CAUSES; `why` ends the sentence "The link is left out: ...".
    """

    version: str
    label: str
    cause: str
    why: str


@dataclass(frozen=True, slots=True)
class Release:
    """One release of a project; `version` is its tag, `notes` Markdown, `released_at` aware.

    File names are unique within a release, over `assets` and `archives` together. `uploads` are
    files to which the notes refer, each labelled with the reference, and with a name of its own
    unless it is one of the others or is referred to in several ways. `edited_at` is
    the aware time of the last edit that the portal saw, None without one; GitLab does not say.
    """

    version: str
    title: str
    notes: str
    released_at: datetime
    upcoming: bool
    assets: tuple[Asset, ...]
    archives: tuple[Asset, ...]
    links: tuple[OutgoingLink, ...] = ()
    prerelease: bool = False
    edited_at: datetime | None = None
    uploads: tuple[Asset, ...] = ()

    @property
    def content(self) -> tuple[object, ...]:
        """What readers of a feed are told of: an edit is a change of this."""
        return self.title, self.notes, frozenset(file.name for file in self.assets)

    @property
    def anchor(self) -> str:
        """The id of the release on its project's page: no character that an address would quote."""
        return "release-" + quote(self.version, safe="").replace("%", "_")

    def asset(self, name: str) -> Asset | None:
        """The asset, source archive or upload of that file name, or None."""
        files = (*self.assets, *self.archives, *self.uploads)
        return next((a for a in files if a.name == name), None)

    def image(self, name: str) -> Asset | None:
        """The upload of that file name if the page shows it as an image, or None."""
        uploads = (u for u in self.uploads if u.name == name and image_type(name))
        return next(uploads, None)


@dataclass(frozen=True, slots=True)
class Listing:
    """A project's releases, newest first, as GitLab last gave them.

    `stale` says that GitLab has not confirmed them at the last try; `fetched_at` is the aware time
    of the last answer.
    """

    releases: tuple[Release, ...]
    fetched_at: datetime
    stale: bool = False

    def release(self, version: str) -> Release | None:
        """The release of that tag, or None."""
        return next((r for r in self.releases if r.version == version), None)

    def named(self, version: str) -> Release | None:
        """The release of that tag or, where no tag is `latest`, the one that it stands for."""
        return self.release(version) or (self.latest() if version == "latest" else None)

    def pages(self) -> list[tuple[Release, ...]]:
        """The releases by pages of PAGE; one empty page where there are none."""
        starts = range(0, max(1, len(self.releases)), PAGE)
        return [self.releases[start : start + PAGE] for start in starts]

    def place(self, slug: str, release: Release) -> str:
        """The address of a release on its project's pages."""
        number = self.releases.index(release) // PAGE + 1
        page = f"?page={number}" if number > 1 else ""
        return f"/downloads/{slug}{page}#{release.anchor}"

    def latest(self) -> Release | None:
        """The newest release that is out: a pre-release only where there is nothing else.

        None where nothing is out. GitLab's own `latest` is the newest of either kind.
        """
        out = [release for release in self.releases if not release.upcoming]
        return next((r for r in out if not r.prerelease), out[0] if out else None)


def image_type(name: str) -> str:
    """The media type of an image that pages show, by its name; "" of any other file.

    SVG is none of them: opened by itself it is a document, which can hold scripts.
    """
    return IMAGES.get(name.rpartition(".")[2].lower(), "")


def newest_first(releases: Iterable[Release]) -> tuple[Release, ...]:
    """By date, newest first; where dates are equal, in the order given."""
    return tuple(sorted(releases, key=lambda release: release.released_at, reverse=True))


def asset_path(slug: str, version: str, asset: str) -> str:
    """The canonical address of an asset or source archive on the portal.

    Each part is one path segment: the tag `release/2.1` is `release%2F2.1`.
    """
    return "/downloads/" + "/".join(quote(part, safe="") for part in (slug, version, asset))


def image_path(slug: str, version: str, name: str) -> str:
    """The address at which an image of the notes is shown, uncounted."""
    return "/images/" + "/".join(quote(part, safe="") for part in (slug, version, name))


def release_path(slug: str, version: str) -> str:
    """The address of a release, which leads a browser to its place on its project's page."""
    return f"/downloads/{slug}/{quote(version, safe='')}"
