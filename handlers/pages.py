"""The home page, and what machines ask of every site."""

import asyncio
from dataclasses import dataclass

from handlers.base import Handler
from portal.config import Project
from portal.errors import PortalError
from portal.releases import Listing, Release


@dataclass(frozen=True, slots=True)
class ProjectCard:
    """A project on a page of several; `listing` is None while GitLab cannot be asked."""

    project: Project
    listing: Listing | None
    latest: Release | None
    clone_url: str


async def project_cards(handler: Handler) -> list[ProjectCard]:
    """Every project, in the order of the configuration; one that fails hides no other."""

    async def card(project: Project) -> ProjectCard:
        try:
            listing = await handler.services.listings.listing(project)
        except PortalError:
            listing = None
        latest = listing.latest() if listing else None
        return ProjectCard(project, listing, latest, handler.clone_url(project.slug))

    return await asyncio.gather(*map(card, handler.config.projects))


class HomeHandler(Handler):
    """/: what this place is, and the ways in."""

    async def get(self) -> None:
        """A page."""
        self.page("home.html", projects=await project_cards(self))


class ProjectRedirectHandler(Handler):
    """/<project> and /<project>.git in a browser: where the project's releases are."""

    def get(self, slug: str) -> None:
        """Redirect."""
        self.redirect(f"/downloads/{self.project(slug).slug}")


class HealthHandler(Handler):
    """/healthz: this process answers."""

    any_host = True  # to whoever watches it, by whatever name

    def get(self) -> None:
        """A line."""
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        self.finish("ok\n")
