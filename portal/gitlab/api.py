"""What GitLab's API says about releases: asked gently, in bounded size and time.

The paths and fields are those of https://docs.gitlab.com/api/releases/ and
https://docs.gitlab.com/api/packages/; pages are those of
https://docs.gitlab.com/api/rest/#offset-based-pagination.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tornado.httpclient import AsyncHTTPClient

from portal.config.model import GitLab, Limits, Project
from portal.gitlab.addresses import Address, Kind, ProjectLocation, package_file_url, read_address
from portal.gitlab.entries import MalformedRelease, ReleaseSource, read_release
from portal.gitlab.packages import PackageFiles
from portal.gitlab.requests import Failing, Page, Requests, Withdrawn
from portal.gitlab.targets import target
from portal.relay.credential import Credential, TokenInfo
from portal.relay.upstream import Target
from portal.releases.model import Asset, LeftOut, Release, newest_first

__all__ = ["Failing", "GitLabApi", "Withdrawn"]

log = logging.getLogger("portal.gitlab")

PAGES = 20  # of 100 entries; what is older is not shown
COMPLAINTS = 20  # that are logged one by one after a refresh
AT_ONCE = 4  # requests; everybody behind the portal shares one throttle


@dataclass(slots=True)
class _Known:
    """What is remembered of a project between two refreshes."""

    files: PackageFiles
    number: int | None = None
    pages: dict[str, Page] = field(default_factory=dict)
    complaints: frozenset[str] = frozenset()
    left_out: tuple[LeftOut, ...] = ()


class GitLabApi:
    """Reads projects' releases; belongs to one event loop, as its client does.

    Every method raises `Withdrawn` when GitLab says that the project is not (or no longer) for us,
    and `Failing` when it says nothing that can be used.
    """

    def __init__(
        self,
        gitlab: GitLab,
        client: AsyncHTTPClient,
        limits: Limits,
        credential: Credential | None = None,
    ) -> None:
        self._gitlab = gitlab
        self.credential = credential or Credential(gitlab)
        self._requests = Requests(gitlab, client, limits, self.credential)
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
        path = f"/projects/{quote(project.path, safe='')}"
        await self._project(project).files.refresh(releases, path)
        return self.measured(project, releases)

    async def token_info(self) -> TokenInfo:
        """What GitLab says of the token."""
        return await self._requests.token_info()

    def place(self, project: Project) -> ProjectLocation:
        """Where the project is in GitLab."""
        return ProjectLocation((self._gitlab.url,), (project.path,), self._project(project).number)

    def target(self, project: Project, url: str) -> Target:
        """What is asked for an address of a file, or of a redirect on the way to it.

        Raises `PortalError` where it may not be asked, or cannot yet: a package file whose package
        is not known.
        """
        place = self.place(project)
        found = read_address(url, place)
        if found.kind is Kind.FILE and found.package_file is not None:
            numbered = self._project(project).files.numbered
            file = numbered.find(found.package_file)
            if file is not None or numbered.searched:
                # No package has it: GitLab itself is to say that there is no such file.
                url = package_file_url(place, file.package if file else 0, found.package_file)
                found = Address(Kind.FILE, url, file.name if file else "")
        return target(found)

    def left_out(self, project: Project) -> tuple[LeftOut, ...]:
        """The links of the project's releases that are no files here."""
        return self._project(project).left_out

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
        left_out: list[LeftOut] = []
        hosts = self._gitlab.asset_hosts
        source = ReleaseSource(project.slug, self.place(project), hosts)
        for entry in entries:
            try:
                release, without = read_release(entry, source)
            except MalformedRelease as error:
                complaints.append(f"a release is left out: {error}")
            else:
                if release.version not in releases:
                    left_out += without
                releases.setdefault(release.version, release)
        complaints += [
            f"link {one.label!a} of release {one.version!a} is left out: {one.why}"
            for one in left_out
        ]
        known.left_out = tuple(left_out)
        _complain(project, known, complaints)
        return newest_first(releases.values())


def _complain(project: Project, known: _Known, complaints: list[str]) -> None:
    """Log what is new of it, once and not at every refresh."""
    new = [one for one in complaints if one not in known.complaints]
    known.complaints = frozenset(complaints)
    for one in new[:COMPLAINTS]:
        log.warning("%s: %s", project.slug, one)
    if len(new) > COMPLAINTS:
        log.warning("%s: and %d more of this kind", project.slug, len(new) - COMPLAINTS)
