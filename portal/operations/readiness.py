"""Readiness check for /readyz: the database, GitLab, the disk."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

from portal.config.model import Config
from portal.gitlab.cache import Listings
from portal.gitlab.state import GitLabState
from sql.errors import ReadError
from sql.reader import Reader
from sql.spill import waiting

LEAST_FREE = 64 << 20  # bytes: below, events and uploads soon find no room
OK = "ok"


@dataclass(frozen=True, slots=True)
class ReadinessState:
    """Each is "ok", or says in a few words what is wrong."""

    database: str
    gitlab: str
    disk: str

    @property
    def ready(self) -> bool:
        """Whether nothing is wrong."""
        return {self.database, self.gitlab, self.disk} == {OK}


class Readiness:
    """Checks what the portal depends on; belongs to one process's event loop."""

    def __init__(self, config: Config, reader: Reader, listings: Listings) -> None:
        self._config = config
        self._reader = reader
        self._listings = listings

    async def state(self) -> ReadinessState:
        """Check everything now."""
        config = self._config
        disk = await asyncio.to_thread(_disk, config.data_dir)
        gitlab = gitlab_trouble(self._listings.state()) or OK
        return ReadinessState(await self._database(), gitlab, disk)

    async def _database(self) -> str:
        try:
            await self._reader.rows("rolled_up_to")
            config = self._config
            spilled = await asyncio.to_thread(waiting, config.spill_dir, config.database)
        except ReadError:
            return "cannot be read"
        return f"cannot be written: {spilled} events wait" if spilled else OK


def gitlab_trouble(state: GitLabState) -> str:
    """What keeps files or clones of a project from being served anew; "" where nothing does."""
    if state.token_refused:
        return f"refuses the token: {state.token_refused}"
    away = [each for each in state.projects if each.state != "fresh"]
    return "; ".join(f"{each.slug} ({each.state}): {each.why}" for each in away)


def _disk(folder: Path) -> str:
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return "cannot be looked at"
    return OK if free >= LEAST_FREE else f"full: {free >> 20} MiB are free"
