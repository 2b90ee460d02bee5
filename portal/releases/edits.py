"""When releases were edited, which GitLab's API does not say: told from one list to the next."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from portal.releases.model import Listing, Release


async def dated(
    releases: tuple[Release, ...],
    known: Iterable[Release],
    recall: Callable[[], Listing | None],
) -> tuple[Release, ...]:
    """The releases with the times of their edits; `known` is the list before.

    `recall` reads what the processes have stored: another may have seen an edit first. It is called
    in a thread, and only where something was edited.
    """
    now = datetime.now(UTC)
    found = with_edits(releases, known, now)
    if all(release.edited_at != now for release in found):
        return found
    stored = await asyncio.to_thread(recall)
    return agreed(found, stored.releases if stored else (), now)


def with_edits(
    releases: Iterable[Release], known: Iterable[Release], now: datetime
) -> tuple[Release, ...]:
    """The releases with the times of their edits: as known, or now where the content differs."""
    before = {release.version: release for release in known}

    def dated(release: Release) -> Release:
        old = before.get(release.version)
        if old is None:
            return release
        return replace(release, edited_at=old.edited_at if old.content == release.content else now)

    return tuple(map(dated, releases))


def agreed(
    releases: Iterable[Release], stored: Iterable[Release], now: datetime
) -> tuple[Release, ...]:
    """The same, with the earlier times of edits that another process has seen and stored."""
    seen = {(r.version, r.content): r.edited_at for r in stored if r.edited_at}

    def earlier(release: Release) -> Release:
        if release.edited_at != now:
            return release
        return replace(release, edited_at=seen.get((release.version, release.content), now))

    return tuple(map(earlier, releases))
