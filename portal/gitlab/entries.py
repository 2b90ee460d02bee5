"""From GitLab's answer to values: one entry of a release list becomes one `Release`.

The form is that of https://docs.gitlab.com/api/releases/. `tag_name` and the sources are absent
when the token lacks access to the code.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from portal.gitlab.addresses import Address, Kind, ProjectLocation, read_address
from portal.gitlab.naming import Named, file_name, looks_like_file, names, unprintable
from portal.gitlab.notes_uploads import notes_uploads
from portal.releases.model import Asset, LeftOut, OutgoingLink, Release

ARCHIVE_FORMATS = ("tar.gz", "zip", "tar.bz2", "tar")
LINKS = 2000  # of one release; what is more is left out

_DOWNLOADS = re.compile(r".*?/-/releases/.+?/downloads/(.+)")
# Link types that are pages for people: https://docs.gitlab.com/api/releases/links/
_PAGES = frozenset({"image", "runbook"})
_JOB_ARCHIVE = re.compile(r"/jobs/(?:\d+/artifacts|artifacts/[^/]+/download)$")


class MalformedRelease(ValueError):  # noqa: N818 - a finding, as those of errors are
    """An entry that cannot be shown; the text says what is missing, without any of its content."""


@dataclass(frozen=True, slots=True)
class ReleaseSource:
    """Whose releases are read: the project's `slug` here, its place in GitLab, and the hosts
    (`host` or `host:port`) that files may come from."""

    slug: str
    place: ProjectLocation
    hosts: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class _Link:
    """A link that can be served as a file, before it has its name."""

    named: Named
    address: Address


def read_release(entry: Any, source: ReleaseSource) -> tuple[Release, tuple[LeftOut, ...]]:
    """One entry of the list, and its links that are no file here. Raises MalformedRelease."""
    if not isinstance(entry, dict):
        raise MalformedRelease("it is not an object")
    version = text(entry.get("tag_name"))
    if not version or unprintable(version):
        raise MalformedRelease("it has no usable tag_name (may the token read the code?)")
    assets = entry.get("assets")
    if not isinstance(assets, dict):
        assets = {}
    reader = _LinkReader(source, version)
    for link in _list(assets.get("links")):
        reader.read(link)
    files = reader.assets()
    notes = text(entry.get("description"))
    archives = _archives(assets.get("sources"), source, version, [a.name for a in files])
    release = Release(
        version=version,
        title=text(entry.get("name")) or version,
        notes=notes,
        released_at=_time(entry.get("released_at")) or _created(entry),
        upcoming=entry.get("upcoming_release") is True,
        assets=files,
        archives=archives,
        links=tuple(reader.outgoing),
        uploads=notes_uploads(notes, source.place, (*files, *archives)),
    )
    return release, tuple(reader.left_out)


class _LinkReader:
    """Sorts the links of one release into files, outgoing links and what is left out."""

    def __init__(self, source: ReleaseSource, version: str) -> None:
        self._source = source
        self._version = version
        self._files: list[_Link] = []
        self._urls: set[str] = set()
        self.outgoing: list[OutgoingLink] = []
        self.left_out: list[LeftOut] = []

    def read(self, link: Any) -> None:
        """Take one link of the list."""
        url = text(link.get("url")) if isinstance(link, dict) else ""
        label = text(link.get("name")) if url else ""
        if not url.lower().startswith(("http://", "https://")) or unprintable(url):
            self._leave(label, "malformed", "it has no address that can be asked")
        elif len(self._files) >= LINKS:
            self._leave(label, "too_many", f"the release has more than {LINKS} links")
        else:
            self._sort(link, url, label)

    def _sort(self, link: dict[str, Any], url: str, label: str) -> None:
        kind = text(link.get("link_type"))
        direct = text(link.get("direct_asset_url"))
        address = read_address(url, self._source.place, (self._version,))
        if address.kind is Kind.ELSEWHERE:
            self._sort_elsewhere(url, direct, label, kind)
        elif address.kind is Kind.FILE:
            self._add(_named(direct, url, label, address), address)
        else:
            cause = "foreign" if address.kind is Kind.FOREIGN else "page"
            self._leave(label, cause, f"it is {address.kind.value}")

    def _sort_elsewhere(self, url: str, direct: str, label: str, kind: str) -> None:
        """A link that leaves GitLab: a file where its host is listed, else a page for people."""
        address = Address(Kind.ELSEWHERE, url)
        named = _named(direct, url, label, address)
        listed = _authority(url) in self._source.hosts
        named_file = any(map(looks_like_file, (named.filepath, named.segment, named.label)))
        if listed and (named_file or (kind not in _PAGES and not url.endswith("/"))):
            self._add(named, address)
        elif kind in _PAGES or not named_file:
            self.outgoing.append(OutgoingLink(label or url, url, kind or "other"))
            self._leave(label, "page", "it is a page outside, shown as a link")
        else:
            self._leave(label, "host", f"{_authority(url)} is not in gitlab.asset_hosts")

    def _add(self, named: Named, address: Address) -> None:
        """One file; the same address twice is one file under the name that was made last."""
        self._files.append(_Link(named, address))

    def _leave(self, label: str, cause: str, why: str) -> None:
        self.left_out.append(LeftOut(self._version, label, cause, why))

    def assets(self) -> tuple[Asset, ...]:
        """The files, each with a name of its own."""
        found = []
        for link, name in zip(self._files, names([f.named for f in self._files]), strict=True):
            if name:
                found.append(Asset(name, link.named.label or name, link.address.url))
            else:
                self._leave(link.named.label, "malformed", "nothing of it can be a file's name")
        return tuple(found)


def _named(direct: str, url: str, label: str, address: Address) -> Named:
    """What the name of a file can be made of."""
    match = _DOWNLOADS.fullmatch(_path(direct)) if direct and direct != url else None
    filepath = match[1] if match else ""
    plain = file_name(f"x:/{filepath}") if filepath else ""
    folders = "/".join(filter(None, (file_name(f"x:/{p}") for p in filepath.split("/"))))
    return Named(
        label=label,
        filepath=folders if plain else "",
        own=address.name if address.kind is Kind.FILE else "",
        segment=file_name(direct) or file_name(url) if not match else file_name(url),
        archive=bool(_JOB_ARCHIVE.search(_path(address.url))),
    )


def text(value: Any) -> str:
    """A string of JSON that can be encoded again (JSON may hold half a surrogate pair), or ""."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _authority(url: str) -> str:
    """What stands between `//` and the next slash, as the list of hosts has it."""
    return url.partition("://")[2].partition("/")[0].lower()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _time(value: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(text(value))
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _created(entry: dict[str, Any]) -> datetime:
    time = _time(entry.get("created_at"))
    if time is None:
        raise MalformedRelease("it has no date")
    return time


def _archives(
    sources: Any, source: ReleaseSource, version: str, taken: Collection[str]
) -> tuple[Asset, ...]:
    """The source archives, in the formats that GitLab offers for this release.

    They are those of `sources[].url`, at `/-/archive/`: the API's archive has the commit in the
    name of its folder, and so another SHA-256 than the one that people pin.
    """
    offered = {text(s.get("format")): text(s.get("url")) for s in _list(sources) if _is_entry(s)}
    stem = f"{source.slug}-{version}".replace("/", "-")
    found: list[Asset] = []
    for form in (form for form in ARCHIVE_FORMATS if form in offered):
        address = read_address(offered[form], source.place, (version,))
        url = address.url if address.kind is Kind.FILE else _archive_url(source, version, form)
        (name,) = names([Named(label="", own=f"{stem}.{form}")], taken)
        if name != f"{stem}.{form}":
            (name,) = names([Named(label="", own=f"{stem}-source.{form}")], taken)
        found.append(Asset(name, f"Source code ({form})", url))
    return tuple(found)


def _is_entry(value: Any) -> bool:
    return isinstance(value, dict)


def _archive_url(source: ReleaseSource, version: str, form: str) -> str:
    """The address of an archive, as lib/gitlab/workhorse.rb and its routes have it."""
    path = source.place.paths[0]
    name = f"{path.rpartition('/')[2]}-{version.replace('/', '-')}.{form}"
    base = source.place.bases[0]
    return f"{base}/{quote(path)}/-/archive/{quote(version)}/{quote(name)}"
