"""Expiry of GitLab's token: asked at the start, once a day, and when the token has changed."""

import asyncio
import logging
from datetime import UTC, datetime
from time import monotonic

from portal.gitlab.api import Failing, GitLabApi, Withdrawn
from portal.process.background import Background
from portal.relay.credential import Credential

log = logging.getLogger("portal.gitlab")

ASK_SECONDS = 86_400.0
AGAIN_SECONDS = 300.0  # after a failure
LOOK_SECONDS = 1.0


class TokenWatch(Background):
    """Keeps `credential.info` true; belongs to one event loop."""

    def __init__(self, api: GitLabApi, credential: Credential) -> None:
        self._api = api
        self._credential = credential

    async def _run(self) -> None:
        asked, ask_at = "", 0.0
        while True:
            token = self._credential.token
            if token and (token != asked or monotonic() >= ask_at):
                asked, ask_at = token, monotonic() + await self._ask()
            await asyncio.sleep(LOOK_SECONDS)

    async def _ask(self) -> float:
        """Ask once; the seconds until the next time."""
        try:
            self._credential.info = await self._api.token_info()
        except Withdrawn:
            return ASK_SECONDS  # a GitLab before 15.5, which cannot be asked
        except Failing:
            return AGAIN_SECONDS
        days = self._credential.expires_soon(datetime.now(UTC))
        if days is not None:
            log.warning("GitLab's token expires in %d days", days)
        return ASK_SECONDS
