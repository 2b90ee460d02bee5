"""Deleting uploaded files whose hour is over, every minute, in one process of several."""

import asyncio
import logging

from portal.errors import PortalError
from portal.uploads import Uploads

log = logging.getLogger("portal.uploads")

PAUSE_SECONDS = 60.0


class SweepTask:
    """Runs while the loop runs, at once too: a crash may have left files. `start()` it there."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Return once the pass that it is in is done."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await asyncio.shield(self._uploads.sweep())
            except PortalError as error:
                log.warning("expired files were not deleted: %s", error.sentence)
            except Exception:
                log.exception("expired files were not deleted")
            await asyncio.sleep(PAUSE_SECONDS)
