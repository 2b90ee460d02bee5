"""From GitLab's answer to values: one entry of a release list becomes one `Release`.

The form is that of https://docs.gitlab.com/api/releases/. `tag_name` and the sources are absent
when the token lacks access to the code.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from portal.releases.model import Asset, Release

ARCHIVE_FORMATS = ("tar.gz", "zip", "tar.bz2", "tar")

_NAME_BYTES = 255  # what common file systems take
# Marks that change the direction of writing can make "exe.gpj" look like "gpj.exe".
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class MalformedRelease(ValueError):  # noqa: N818 - a finding, as those of errors are
    """An entry that cannot be shown; the text says what is missing, without any of its content."""


def read_release(entry: Any, slug: str, project_url: str) -> Release:
    """One entry of the list. Raises MalformedRelease.

    `slug` begins the names of source archives; `project_url` is the project's address in GitLab's
    API (`…/api/v4/projects/group%2Fproject`).
    """
    if not isinstance(entry, dict):
        raise MalformedRelease("it is not an object")
    version = text(entry.get("tag_name"))
    if not version or _unprintable(version):
        raise MalformedRelease("it has no usable tag_name (may the token read the code?)")
    assets = entry.get("assets")
    if not isinstance(assets, dict):
        assets = {}
    links = _unique(_link(link) for link in _list(assets.get("links")))
    taken = {asset.name for asset in links}
    archives = _archives(assets.get("sources"), slug, version, project_url)
    return Release(
        version=version,
        title=text(entry.get("name")) or version,
        notes=text(entry.get("description")),
        released_at=_time(entry.get("released_at")) or _created(entry),
        upcoming=entry.get("upcoming_release") is True,
        assets=links,
        archives=tuple(archive for archive in archives if archive.name not in taken),
    )


def text(value: Any) -> str:
    """A string of JSON that can be encoded again (JSON may hold half a surrogate pair), or ""."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def file_name(address: str) -> str:
    """The file name that the last segment of an address stands for; "" where none can be used.

    What is not a name on its own (`..`, over 255 bytes) or would deceive (control characters,
    changed direction of writing) cannot be used.
    """
    try:
        name = unquote(urlsplit(address).path.rsplit("/", 1)[-1])
    except ValueError:
        return ""
    # A quoted slash makes it a path: the generic packages allow one before the name.
    name = name.rsplit("/", 1)[-1]
    usable = name.strip(". ") and len(name.encode()) <= _NAME_BYTES and not _unprintable(name)
    return name if usable else ""


def _unprintable(value: str) -> bool:
    return bool(_DIRECTION.search(value)) or any(
        unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in value
    )


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


def _link(link: Any) -> Asset | None:
    """An asset, or None where nothing can be fetched (ftp and the like) or saved (no name)."""
    if not isinstance(link, dict):
        return None
    url = text(link.get("url"))
    name = file_name(text(link.get("direct_asset_url")) or url)
    if not name or not url.lower().startswith(("http://", "https://")) or _unprintable(url):
        return None
    return Asset(name, text(link.get("name")) or name, url)


def _unique(assets: Iterable[Asset | None]) -> tuple[Asset, ...]:
    """The first of each name: GitLab lists the link that was made last first."""
    found: dict[str, Asset] = {}
    for asset in assets:
        if asset is not None:
            found.setdefault(asset.name, asset)
    return tuple(found.values())


def _archives(sources: Any, slug: str, version: str, project_url: str) -> tuple[Asset, ...]:
    """The source archives, in the formats that GitLab offers for this release."""
    offered = {text(s.get("format")) for s in _list(sources) if isinstance(s, dict)}
    stem = f"{slug}-{version}".replace("/", "-")
    return tuple(
        Asset(
            name=f"{stem}.{form}",
            label=f"Source code ({form})",
            url=f"{project_url}/repository/archive.{form}?sha={quote(version, safe='')}",
        )
        for form in ARCHIVE_FORMATS
        if form in offered
    )


def is_foreign(url: str, gitlab_url: str, path: str, number: int) -> bool:
    """Whether an address is GitLab's, but not of this project (`path`, `number`).

    The portal asks GitLab with a token that may read more than one project. Whoever may write a
    release must not be able to publish another project's files by linking to them.
    """
    scheme, _, rest = gitlab_url.partition("://")
    origin = f"{scheme}://{rest.partition('/')[0]}/".lower()
    if url[: len(origin)].lower() != origin:
        return False
    segments = [unquote(part) for part in urlsplit(url).path.split("/")]
    if any(part in (".", "..") for part in "/".join(segments).split("/")):
        return True  # libcurl resolves them, and so would lead elsewhere
    project = quote(path, safe="")
    own = (
        f"/api/v4/projects/{project}/",
        f"/api/v4/projects/{number}/",
        f"/{path}/-/",
        f"/{path}/uploads/",
        f"/-/project/{number}/uploads/",
    )
    prefix = urlsplit(gitlab_url).path
    asked = urlsplit(url).path.lower()
    return not any(asked.startswith(f"{prefix}{place}".lower()) for place in own)
