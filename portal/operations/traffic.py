"""Traffic counters: bytes relayed, failures of the upstream, refused save files."""

import asyncio
import logging
from collections import Counter
from typing import Literal

from portal.events import Traffic
from portal.gitlab.requests import FailureCause
from portal.operations.eventlog import EventLog
from portal.process.background import Background

log = logging.getLogger("portal.clients")

FLUSH_SECONDS = 2.0

# Why a save file was refused; the operator's page has a line for each.
Refusal = Literal["unreadable", "wrong_tool", "too_large", "form", "cross_site", "busy"]


class TrafficCounter(Background):
    """One process's sums; belongs to its event loop.

    They are recorded as sums every few seconds, so that their cost does not grow with the traffic.
    A process that is killed loses those of its last seconds.
    """

    def __init__(self, events: EventLog) -> None:
        self._events = events
        self._sums: Counter[str] = Counter()
        self._unreadable_said = False

    def relayed(self, count: int) -> None:
        """So many bytes went to a client."""
        self._sums["bytes"] += count

    def upstream_failed(self) -> None:
        """GitLab, or another host of assets, could not be reached, was too slow or broke off."""
        self._sums["upstream_failures"] += 1

    def listing_failed(self, cause: FailureCause) -> None:
        """GitLab gave no list of releases; there are many of these while it is away."""
        self._sums["listing_failures"] += 1
        self._sums[f"listing_failures_{cause}"] += 1

    def unreadable_client(self, header: str) -> None:
        """A trusted proxy's header had no address where the client's should be.

        The log says so once; not what was in it, which may be an address all the same.
        """
        if not self._unreadable_said:
            self._unreadable_said = True
            log.warning(
                "%s has no readable address: such clients all count as their proxy. Portals log"
                " this once; /metrics counts it.",
                header,
            )
        self._sums["unreadable_clients"] += 1

    def refused(self, reason: Refusal) -> None:
        """A tool did not take a file."""
        self._sums[f"refused_{reason}"] += 1

    async def stop(self) -> None:
        """Record what is left."""
        await super().stop()
        self._flush()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            self._flush()

    def _flush(self) -> None:
        sums, self._sums = self._sums, Counter()
        for name, amount in sums.items():
            self._events.post(Traffic(name, amount))
