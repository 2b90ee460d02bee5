"""What programs ask of every site: whether it is well, what there is, where to report a fault."""

import asyncio
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from handlers.base.handler import Handler
from handlers.releases import ReleasesHandler
from portal.catalog.addresses import address
from portal.catalog.snapshot import Catalog
from portal.errors import NotFound, PortalError
from portal.releases import feeds
from portal.releases.badges import badge
from portal.site.colours import accent
from portal.site.map import public

XML = "application/xml; charset=UTF-8"
ATOM = "application/atom+xml; charset=UTF-8"
BADGE_SECONDS = 300
SECURITY_DAYS = 180  # RFC 9116 wants less than a year
# Not /metrics: nothing says that it is there.
# Files are named without wildcards, which not every crawler knows (RFC 9309 has them, older rules
# do not). Wget obeys these rules too, but somebody runs it to get the files.
ROBOTS = """\
User-agent: Wget
User-agent: Wget2
Allow: /

User-agent: *
{projects}
Disallow: /catalog/diff
Disallow: /catalog/history
Disallow: /catalog/search
Disallow: /catalog/*?
Disallow: /pets/
Disallow: /prospects/
Disallow: /badges/

Sitemap: {origin}/sitemap.xml
"""


class TextHandler(Handler):
    """An answer for programs, asked for again each time."""

    def send(self, body: str | bytes, content_type: str = "text/plain; charset=UTF-8") -> None:
        """Answer with it."""
        self._headers.setdefault("Cache-Control", "no-cache")
        self.set_header("Content-Type", content_type)
        self.finish(body)


class HealthHandler(TextHandler):
    """/healthz: this process answers."""

    any_host = True  # to whoever watches it, by whatever name

    def get(self) -> None:
        """A line."""
        self.set_header("Cache-Control", "no-store")
        self.send("ok\n")


class ReadyHandler(TextHandler):
    """/readyz: whether all of the work can be done, and what stands in its way."""

    any_host = True
    forms = ("text", "json")

    async def get(self) -> None:
        """A line for each thing; 503 where one of them is wrong."""
        state = await self.services.readiness.state()
        said = {"database": state.database, "gitlab": state.gitlab, "disk": state.disk}
        if not state.ready:
            self.set_status(HTTPStatus.SERVICE_UNAVAILABLE)
        self.set_header("Cache-Control", "no-store")
        if self.form == "json":
            self.finish({"ready": state.ready, **said})
        else:
            self.send("".join(f"{name}: {how}\n" for name, how in said.items()))


class RobotsHandler(TextHandler):
    """/robots.txt: not the downloads, which count, nor what is different each time."""

    def get(self) -> None:
        """The rules."""
        slugs = [project.slug for project in self.config.projects]
        places = [place for slug in slugs for place in (f"/downloads/{slug}/", f"/{slug}.git/")]
        projects = "\n".join(f"Disallow: {place}" for place in places)
        self.send(ROBOTS.format(origin=self.origin, projects=projects))


class SecurityHandler(TextHandler):
    """/.well-known/security.txt (RFC 9116): where to report a fault."""

    def get(self) -> None:
        """The file, where the operator gave a contact."""
        contact = self.config.site.security_contact
        if not contact:
            raise NotFound("This site names no contact for faults.")
        expires = datetime.now(UTC) + timedelta(days=SECURITY_DAYS)
        lines = {
            "Contact": contact,
            "Expires": f"{expires:%Y-%m-%dT00:00:00Z}",
            "Preferred-Languages": "en",
            "Canonical": f"{self.origin}/.well-known/security.txt",
        }
        self.send("".join(f"{name}: {value}\n" for name, value in lines.items()))


class SitemapHandler(ReleasesHandler, TextHandler):
    """/sitemap.xml: every public page."""

    async def get(self) -> None:
        """The map."""
        changed = {
            f"/downloads/{project.slug}": listing.releases[0].released_at
            for project, listing in await self.listed()
            if listing and listing.releases and not listing.releases[0].upcoming
        }
        own = [place.address for place in public(self.config)]
        addresses = [*own, *await self.catalog()]
        pages = [(f"{self.origin}{address}", changed.get(address)) for address in addresses]
        self.send(feeds.sitemap(pages), XML)

    async def catalog(self) -> list[str]:
        """The categories and tables of the newest version; none while there is no catalog."""

        def work(catalog: Catalog) -> list[str]:
            dataset = catalog.dataset(catalog.version(None))
            name = dataset.version.name
            tables = [address(name, entry.category, entry.name) for entry in dataset.entries]
            return [address(name, category) for category in dataset.categories] + tables

        try:
            return await self.services.library.read(work)
        except PortalError:
            return []


class FeedHandler(TextHandler):
    """/feeds/<project>.atom: its releases, for who waits for the next one."""

    async def get(self, slug: str) -> None:
        """The feed."""
        project = self.project(slug)
        listing = await self.services.listings.listing(project)
        site, origin = self.config.site, self.origin
        self.send(await asyncio.to_thread(feeds.atom, site, origin, project, listing), ATOM)


class BadgeHandler(TextHandler):
    """/badges/<project>.svg and .json: how often a project was downloaded, where that is public."""

    async def get(self, slug: str, kind: str) -> None:
        """The picture, or the number."""
        if not self.config.site.badges:
            raise NotFound("This site does not show how often its projects are downloaded.")
        project = self.project(slug)
        count = await self.services.disclosures.downloads(slug)
        self.set_header("Cache-Control", f"public, max-age={BADGE_SECONDS}")
        self.set_header("Access-Control-Allow-Origin", "*")
        if kind == "json":
            self.finish({"project": slug, "title": project.title, "downloads": count})
            return
        colour = accent(self.config.site.accent).light
        self.send(badge("downloads", f"{count:,}", colour), "image/svg+xml")
