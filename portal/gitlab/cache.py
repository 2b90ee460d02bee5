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
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from time import monotonic

from portal.config.model import Config, Project
from portal.errors import NotFound, Unavailable
from portal.gitlab.api import GitLabApi
from portal.gitlab.disk import ListingFiles
from portal.gitlab.pause import FIRST_PAUSE, Pause
from portal.gitlab.requests import Failing, FailureCause, Withdrawn
from portal.gitlab.state import GitLabState, ListState, ProjectState
from portal.relay.upstream import Target
from portal.releases.edits import dated
from portal.releases.model import Asset, LeftOut, Listing, Release

log = logging.getLogger("portal.listings")

FIRST_SECONDS = 5.0  # how long a visitor waits for the first list of all
ANEW_SECONDS = 5.0  # how long a download waits for its file's checksum
WANTED_PAUSE = 0.8  # the least, where a visitor asks and there is nothing to show


class Listings:
    """The cache; belongs to one event loop and touches no thread. `start()` it on that loop."""

    def __init__(
        self,
        config: Config,
        api: GitLabApi,
        failed: Callable[[FailureCause], None] = lambda _: None,
    ) -> None:
        """`failed` is called whenever GitLab gives no list."""
        self._api, self._projects = api, config.projects
        memory = ListingFiles(config.releases_dir, config.gitlab.url)
        self._pause = Pause(config.gitlab.refresh_seconds)
        self._kept = {p.slug: _Kept(p, api, memory, self._pause, failed) for p in config.projects}
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
                    raise _unavailable(FIRST_SECONDS) from None
        return kept.listing()


