"""What the operator's page shows: the daily totals, summed over the last days."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sql.reader import Reader
from sql.spill import waiting

DAYS = (30, 90)


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what it is about, and its counts in whole UTC days that end today."""

    labels: tuple[str, ...]
    days_30: int
    days_90: int
    days_all: int


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the page; `statement` is its query in `sql/queries/metrics.sql`."""

    id: str
    title: str
    caption: str
    columns: tuple[str, ...]
    statement: str
    rows: tuple[Row, ...] = ()


SECTIONS = (
    Section("downloads", "Downloads", "All projects", (), "downloads_total"),
    Section(
        "downloads-by-project",
        "Downloads by project",
        "Each release asset and source archive, once a download",
        ("project",),
        "downloads_by_project",
    ),
    Section(
        "downloads-by-version",
        "Downloads by version",
        "The hundred most downloaded",
        ("project", "version"),
        "downloads_by_version",
    ),
    Section("clones", "Clones and fetches", "All projects", (), "clones_total"),
    Section(
        "clones-by-project",
        "Clones and fetches by project",
        "Each time git asked what there is",
        ("project",),
        "clones_by_project",
    ),
)
VERDICTS = Section(
    "requests",
    "Requests for files, by what they were",
    "Only the counted are downloads; the others were seen, and why they are none",
    ("verdict",),
    "requests_by_verdict",
)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The whole page; `made_at` is aware, `today` the last UTC day of every window."""

    made_at: datetime
    today: str
    sections: tuple[Section, ...]
    verdicts: Section
    spilled: int


class Reports:
    """Reads the totals off the event loop; safe to share within one process."""

    def __init__(self, reader: Reader, database: Path, spill_dir: Path) -> None:
        self._reader = reader
        self._database = database
        self._spill_dir = spill_dir

    async def dashboard(self) -> Dashboard:
        """Everything, as it is now."""
        made_at = datetime.now(UTC)
        sections = [await self._fill(section, made_at) for section in (*SECTIONS, VERDICTS)]
        spilled = await asyncio.to_thread(waiting, self._spill_dir, self._database)
        return Dashboard(
            made_at, made_at.date().isoformat(), tuple(sections[:-1]), sections[-1], spilled
        )

    async def _fill(self, section: Section, now: datetime) -> Section:
        since = {f"since_{days}": _first_day(now, days) for days in DAYS}
        rows = await self._reader.rows(section.statement, today=_first_day(now, 1), **since)
        return replace(section, rows=tuple(_row(section, row) for row in rows))


def _row(section: Section, row: tuple[Any, ...]) -> Row:
    labels = len(section.columns)
    return Row(row[:labels], *row[labels:])


def _first_day(now: datetime, days: int) -> str:
    """The first of so many whole UTC days that end today."""
    return (now.date() - timedelta(days=days - 1)).isoformat()
