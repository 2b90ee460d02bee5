"""One project's list of releases: refreshed in the background, kept over a restart."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic

from portal.config.model import Project
from portal.errors import NotFound, Unavailable
from portal.gitlab.api import GitLabApi
from portal.gitlab.disk import KnownProject, ListingFiles
from portal.gitlab.pause import FIRST_PAUSE, Pause
from portal.gitlab.requests import Failing, FailureCause, Withdrawn
from portal.gitlab.state import ListState, ProjectState
from portal.releases.edits import dated
from portal.releases.model import Asset, Listing, Release

log = logging.getLogger("portal.listings")

ANEW_SECONDS = 5.0  # how long a download waits for its file's checksum
HINT_SECONDS = 0.1  # between looks at what webhooks have said
WANTED_PAUSE = 0.8  # the least, where a visitor asks and there is nothing to show


class ProjectListing:
    """One project: what is known of it, and the loop that keeps it so."""

    def __init__(
        self,
        project: Project,
        api: GitLabApi,
        memory: ListingFiles,
        pause: Pause,
        failed: Callable[[FailureCause], None],
        hinted: Callable[[], int],
    ) -> None:
        """`hinted` counts the webhooks that named the project, over all processes."""
        self._hinted = hinted
        self._hints = hinted()
        self.asked = asyncio.Event()
        self._wanted = asyncio.Event()
        self._project = project
        self._api = api
        self._memory = memory
        self._remembered: tuple[Release, ...] | None = None
        self._located: tuple[int | None, str] = (None, "")
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
            raise unavailable(self._pause.silence() or self._pause.after(self._failures))
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
            known = await asyncio.to_thread(self._memory.recall, self._project)
            if known:
                self._listing = known.listing
                self._api.remember(self._project, known.number, known.path)
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
            place = self._api.place(self._project)
            changed = changed or (place.number, place.paths[0]) != self._located
            self._located = (place.number, place.paths[0])
            await asyncio.to_thread(
                self._memory.keep,
                self._project,
                KnownProject(self._listing, place.number, place.paths[0]),
                changed,
            )
            self._remembered = self._listing.releases

    def _recalled(self) -> Listing | None:
        """The list that the processes have stored; blocking."""
        known = self._memory.recall(self._project)
        return known.listing if known else None

    async def _rest(self) -> None:
        """Until the next refresh, which is sooner when somebody asks for what cannot be shown, or
        when GitLab's webhook says that something has changed."""
        pause = self._pause.after(self._failures)
        began, loop = self._hints, asyncio.get_running_loop()
        until = loop.time() + pause
        least = loop.time() + min(pause, WANTED_PAUSE)
        while (now := loop.time()) < until:
            if self._hinted() != began or (now >= least and self._wanted.is_set()):
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(min(HINT_SECONDS, until - now)):
                    await (self._wanted.wait() if now >= least else asyncio.sleep(HINT_SECONDS))
        self._hints = self._hinted()
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
            self._fresh(await dated(releases, known, self._recalled))
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


def unavailable(seconds: float) -> Unavailable:
    return Unavailable(
        "The list of releases cannot be had at the moment.",
        retry_after=max(1, round(seconds)),
    )
