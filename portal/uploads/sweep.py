"""Deleting uploaded files whose hour is over, every minute, in one process of several."""

import asyncio
import logging

from portal.errors import PortalError
from portal.process.background import Background
from portal.uploads.store import Uploads

log = logging.getLogger("portal.uploads")

PAUSE_SECONDS = 60.0


class SweepTask(Background):
    """Runs at once too: a crash may have left files."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads

    async def _run(self) -> None:
        while True:
            try:
                await asyncio.shield(self._uploads.sweep())
            except PortalError as error:
                log.warning("expired files were not deleted: %s", error.sentence)
            except Exception:
                log.exception("expired files were not deleted")
            await asyncio.sleep(PAUSE_SECONDS)
