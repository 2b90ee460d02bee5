"""Umami, the page analytics that run beside the portal: whether it answers."""

import asyncio
import time

from tornado.curl_httpclient import CurlError
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest

from portal.config import UmamiConfig

ANSWER_SECONDS = 1.0
REMEMBER_SECONDS = 30.0


class Umami:
    """Asks Umami's own address, at most twice a minute; belongs to one event loop."""

    def __init__(self, config: UmamiConfig, client: AsyncHTTPClient) -> None:
        self._config = config
        self._client = client
        self._answered = False
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def answers(self) -> bool:
        """Whether it is up, by its heartbeat; within a second."""
        async with self._lock:
            if time.monotonic() - self._asked_at > REMEMBER_SECONDS:
                self._answered = await self._ask()
                self._asked_at = time.monotonic()
        return self._answered

    async def _ask(self) -> bool:
        request = HTTPRequest(
            f"{self._config.url}/api/heartbeat",
            connect_timeout=ANSWER_SECONDS,
            request_timeout=ANSWER_SECONDS,
            follow_redirects=False,
        )
        try:
            response = await self._client.fetch(request, raise_error=False)
        except (HTTPError, CurlError, ValueError):
            return False
        return response.code == 200
