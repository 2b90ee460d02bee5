"""Periodic background task that updates rollups and distinct clients, in a thread."""

import asyncio
import logging
from datetime import UTC, datetime

from portal.process.background import Background
from sql.errors import UpkeepError
from sql.upkeep import Upkeep

log = logging.getLogger("portal.upkeep")

PAUSE_SECONDS = 2.0


class UpkeepTask(Background):
    """Runs `sql.upkeep` every few seconds; one process of several is enough."""

    def __init__(self, upkeep: Upkeep) -> None:
        self._upkeep = upkeep
        self._failing = False

    async def stop(self) -> None:
        """Return once the transaction that it is in is done."""
        self._upkeep.stop()
        await super().stop()

    async def _run(self) -> None:
        while True:
            # Shielded: a thread cannot be cancelled, and its connection must be closed by itself.
            await asyncio.shield(asyncio.to_thread(self._pass))
            await asyncio.sleep(PAUSE_SECONDS)

    def _pass(self) -> None:
        try:
            self._upkeep.run(datetime.now(UTC).date())
        except UpkeepError as error:
            if not self._failing:
                log.warning("%s", error)
            self._failing = True
        except Exception:
            log.exception("the background pass has failed")
        else:
            if self._failing:
                log.info("the totals are up to date again")
            self._failing = False
