"""What GitLab's API says about releases: asked gently, in bounded size and time.

The paths and fields are those of https://docs.gitlab.com/api/releases/ and
https://docs.gitlab.com/api/packages/; pages are those of
https://docs.gitlab.com/api/rest/#offset-based-pagination.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from tornado.httpclient import AsyncHTTPClient

from portal.config.model import GitLab, Limits, Project
from portal.gitlab.entries import MalformedRelease, is_foreign, read_release
from portal.gitlab.packages import PackageFiles
from portal.gitlab.requests import Failing, Page, Requests, Withdrawn
from portal.releases.model import Asset, Release, newest_first

__all__ = ["Failing", "GitLabApi", "Withdrawn"]

log = logging.getLogger("portal.gitlab")

PAGES = 20  # of 100 entries; what is older is not shown
AT_ONCE = 4  # requests; everybody behind the portal shares one throttle


@dataclass(slots=True)
class _Known:
    """What is remembered of a project between two refreshes."""

    files: PackageFiles
    number: int | None = None
    pages: dict[str, Page] = field(default_factory=dict)
    complaints: frozenset[str] = frozenset()


class GitLabApi:
    """Reads projects' releases; belongs to one event loop, as its client does.

    Every method raises `Withdrawn` when GitLab says that the project is not (or no longer) for us,
    and `Failing` when it says nothing that can be used.
    """

    def __init__(self, gitlab: GitLab, client: AsyncHTTPClient, limits: Limits) -> None:
        self._gitlab = gitlab
        self._requests = Requests(gitlab, client, limits)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._known: dict[str, _Known] = {}

    async def releases(self, project: Project) -> tuple[Release, ...]:
        """The releases, newest first, with the sizes and checksums that are known so far.

        One cheap request where nothing has changed; one a page of 100 releases where it has.
        """
        known = self._project(project)
        path = f"/projects/{quote(project.path, safe='')}"
        if known.number is None:
            known.number = await self._requests.project_number(path)
        found: dict[str, Page] = {}
        entries = await self._entries(f"{path}/releases", "per_page=100", known.pages, found)
        known.pages = found
        return known.files.measured(self._read(project, known, entries))

    async def measure(self, project: Project, releases: tuple[Release, ...]) -> tuple[Release, ...]:
        """The same releases with sizes and checksums, asking for those that are not yet known.

        No request where all are known; a file that is in no package stays without.
        """
        await self._project(project).files.refresh(releases)
        return self.measured(project, releases)

    def is_foreign(self, project: Project, url: str) -> bool:
        """Whether an address of this GitLab belongs to another project, or may."""
        number = self._project(project).number or 0
        return is_foreign(url, self._gitlab.url, project.path, number)

    async def measured_anew(self, project: Project, asset: Asset, since: float) -> Asset:
        """The asset as GitLab measures it at `since` (monotonic) or later."""
        return await self._project(project).files.measured_anew(asset, since)

    def measured_seconds_ago(self, project: Project, asset: Asset) -> float | None:
        """How long ago GitLab was asked for the asset's size and checksum; None: not yet."""
        return self._project(project).files.measured_seconds_ago(asset)

    def measured(self, project: Project, releases: tuple[Release, ...]) -> tuple[Release, ...]:
        """The same releases with the sizes and checksums that are known by now."""
        return self._project(project).files.measured(releases)

    def _project(self, project: Project) -> _Known:
        if project.slug not in self._known:
            files = PackageFiles(self._gitlab.url, self._package_entries)
            self._known[project.slug] = _Known(files)
        return self._known[project.slug]

    async def _package_entries(self, path: str, query: str) -> list[Any]:
        return await self._entries(path, query, {}, {})

    async def _entries(
        self, path: str, query: str, known: dict[str, Page], found: dict[str, Page]
    ) -> list[Any]:
        """All entries of a list; each page is left in `found` under its query."""
        entries: list[Any] = []
        following: str | None = query
        while following is not None and following not in found:
            if len(found) == PAGES:
                log.info("%s: only the first %d pages are read", path, PAGES)
                break
            async with self._slots:
                page = await self._requests.page(path, following, known.get(following))
            found[following] = page
            entries += page.entries
            following = page.following
        return entries

    def _read(self, project: Project, known: _Known, entries: Iterable[Any]) -> tuple[Release, ...]:
        releases: dict[str, Release] = {}
        complaints = []
        url = f"{self._gitlab.url}/api/v4/projects/{quote(project.path, safe='')}"
        for entry in entries:
            try:
                release = read_release(entry, project.slug, url)
            except MalformedRelease as error:
                complaints.append(str(error))
            else:
                release = self._without_foreign(project, release, complaints)
                releases.setdefault(release.version, release)
        # Once, not at every refresh.
        if (reasons := frozenset(complaints)) - known.complaints:
            why = "; ".join(sorted(reasons))
            log.warning("%s: not all is shown (%d): %s", project.slug, len(complaints), why)
        known.complaints = reasons
        return newest_first(releases.values())

    def _without_foreign(
        self, project: Project, release: Release, complaints: list[str]
    ) -> Release:
        """The release without links to other projects of the same GitLab."""
        assets = tuple(a for a in release.assets if not self.is_foreign(project, a.url))
        if len(assets) < len(release.assets):
            complaints.append("a release links to files of another project")
        return replace(release, assets=assets)
