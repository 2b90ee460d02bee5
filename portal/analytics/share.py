"""Page views and visitors, read through Umami's share page: its API answers whoever knows it."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

from portal.analytics.client import NotSent, UmamiClient, Unanswered
from portal.config.model import UmamiConfig

ANSWER_SECONDS = 3.0
PATIENCE = 0.5  # seconds that the operator's page waits for all of it
REMEMBER_SECONDS = 60.0
WINDOWS = (30, 90)  # days
TOP = 10
# How the page calls what Umami calls a type.
KINDS = {"referrers": "referrer", "browsers": "browser", "devices": "device"}
# Umami cuts to the millisecond what has happened just now.
AHEAD_SECONDS = 60
# What an answer that is not as Umami's makes of the code that reads it.
STRANGE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)

Names = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PeriodFigures:
    """So many days: views, distinct visitors, and of each of KINDS the top names with visitors."""

    views: int
    visitors: int
    tops: Mapping[str, Names]


@dataclass(frozen=True, slots=True)
class PageFigures:
    """The last 30 and 90 days, by days; whole UTC days that end today."""

    windows: Mapping[int, PeriodFigures]

    def lines(self, kind: str) -> list[tuple[str, int | None, int | None]]:
        """The names of a kind with their visitors in both windows; None where not in the top."""
        short, long = (dict(self.windows[days].tops[kind]) for days in WINDOWS)
        return [(name, short.get(name), long.get(name)) for name in {**long, **short}]


@dataclass(frozen=True, slots=True)
class UmamiFigures:
    """What the operator's page has of Umami: whether it answers, and the figures of its share page;
    without these `why` says in a few words why there are none."""

    up: bool = False
    figures: PageFigures | None = None
    why: str = ""


class Share:
    """Asks at most once a minute while Umami answers; belongs to one event loop."""

    def __init__(self, config: UmamiConfig, client: UmamiClient) -> None:
        self._config = config
        self._client = client
        self._known = UmamiFigures()
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    async def read(self) -> UmamiFigures:
        """What is known, asked for anew where that is old; within half a second, whatever Umami
        does. What comes later is there for the next page."""
        if not self._config.share:
            return self._known
        if self._asking is None and time.monotonic() - self._asked_at > REMEMBER_SECONDS:
            self._known = UmamiFigures()
            self._asking = asyncio.get_running_loop().create_task(self._ask())
        if self._asking:
            await asyncio.wait([self._asking], timeout=PATIENCE)
        return self._known

    async def stop(self) -> None:
        """End what is being asked."""
        if self._asking:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self) -> None:
        try:
            if not await self._client.answers():
                return  # and the next page looks for it again
            self._known = UmamiFigures(True, None, "Umami has not sent them yet")
            try:
                self._known = UmamiFigures(True, await self.figures())
            except (NotSent, Unanswered):
                self._known = UmamiFigures(True, None, "Umami gave no answer")
            except STRANGE as error:
                self._known = UmamiFigures(
                    True, None, f"Umami's answer was not understood: {error}"
                )
            self._asked_at = time.monotonic()
        finally:
            self._asking = None

    async def figures(self) -> PageFigures:
        """What the share page tells now.

        Raises `NotSent` and `Unanswered`, and one of STRANGE where the answer is not as Umami's is.
        """
        if not self._config.share_slug:
            raise ValueError("the share path names no share page")
        shared = await self._json(f"/api/share/{quote(self._config.share_slug)}", {})
        website = quote(str(shared.get("websiteId") or self._config.website))
        headers = {"x-umami-share-token": str(shared["token"]), "x-umami-share-context": "1"}
        now = datetime.now(UTC)
        windows = await asyncio.gather(
            *(self._window(website, headers, span(now, days)) for days in WINDOWS)
        )
        return PageFigures(dict(zip(WINDOWS, windows, strict=True)))

    async def _window(
        self, website: str, headers: Mapping[str, str], between: str
    ) -> PeriodFigures:
        base = f"/api/websites/{website}"
        stats, *tops = await asyncio.gather(
            self._json(f"{base}/stats?{between}", headers),
            *(
                self._json(f"{base}/metrics?type={kind}&limit={TOP}&{between}", headers)
                for kind in KINDS.values()
            ),
        )
        named = dict(zip(KINDS, map(_names, tops), strict=True))
        return PeriodFigures(_figure(stats["pageviews"]), _figure(stats["visitors"]), named)

    async def _json(self, path: str, headers: Mapping[str, str]) -> Any:
        answer = await self._client.get(path, ANSWER_SECONDS, headers)
        if answer.status != 200:
            raise ValueError(f"{answer.status}")
        return answer.json()


def span(now: datetime, days: int) -> str:
    """The query for so many days, the last of which is today, in milliseconds."""
    first = date.fromordinal(now.toordinal() - days + 1)
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp())
    return f"startAt={1000 * start}&endAt={1000 * (int(now.timestamp()) + AHEAD_SECONDS)}"


def _figure(value: Any) -> int:
    """A number (Umami 3), or one with that of the time before beside it (Umami 2)."""
    return int(value["value"] if isinstance(value, dict) else value)


def _names(rows: Any) -> Names:
    """Umami has no name for those who came without one."""
    return tuple((str(row["x"] or ""), int(row["y"])) for row in rows[:TOP])
