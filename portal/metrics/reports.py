"""Reads the data of /metrics in threads, from one snapshot each time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from portal.errors import Unavailable
from portal.gitlab.cache import Listings
from portal.gitlab.state import GitLabState
from portal.metrics import csvs, prometheus
from portal.metrics.condition import Condition, DatabaseFiles, look
from portal.metrics.dashboard import (
    Dashboard,
    Days,
    calendars,
    clients,
    fill,
    requests,
)
from portal.metrics.tables import SECTIONS, TABLES
from portal.relay.slots import Transfers
from sql.errors import ReadError, UpkeepError
from sql.reader import Reader, Snapshot
from sql.spill import waiting
from sql.upkeep import Upkeep

T = TypeVar("T")


@contextmanager
def _readable() -> Iterator[None]:
    """Turn the database's errors into `Unavailable`."""
    try:
        yield
    except ReadError as error:
        raise Unavailable("The numbers cannot be read right now.", retry_after=60) from error


class Reports:
    """The data of /metrics for each of its forms; belongs to one event loop.

    All methods raise `Unavailable` where the database cannot be read.
    """

    def __init__(
        self,
        reader: Reader,
        upkeep: Upkeep,
        files: DatabaseFiles,
        spill_dir: Path,
        transfers: Transfers,
        listings: Listings,
    ) -> None:
        self._reader = reader
        self._upkeep = upkeep
        self._files = files
        self._spill_dir = spill_dir
        self._transfers = transfers
        self._listings = listings

    async def dashboard(self, window: str) -> Dashboard:
        """The data of the whole page as it is now; `window` is a key of `WINDOWS`."""
        now = datetime.now(UTC)
        spilled, gitlab = await self._prepare(now), self._listings.state()
        return await self._read(
            lambda snapshot: self._dashboard(snapshot, now, window, spilled, gitlab)
        )

    async def scrape(self, accept: str) -> tuple[bytes, str]:
        """The metrics for a Prometheus scraper, and their content type."""
        now = datetime.now(UTC)
        spilled, gitlab = await self._prepare(now), self._listings.state()

        def work(snapshot: Snapshot) -> tuple[bytes, str]:
            days = self._days(snapshot, now, "all")
            condition = self._condition(snapshot, now, spilled, gitlab)
            return prometheus.answer(prometheus.Source(snapshot, days, condition), accept)

        return await self._read(work)

    async def csv(self, name: str, window: str) -> AsyncIterator[str]:
        """A whole table, piece by piece, in bounded memory; `name` is one of `csvs.NAMES`."""
        now = datetime.now(UTC)
        await self._prepare(now)
        if name == csvs.DAYS:
            drawn = await self._read(
                lambda snapshot: calendars(snapshot, self._days(snapshot, now, window))
            )
            yield csvs.days(drawn)
            return
        table = TABLES[name]
        days, known = await self._read(
            lambda snapshot: (days := self._days(snapshot, now, window), clients(snapshot, days))
        )
        head = csvs.head(table)  # sent with the first rows, so that an error can still be answered
        parameters: dict[str, str | int] = {**days.parameters(table), "limit": -1}
        with _readable():
            async for rows in self._reader.batches(table.statement, parameters):
                yield head + await asyncio.to_thread(csvs.rows, table, rows, known)
                head = ""
        if head:
            yield head

    async def _read(self, work: Callable[[Snapshot], T]) -> T:
        with _readable():
            return await self._reader.read(work)

    async def _prepare(self, now: datetime) -> int:
        """Roll up the days that are over, if that is not done yet; the number of spilled events."""
        ((day,),) = await self._read(lambda snapshot: snapshot.rows("rolled_up_to"))
        if day != str(now.date()):
            with suppress(UpkeepError):  # the page says so by `behind`, the background pass logs it
                await asyncio.to_thread(self._upkeep.roll_up, now.date())
        return await asyncio.to_thread(waiting, self._spill_dir, self._files.database)

    def _dashboard(
        self, snapshot: Snapshot, now: datetime, window: str, spilled: int, gitlab: GitLabState
    ) -> Dashboard:
        days = self._days(snapshot, now, window)
        known = clients(snapshot, days)
        drawn = calendars(snapshot, days)
        return Dashboard(
            made_at=now,
            today=days.today,
            behind=days.bounds["live"] != str(days.today),
            ranked=window,
            sections=tuple(fill(snapshot, part, days, known, drawn[part.id]) for part in SECTIONS),
            requests=requests(snapshot, days),
            condition=self._condition(snapshot, now, spilled, gitlab),
        )

    def _condition(
        self, snapshot: Snapshot, now: datetime, spilled: int, gitlab: GitLabState
    ) -> Condition:
        running = self._transfers.running
        condition = look(snapshot, now, self._files, running, spilled, gitlab)
        return replace(condition, left_out=self._listings.left_out())

    def _days(self, snapshot: Snapshot, now: datetime, window: str) -> Days:
        ((live,),) = snapshot.rows("rolled_up_to")
        return Days(now.date(), live, window)