class _Kept:
    """One project: what is known of it, and the loop that keeps it so."""

    def __init__(
        self,
        project: Project,
        api: GitLabApi,
        memory: ListingFiles,
        pause: Pause,
        failed: Callable[[FailureCause], None],
    ) -> None:
        self.asked = asyncio.Event()
        self._wanted = asyncio.Event()
        self._project = project
        self._api = api
        self._memory = memory
        self._remembered: tuple[Release, ...] | None = None
        self._pause = pause
        self._listing: Listing | None = None
        self._withdrawn = False
        self._failures = 0
        self._said = ""
        self._measuring: asyncio.Task[None] | None = None
        self._unmeasured_until = 0.0
        self._count_failure = failed

    def listing(self) -> Listing:
        if self._listing is None:
            self._wanted.set()
        if self._withdrawn:
            raise NotFound(
                f"{self._project.title} has no releases here at present.",
                "If you expected some, please tell the operator.",
            )
        if self._listing is None:
            raise _unavailable(self._pause.silence() or self._pause.after(self._failures))
        return replace(self._listing, stale=True) if self._pause.silence() else self._listing

    @property
    def known(self) -> bool:
        return self._listing is not None

    def state(self) -> ProjectState:
        state: ListState = "unknown"
        if self._withdrawn:
            state = "withdrawn"
        elif self._listing is not None:
            stale = self._listing.stale or self._failures or not self.asked.is_set()
            state = "stale" if stale else "fresh"
        return ProjectState(
            slug=self._project.slug,
            path=self._api.place(self._project).paths[0],
            configured_path=self._project.path,
            state=state,
            why="" if state == "fresh" else self._said or "it was not asked yet",
        )

    def measured_seconds_ago(self, asset: Asset) -> float | None:
        return self._api.measured_seconds_ago(self._project, asset)

    async def measured_anew(self, asset: Asset) -> Asset | None:
        """Somebody waits for this, so GitLab is not given long, and not asked while it is away."""
        since = monotonic()
        if self._pause.silence() or since < self._unmeasured_until:
            return None
        try:
            async with asyncio.timeout(ANEW_SECONDS):
                measured = await self._api.measured_anew(self._project, asset, since)
        except (Failing, Withdrawn, TimeoutError) as failure:
            self._throttled(failure.wait if isinstance(failure, Failing) else None)
            self._unmeasured_until = monotonic() + FIRST_PAUSE
            log.info("%s: a file's checksum is not known: %s", self._project.slug, failure)
            return None
        if measured != asset and self._listing:
            known = await self._api.measured(self._project)
            if known:  # there are none while the list is the one that was kept on disk
                self._listing = replace(self._listing, releases=known)
        return measured

    async def run(self) -> None:
        """Refresh for ever. The sizes of many files take longer than the list, and hold up none."""
        try:
            self._listing = await asyncio.to_thread(self._memory.recall, self._project)
            while True:
                await self._refresh()
                self.asked.set()
                await self._remember()
                await self._rest()
        finally:
            if self._measuring:
                self._measuring.cancel()
                await asyncio.gather(self._measuring, return_exceptions=True)

    async def _remember(self) -> None:
        """Keep what GitLab has just said, for the next start."""
        if self._withdrawn:
            self._remembered = None
            await asyncio.to_thread(self._memory.forget, self._project)
        elif self._listing and not self._listing.stale:
            changed = self._listing.releases is not self._remembered
            await asyncio.to_thread(self._memory.keep, self._project, self._listing, changed)
            self._remembered = self._listing.releases

    async def _rest(self) -> None:
        """Until the next refresh, which is sooner when somebody asks for what cannot be shown."""
        pause = self._pause.after(self._failures)
        await asyncio.sleep(min(pause, WANTED_PAUSE))
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, pause - WANTED_PAUSE)):
                await self._wanted.wait()
        self._wanted.clear()
        await asyncio.sleep(self._pause.silence())

    async def _refresh(self) -> None:
        """One refresh; whatever comes, it leaves something that can be served."""
        try:
            releases = await self._api.releases(self._project)
        except Withdrawn as answer:
            self._withdraw(str(answer))
        except Failing as failure:
            self._count_failure(failure.cause)
            self._failed(str(failure), failure.wait)
        except Exception:
            log.exception("%s: the list of releases could not be read", self._project.slug)
            self._failed("a fault of ours", None)
        else:
            known = self._listing.releases if self._listing else ()
            recall = partial(self._memory.recall, self._project)
            self._fresh(await dated(releases, known, recall))
            if self._measuring is None or self._measuring.done():
                loop = asyncio.get_running_loop()
                self._measuring = loop.create_task(self._measure())

    async def _measure(self) -> None:
        """Fill in sizes and checksums; without them, the list is still GitLab's own."""
        try:
            known = await self._api.measure(self._project)
        except (Failing, Withdrawn) as failure:
            self._throttled(failure.wait if isinstance(failure, Failing) else None)
            log.info("%s: sizes are not known: %s", self._project.slug, failure)
        except Exception:
            log.exception("%s: the packages could not be read", self._project.slug)
        else:
            if self._listing:  # which may be newer than what was measured
                self._listing = replace(self._listing, releases=known)

    def _fresh(self, releases: tuple[Release, ...]) -> None:
        self._listing = Listing(releases, datetime.now(UTC))
        self._withdrawn = False
        self._failures = 0
        self._say(log.info, f"{len(releases)} releases")

    def _withdraw(self, answer: str) -> None:
        """What is remembered goes too: after a withdrawal a failure must not bring it back."""
        self._listing = None
        self._withdrawn = True
        self._failures = 0
        self._say(log.warning, f"withdrawn: {answer}")

    def _failed(self, what: str, wait: float | None) -> None:
        self._failures += 1
        self._throttled(wait)
        if self._listing:
            self._listing = replace(self._listing, stale=True)
        self._say(log.warning, what)

    def _throttled(self, wait: float | None) -> None:
        if wait is not None:
            self._pause.throttled(wait)

    def _say(self, level: Callable[..., None], sentence: str) -> None:
        """Log a change, not every refresh."""
        if sentence != self._said:
            level("%s: %s", self._project.slug, sentence)
        self._said = sentence


def _unavailable(seconds: float) -> Unavailable:
    return Unavailable(
        "The list of releases cannot be had at the moment.",
        retry_after=max(1, round(seconds)),
    )
