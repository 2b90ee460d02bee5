"""Releases as people and programs read them: a page, text or JSON, as Accept asks for it."""

import asyncio
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from handlers.base.errors import printable
from handlers.base.handler import Handler
from portal.config.model import Project
from portal.errors import NotFound, PortalError
from portal.http.accept import Form, release_forms
from portal.releases import text
from portal.releases.model import Listing, Release, release_path
from portal.releases.notes import release_notes
from portal.suggestions import Place, nearest


class ReleasesHandler(Handler):
    """A page of releases, in one of three forms."""

    @cached_property
    def forms(self) -> tuple[Form, ...]:  # type: ignore[override]
        """As the portal prefers them for this client: for curl, for a browser."""
        return release_forms(self.accept, self.request.headers.get("User-Agent", ""))

    async def listed(self) -> list[tuple[Project, Listing | None]]:
        """Every project in the order of the configuration; one that fails hides no other."""

        async def listing(project: Project) -> tuple[Project, Listing | None]:
            try:
                return project, await self.services.listings.listing(project)
            except PortalError:
                return project, None

        return await asyncio.gather(*map(listing, self.config.projects))

    async def answer(
        self, lines: Callable[[], Iterable[str]], value: Callable[[], dict[str, Any]]
    ) -> None:
        """Answer a terminal or a program."""
        self.set_header("Cache-Control", "no-cache")
        if self.form == "json":
            self.finish(value())
            return
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish("".join(f"{printable(line)}\n" for line in lines()))

    async def answer_release(self, project: Project, listing: Listing, release: Release) -> None:
        """One release; a browser is led to its place on the project's page."""
        self.vary("User-Agent")
        if self.form == "html":
            self.redirect(listing.place(project.slug, release))
            return
        await self.answer(
            lambda: text.release_lines(self.origin, project, listing, release),
            lambda: text.release_value(self.origin, project.slug, release, listing.latest()),
        )

    def no_release(self, project: Project, listing: Listing, version: str) -> NotFound:
        """What to say of a version that is not there."""
        places = [Place(r.version, release_path(project.slug, r.version)) for r in listing.releases]
        return NotFound(
            f'{project.title} has no release "{version}".',
            f"Its releases are listed at {self.origin}/downloads/{project.slug}",
            near=nearest(version, places),
        )


class OverviewHandler(ReleasesHandler):
    """What / and /downloads share: every project and its newest release."""

    template: str

    async def get(self) -> None:
        """The page, or the same as text or JSON."""
        self.vary("User-Agent")
        listed = await self.listed()
        site, origin = self.config.site, self.origin
        if self.form == "html":
            self.page(self.template, projects=[self.card(*entry) for entry in listed])
            return

        def value() -> dict[str, Any]:
            said = [
                text.project_value(origin, project, listing, newest(listing))
                for project, listing in listed
            ]
            return {"title": site.title, "description": site.description, "projects": said}

        await self.answer(lambda: text.site_lines(site, origin, listed), value)

    def card(self, project: Project, listing: Listing | None) -> dict[str, Any]:
        """A project on a page of several; `listing` is None while GitLab cannot be asked."""
        latest = listing.latest() if listing else None
        clone_url = self.clone_url(project.slug)
        return {"project": project, "listing": listing, "latest": latest, "clone_url": clone_url}


def newest(listing: Listing | None) -> tuple[Release, ...]:
    """The latest release, where there is one."""
    latest = listing.latest() if listing else None
    return (latest,) if latest else ()


class ProjectsHandler(OverviewHandler):
    """/downloads: every project and its newest release."""

    template = "releases/projects.html"


class ProjectHandler(ReleasesHandler):
    """/downloads/<project>: its releases, newest first."""

    async def get(self, slug: str) -> None:
        """One page of them."""
        self.vary("User-Agent")
        project = self.project(slug)
        listing = await self.services.listings.listing(project)
        pages = listing.pages()
        number = self.number(project, len(pages))
        shown, more = pages[number - 1], number < len(pages)
        if self.form == "html":
            await self.show(project, listing, shown, number)
            return
        older = f"{self.origin}/downloads/{slug}?page={number + 1}" if more else ""
        await self.answer(
            lambda: text.listing_lines(self.origin, project, listing, shown, older),
            lambda: {
                **text.project_value(self.origin, project, listing, shown),
                "older": older or None,
            },
        )

    def number(self, project: Project, pages: int) -> int:
        """Which page is asked for, from 1."""
        number = self.get_query_argument("page", "1")
        if number not in map(str, range(1, pages + 1)):
            raise NotFound(
                f"{project.title} has no such page of releases.",
                f"They begin at {self.origin}/downloads/{project.slug}",
            )
        return int(number)

    async def show(
        self, project: Project, listing: Listing, shown: tuple[Release, ...], number: int
    ) -> None:
        """The page; the notes are rendered off the loop, and remembered."""
        notes = await asyncio.to_thread(
            lambda: {r.version: release_notes(project.slug, r) for r in shown}
        )
        await self.answer_page(
            "releases/project.html",
            project=project,
            listing=listing,
            releases=shown,
            number=number,
            pages=len(listing.pages()),
            latest=listing.latest(),
            clone_url=self.clone_url(project.slug),
            notes=lambda release: notes[release.version],
        )


class ReleaseHandler(ReleasesHandler):
    """/downloads/<project>/<version>: one release; a browser is led to it on its project's page."""

    async def get(self, slug: str, version: str) -> None:
        """Redirect, for `latest` too; or the release as text or JSON."""
        project = self.project(slug)
        listing = await self.services.listings.listing(project)
        release = listing.named(version)
        if release is None:
            raise self.no_release(project, listing, version)
        await self.answer_release(project, listing, release)


class FolderHandler(ReleasesHandler):
    """/downloads/<project>/<version>/: a release as a folder, whose links are relative.

    `latest` is a folder of its own, so that a mirror or apt stays below the address it was given.
    """

    forms = ("html", "text", "json")  # whatever the client: who accepts anything follows links

    async def get(self, slug: str, version: str) -> None:
        """A list of links for whatever reads pages or takes anything; text or JSON where named."""
        project = self.project(slug)
        listing = await self.services.listings.listing(project)
        release = listing.named(version)
        if release is None:
            raise self.no_release(project, listing, version)
        if self.form == "html":
            self.page("releases/folder.html", project=project, release=release, tracker=None)
            return
        await self.answer_release(project, listing, release)
