"""Atom feeds of releases, one a project, and the sitemap.

https://www.rfc-editor.org/rfc/rfc4287, https://www.sitemaps.org/protocol.html. All
addresses are absolute. XML is written here and never parsed, so its parser's dangers do not apply.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree  # nosec B405
from xml.etree.ElementTree import Element, SubElement  # nosec B405

from portal.config.model import Project
from portal.config.site import Site
from portal.releases.model import Listing, Release, release_path
from portal.releases.notes import release_notes

ATOM = "http://www.w3.org/2005/Atom"
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
MOST = 50  # entries; older releases are on the project's pages
# What XML 1.0 has no way to write (2.2); a release's words may hold it.
_UNWRITABLE = dict.fromkeys(
    [*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]
)


def atom(site: Site, origin: str, project: Project, listing: Listing) -> bytes:
    """The feed of a project's releases that are out, newest first. Blocking: notes are rendered."""
    page = f"{origin}/downloads/{project.slug}"
    out = [release for release in listing.releases if not release.upcoming][:MOST]
    feed = Element("feed", {"xmlns": ATOM, "xml:lang": "en"})
    _text(feed, "id", _id(site, project))
    _text(feed, "title", f"{project.title} – {site.title}")
    if project.description:
        _text(feed, "subtitle", project.description)
    _text(feed, "updated", _time(max(map(_updated, out), default=datetime.fromtimestamp(0, UTC))))
    _text(SubElement(feed, "author"), "name", site.title)
    address = f"{origin}/feeds/{project.slug}.atom"
    SubElement(feed, "link", rel="self", type="application/atom+xml", href=address)
    SubElement(feed, "link", rel="alternate", type="text/html", href=page)
    for release in out:
        _entry(feed, site, origin, project, release)
    return _written(feed)


def _id(site: Site, project: Project, version: str | None = None) -> str:
    """An id that does not change with the name by which the portal is asked (RFC 4287, 4.2.6).

    It is an address where the operator has set the portal's own, and else a UUID of what is asked
    for.
    """
    path = release_path(project.slug, version) if version else f"/downloads/{project.slug}"
    return f"{site.url}{path}" if site.url else uuid5(NAMESPACE_URL, f"{project.path}{path}").urn


def _updated(release: Release) -> datetime:
    return max(release.released_at, release.edited_at or release.released_at)


def _entry(feed: Element, site: Site, origin: str, project: Project, release: Release) -> None:
    entry = SubElement(feed, "entry")
    address = f"{origin}{release_path(project.slug, release.version)}"
    _text(entry, "id", _id(site, project, release.version))
    own = "" if release.title == release.version else f": {release.title}"
    _text(entry, "title", f"{project.title} {release.version}{own}")
    _text(entry, "published", _time(release.released_at))
    _text(entry, "updated", _time(_updated(release)))
    SubElement(entry, "link", rel="alternate", type="text/html", href=address)
    # No enclosures: readers fetch these by themselves, and nobody has downloaded anything then.
    content = SubElement(entry, "content", type="html")
    content.text = _clean(str(release_notes(project.slug, release, origin)))


def sitemap(pages: Iterable[tuple[str, datetime | None]]) -> bytes:
    """The sitemap of these addresses, each with the time of its last change where that is known."""
    urls = Element("urlset", xmlns=SITEMAP)
    for address, changed in pages:
        url = SubElement(urls, "url")
        _text(url, "loc", address)
        if changed:
            _text(url, "lastmod", _time(changed))
    return _written(urls)


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = _clean(text)


def _clean(text: str) -> str:
    return text.translate(_UNWRITABLE)


def _time(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _written(root: Element) -> bytes:
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written
