"""What GitLab's API says about releases: asked gently, in bounded size and time.

The paths and fields are those of https://docs.gitlab.com/api/releases/ and
https://docs.gitlab.com/api/packages/; pages are those of
https://docs.gitlab.com/api/rest/#offset-based-pagination.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from tornado.httpclient import AsyncHTTPClient

from portal.config.model import GitLab, Limits, Project
from portal.gitlab.addresses import Address, Kind, ProjectLocation, package_file_url, read_address
from portal.gitlab.collection import paused_collection
from portal.gitlab.entries import MalformedRelease, ReleaseSource, read_release
from portal.gitlab.identity import ProjectIdentity, path_of_repository
from portal.gitlab.packages import PackageFiles
from portal.gitlab.requests import Failing, Moved, Page, Requests, Withdrawn
from portal.gitlab.targets import target
from portal.gitlab.token_info import PATH, read_token_info
from portal.relay.credential import Credential, TokenInfo
from portal.relay.upstream import Target
from portal.releases.model import Asset, LeftOut, Release, newest_first
from portal.releases.stability import with_prereleases

__all__ = ["Failing", "GitLabApi", "Withdrawn"]

T = TypeVar("T")

log = logging.getLogger("portal.gitlab")

PAGES = 20  # of 100 entries; what is older is not shown
LEFT_OUT = 200  # links of one page that are named to the operator
COMPLAINTS = 20  # that are logged one by one after a refresh
AT_ONCE = 4  # requests; everybody behind the portal shares one throttle


@dataclass(frozen=True, slots=True)
class _ReleasePage:
    """What one page of the list was read as."""

    releases: tuple[Release, ...]
    left_out: tuple[LeftOut, ...]
    complaints: tuple[str, ...]


@dataclass(slots=True)
class _Known:
    """What is remembered of a project between two refreshes.

    `releases` are those of `pages`, read at `place`; `measured` is what was made of them while the
    package files had the `generation`. All of it is replaced, never changed, since threads read it.
    """

    files: PackageFiles
    identity: ProjectIdentity
    place: ProjectLocation | None = None
    pages: dict[str, Page[_ReleasePage]] = field(default_factory=dict)
    releases: tuple[Release, ...] = ()
    measured: tuple[Release, ...] = ()
    generation: int = -1
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
        known = await self._identified(project)
        try:
            pages = await self._release_pages(project, known)
        except Moved:
            known.identity.forget()
            known = await self._identified(project)
            pages = await self._release_pages(project, known)
        place = known.identity.location
        if place != known.place or _changed(pages, known.pages):
            known.place, known.pages = place, pages
            known.generation = -1
            known.releases = await asyncio.to_thread(
                _joined, [p.value for p in pages.values()], project.prerelease
            )
            self._complain(project, known)
        return await self.measured(project)

    async def measure(self, project: Project) -> tuple[Release, ...]:
        """The releases with sizes and checksums, asking for those that are not yet known.

        No request where all are known; a file that is in no package stays without.
        """
        known = self._project(project)
        await known.files.refresh(known.releases, known.identity.api_path)
        return await self.measured(project)

    async def token_info(self) -> TokenInfo:
        """What GitLab says of the token."""
        return read_token_info(await self._requests.document(PATH))

    def place(self, project: Project) -> ProjectLocation:
        """Where the project is in GitLab."""
        return self._project(project).identity.location

    def remember(self, project: Project, number: int | None, path: str) -> None:
        """What was known of the project before a restart."""
        self._project(project).identity.remember(number, path)

    def redirected(self, project: Project, location: str) -> bool:
        """GitLab leads git elsewhere, since the project has moved; whether that is believed."""
        identity = self._project(project).identity
        path = path_of_repository(location, identity.location.bases)
        return bool(path) and identity.moved_to(path)

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

    async def measured(self, project: Project) -> tuple[Release, ...]:
        """The releases with the sizes and checksums that are known by now.

        The same tuple as before where nothing has changed.
        """
        known = self._project(project)
        while known.generation != (generation := known.files.generation):
            releases = known.releases
            with paused_collection():
                measured = await asyncio.to_thread(known.files.measured, releases)
            if releases is known.releases:
                known.measured, known.generation = measured, generation
        return known.measured

    def _project(self, project: Project) -> _Known:
        if project.slug not in self._known:
            files = PackageFiles(self._gitlab.url, self._package_entries)
            identity = ProjectIdentity(project, self._gitlab, self._requests)
            self._known[project.slug] = _Known(files, identity)
        return self._known[project.slug]

    async def _identified(self, project: Project) -> _Known:
        """What is known of the project, after a look at where it is.

        Of a project that was made anew nothing is known.
        """
        known = self._project(project)
        if await known.identity.look():
            files = PackageFiles(self._gitlab.url, self._package_entries)
            known = self._known[project.slug] = _Known(files, known.identity)
        return known

    async def _release_pages(
        self, project: Project, known: _Known
    ) -> dict[str, Page[_ReleasePage]]:
        place = known.identity.location
        # Pages that were read with other addresses as the project's own are read again.
        pages = known.pages if place == known.place else {}
        source = ReleaseSource(project.slug, place, self._gitlab.asset_hosts)
        path = f"{known.identity.api_path}/releases"
        return await self._pages(path, "per_page=100", partial(_read_page, source), pages)

    async def _package_entries(self, path: str, query: str) -> list[Any]:
        pages = await self._pages(path, query, list, {})
        return [entry for page in pages.values() for entry in page.value]

    async def _pages(
        self,
        path: str,
        query: str,
        read: Callable[[Iterator[Any]], T],
        known: Mapping[str, Page[T]],
    ) -> dict[str, Page[T]]:
        """All pages of a list, each under its query."""
        found: dict[str, Page[T]] = {}
        following: str | None = query
        while following is not None and following not in found:
            if len(found) == PAGES:
                log.warning("%s: only the first %d pages are read", path, PAGES)
                break
            async with self._slots:
                page = await self._requests.page(path, following, read, known.get(following))
            found[following] = page
            following = page.following
        return found

    def _complain(self, project: Project, known: _Known) -> None:
        """Log what is new of what is left out, once and not at every refresh."""
        pages = [page.value for page in known.pages.values()]
        known.left_out = tuple(one for page in pages for one in page.left_out)
        complaints = [one for page in pages for one in page.complaints]
        complaints += [
            f"link {one.label!a} of release {one.version!a} is left out: {one.why}"
            for one in known.left_out
        ]
        new = [one for one in complaints if one not in known.complaints]
        known.complaints = frozenset(complaints)
        for one in new[:COMPLAINTS]:
            log.warning("%s: %s", project.slug, one)
        if len(new) > COMPLAINTS:
            log.warning("%s: and %d more of this kind", project.slug, len(new) - COMPLAINTS)


def _read_page(source: ReleaseSource, entries: Iterator[Any]) -> _ReleasePage:
    """One page of the list; runs in a thread."""
    releases: list[Release] = []
    left_out: list[LeftOut] = []
    complaints: list[str] = []
    for entry in entries:
        try:
            release, without = read_release(entry, source)
        except MalformedRelease as error:
            complaints.append(f"a release is left out: {error}")
        else:
            releases.append(release)
            left_out += without
    return _ReleasePage(tuple(releases), tuple(left_out[:LEFT_OUT]), tuple(complaints))


def _joined(
    pages: Iterable[_ReleasePage], prerelease: tuple[str, ...] | None
) -> tuple[Release, ...]:
    """All releases, newest first; an entry can move to the next page while the list is read."""
    releases: dict[str, Release] = {}
    for page in pages:
        for release in page.releases:
            releases.setdefault(release.version, release)
    return with_prereleases(newest_first(releases.values()), prerelease)


def _changed(pages: Mapping[str, Page[T]], known: Mapping[str, Page[T]]) -> bool:
    """Whether a page is another one than before; a page that has not changed is the same object."""
    return pages.keys() != known.keys() or any(
        page is not known[query] for query, page in pages.items()
    )
