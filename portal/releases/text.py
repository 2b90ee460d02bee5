"""Releases for terminals and programs: lines of text, and values for JSON.

A file is one line, `bytes  sha256  address`, so that awk and cut can take it apart; what is not
known is a dash. Addresses are whole: `origin` is the portal's own, without a trailing slash.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from portal.config.model import Project
from portal.config.site import Site
from portal.releases.model import Asset, Listing, Release, asset_path, release_path


def site_lines(
    site: Site, origin: str, entries: Iterable[tuple[Project, Listing | None]]
) -> Iterator[str]:
    """What the first page says: every project and its newest release."""
    yield site.title
    if site.description:
        yield site.description
    for project, listing in entries:
        yield ""
        yield from _project_lines(origin, project)
        if listing is None:
            yield "The releases cannot be shown at the moment."
        elif latest := listing.latest():
            yield from _stale_lines(listing)
            yield from _release_lines(origin, project.slug, latest, "latest")
        else:
            yield "No stable release yet." if listing.releases else "Nothing has been released yet."


def listing_lines(
    origin: str, project: Project, listing: Listing, shown: Iterable[Release], older: str = ""
) -> Iterator[str]:
    """The releases of one page of a project; `older` is the address of the next page, or ""."""
    yield from _project_lines(origin, project)
    yield from _stale_lines(listing)
    latest = listing.latest()
    for release in shown:
        yield ""
        yield from _release_lines(origin, project.slug, release, _state(release, latest))
    if older:
        yield ""
        yield f"Older releases: {older}"


def release_lines(
    origin: str, project: Project, listing: Listing, release: Release
) -> Iterator[str]:
    """One release, with its notes."""
    yield from _stale_lines(listing)
    state = _state(release, listing.latest())
    yield from _release_lines(origin, project.slug, release, state)
    if release.notes:
        yield ""
        yield from release.notes.expandtabs(4).splitlines()


def _project_lines(origin: str, project: Project) -> Iterator[str]:
    yield f"{project.title}: {project.description}" if project.description else project.title
    yield f"{origin}/downloads/{project.slug}"
    yield f"git clone {origin}/{project.slug}.git"


def _stale_lines(listing: Listing) -> Iterator[str]:
    if listing.stale:
        yield (
            "This list may be out of date: it could not be confirmed just now, and is as of "
            f"{listing.fetched_at:%Y-%m-%d %H:%M} UTC."
        )


def _release_lines(origin: str, slug: str, release: Release, state: str) -> Iterator[str]:
    title = "" if release.title == release.version else f"  {release.title}"
    yield f"{release.version}  {release.released_at:%Y-%m-%d}{f'  {state}' if state else ''}{title}"
    files = (*release.assets, *release.archives)
    width = max((len(_size(file)) for file in files), default=0)
    for file in files:
        address = f"{origin}{asset_path(slug, release.version, file.name)}"
        yield f"{_size(file):>{width}}  {file.sha256 or '-'}  {address}"
    for link in release.links:
        yield f"{link.label}: {link.url}"


def _size(file: Asset) -> str:
    return "-" if file.size is None else str(file.size)


def _state(release: Release, latest: Release | None) -> str:
    if latest and release.version == latest.version:
        return "latest"
    return "upcoming" if release.upcoming else "pre-release" if release.prerelease else ""


def project_value(
    origin: str, project: Project, listing: Listing | None, shown: Iterable[Release]
) -> dict[str, Any]:
    """A project with some of its releases; `stale` is None where none are known at the moment."""
    latest = listing.latest() if listing else None
    return {
        "slug": project.slug,
        "title": project.title,
        "description": project.description,
        "page": f"{origin}/downloads/{project.slug}",
        "feed": f"{origin}/feeds/{project.slug}.atom",
        "clone": f"{origin}/{project.slug}.git",
        "latest": latest.version if latest else None,
        "stale": listing.stale if listing else None,
        "as_of": f"{listing.fetched_at:%Y-%m-%dT%H:%M:%SZ}" if listing else None,
        "releases": [release_value(origin, project.slug, release, latest) for release in shown],
    }


def release_value(
    origin: str, slug: str, release: Release, latest: Release | None
) -> dict[str, Any]:
    """One release; sizes are in bytes, and null where they are not known."""

    def file(asset: Asset) -> dict[str, Any]:
        return {
            "name": asset.name,
            "label": asset.label,
            "size": asset.size,
            "sha256": asset.sha256,
            "url": f"{origin}{asset_path(slug, release.version, asset.name)}",
        }

    return {
        "version": release.version,
        "title": release.title,
        "page": f"{origin}{release_path(slug, release.version)}",
        "released_at": release.released_at.isoformat(),
        "latest": bool(latest and latest.version == release.version),
        "prerelease": release.prerelease,
        "upcoming": release.upcoming,
        "notes": release.notes,
        "files": [file(asset) for asset in release.assets],
        "source": [file(asset) for asset in release.archives],
        "links": [
            {"label": link.label, "url": link.url, "kind": link.kind} for link in release.links
        ],
    }
