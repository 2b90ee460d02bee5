"""Every project's releases, kept fresh in the background and served while GitLab cannot be asked.

What is served follows from GitLab's last answer:

| last answer              | `listing()`                                                      |
|--------------------------|------------------------------------------------------------------|
| a list                   | the list                                                         |
| none, nonsense, 429, 5xx | the last list, marked stale; without any: Unavailable            |
| 401, insufficient_scope  | the same: the token is refused, and not the project              |
| 404, its own 403         | NotFound: it was withdrawn, and what is remembered goes too      |
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from portal.config.model import Config, Project
from portal.gitlab.api import GitLabApi
from portal.gitlab.disk import ListingFiles
from portal.gitlab.hints import Hints
from portal.gitlab.pause import Pause
from portal.gitlab.project_listing import ProjectListing, unavailable
from portal.gitlab.requests import FailureCause
from portal.gitlab.state import GitLabState
from portal.relay.upstream import Target
from portal.releases.model import Asset, LeftOut, Listing

log = logging.getLogger("portal.listings")

FIRST_SECONDS = 5.0  # how long a visitor waits for the first list of all


class Listings:
    """The cache; belongs to one event loop and touches no thread. `start()` it on that loop."""

    def __init__(
        self,
        config: Config,
        api: GitLabApi,
        failed: Callable[[FailureCause], None] = lambda _: None,
        hints: Hints | None = None,
    ) -> None:
        """`failed` is called whenever GitLab gives no list; `hints` are what webhooks said."""
        self._api, self._projects = api, config.projects
        memory = ListingFiles(config.releases_dir, config.gitlab.url)
        self._pause = Pause(config.gitlab.refresh_seconds)
        self._hints = hints or Hints(len(config.projects))
        self._kept = {
            p.slug: ProjectListing(
                p, api, memory, self._pause, failed, partial(self._hints.count, number)
            )
            for number, p in enumerate(config.projects)
        }
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to refresh, every project on its own."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(kept.run()) for kept in self._kept.values()]

    async def stop(self) -> None:
        """End every refresh; what is known is still served. Can be called twice."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def state(self) -> GitLabState:
        """What the operator is told of GitLab."""
        now = datetime.now(UTC)
        credential = self._api.credential
        info = credential.info
        return GitLabState(
            token_refused=credential.trouble,
            token_name=info.name if info else "",
            token_expires_on=info.expires_on if info else None,
            token_seconds_left=info.seconds_left(now) if info else None,
            token_expires_soon=credential.expires_soon(now) is not None,
            projects=tuple(kept.state() for kept in self._kept.values()),
        )

    def hint(self, number: int, path: str) -> str:
        """GitLab says that something has changed in that project; its slug, "" if it is none here.

        Every process asks for the project's list then, within a tenth of a second.
        """
        for place, project in enumerate(self._projects):
            location = self._api.place(project)
            paths = {each.lower() for each in location.paths}
            if number == location.number or path.lower() in paths:
                self._hints.add(place)
                return project.slug
        return ""

    def located(self, project: Project) -> Project:
        """The project with the path that it has in GitLab now."""
        return replace(project, path=self._api.place(project).paths[0])

    def redirected(self, project: Project, location: str) -> bool:
        """GitLab leads git to another address; whether the project is believed to be there."""
        return self._api.redirected(project, location)

    def target(self, project: Project, url: str) -> Target:
        """What is asked for an address of a file; raises `PortalError` where it may not be."""
        return self._api.target(project, url)

    def left_out(self) -> dict[str, tuple[LeftOut, ...]]:
        """The links that are no files here, by the project's slug."""
        return {project.slug: self._api.left_out(project) for project in self._projects}

    async def measured_anew(self, project: Project, asset: Asset) -> Asset | None:
        """The asset with the size and checksum that GitLab names now; None where it says none."""
        return await self._kept[project.slug].measured_anew(asset)

    def measured_seconds_ago(self, project: Project, asset: Asset) -> float | None:
        """How long ago GitLab was asked for the asset's size and checksum; None: not yet."""
        return self._kept[project.slug].measured_seconds_ago(asset)

    async def listing(self, project: Project) -> Listing:
        """The project's releases as last known, at once unless GitLab was never asked yet.

        Then everyone waits for the one first answer, up to FIRST_SECONDS. Raises `NotFound` when
        the project was withdrawn, `Unavailable` when nothing is known.
        """
        kept = self._kept[project.slug]
        if not kept.asked.is_set():
            try:
                await asyncio.wait_for(kept.asked.wait(), FIRST_SECONDS)
            except TimeoutError:
                if not kept.known:
                    raise unavailable(FIRST_SECONDS) from None
        return kept.listing()
