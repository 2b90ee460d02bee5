"""HTTP client for Umami that tells whether a request can have arrived.

Umami has no idempotency key: what may be stored already must not be sent again. So each request has
a connection of its own. On a kept one libcurl sends a request again by itself when the other side
closes it without an answer, and nobody could say whether the first had been read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pycurl
from tornado.curl_httpclient import CurlError
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest
from tornado.httputil import HTTPHeaders

from portal.relay.curl import USER_AGENT, without_proxy

ANSWER_BYTES = 1 << 20  # of any answer
HEARTBEAT_SECONDS = 1.0
PROBE_SECONDS = 5.0
# A website that no Umami has: to name it makes Umami look into its database and store nothing.
NO_WEBSITE = "d2b1c7e4-5a0f-4e39-9c86-7f1b3a90e5d8"
SAMPLE = 200  # characters of an answer, for people
# libcurl's errors before a byte of the request has left. A timeout is not one of them: it does not
# say whether the connection stood.
_NOT_SENT = frozenset(
    {pycurl.E_COULDNT_CONNECT, pycurl.E_COULDNT_RESOLVE_HOST, pycurl.E_SSL_CONNECT_ERROR}
    | {pycurl.E_PEER_FAILED_VERIFICATION}
)


class NotSent(Exception):  # noqa: N818 - an outcome, not a fault
    """Nobody took the connection: Umami has seen nothing of the request."""


class Unanswered(Exception):  # noqa: N818
    """The request went out and no answer came: Umami may have acted on it or not."""


@dataclass(frozen=True, slots=True)
class UmamiResponse:
    """Any answer, of whatever status."""

    status: int
    headers: HTTPHeaders
    body: bytes

    def json(self) -> Any:
        """The body's value; None where it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def text(self) -> str:
        """How the body begins, in one line of printable characters."""
        text = self.body[:SAMPLE].decode("utf-8", "replace")
        return " ".join("".join(c if c.isprintable() else " " for c in text).split()) or "no reason"


class UmamiClient:
    """Asks the Umami at `url`; belongs to one event loop, as `client` does."""

    def __init__(self, url: str, client: AsyncHTTPClient) -> None:
        self.url = url
        self._client = client

    async def get(
        self, path: str, seconds: float, headers: Mapping[str, str] | None = None
    ) -> UmamiResponse:
        """The answer within so many seconds. Raises `NotSent`, `Unanswered`."""
        return await self._fetch("GET", path, None, seconds, headers or {})

    async def post(
        self, path: str, body: str, seconds: float, headers: Mapping[str, str] | None = None
    ) -> UmamiResponse:
        """The answer to a JSON body. Raises as `get` does."""
        headers = {"Content-Type": "application/json", **(headers or {})}
        return await self._fetch("POST", path, body, seconds, headers)

    async def answers(self) -> bool:
        """Whether it is up, by its heartbeat; within a second."""
        try:
            return (await self.get("/api/heartbeat", HEARTBEAT_SECONDS)).status == 200
        except (NotSent, Unanswered):
            return False

    async def reads(self) -> bool:
        """Whether it can read its database, which its heartbeat does not look at.

        It answers 400, "Website not found.", to an event of an unknown website, and 500 where it
        could not look (src/app/api/send/route.ts).
        """
        payload = {"website": NO_WEBSITE, "url": "/", "hostname": "portal"}
        body = json.dumps({"type": "event", "payload": payload})
        try:
            return (await self.post("/api/send", body, PROBE_SECONDS)).status == 400
        except (NotSent, Unanswered):
            return False

    async def _fetch(
        self, method: str, path: str, body: str | None, seconds: float, headers: Mapping[str, str]
    ) -> UmamiResponse:
        request = HTTPRequest(
            self.url + path,
            method=method,
            body=body,
            headers=HTTPHeaders({"Accept": "*/*", "Connection": "close", **headers}),
            connect_timeout=seconds,
            request_timeout=seconds,
            follow_redirects=False,
            user_agent=USER_AGENT,
            prepare_curl_callback=_prepare,
        )
        try:
            response = await self._client.fetch(request, raise_error=False)
        except CurlError as error:
            if error.errno in _NOT_SENT:
                raise NotSent(f"libcurl's error {error.errno}") from None
            raise Unanswered(f"libcurl's error {error.errno}") from None
        except (HTTPError, ValueError) as error:
            raise Unanswered(type(error).__name__) from None
        return UmamiResponse(response.code, response.headers, response.body)


def _prepare(curl: pycurl.Curl) -> None:
    curl.setopt(pycurl.FRESH_CONNECT, 1)
    curl.setopt(pycurl.FORBID_REUSE, 1)
    without_proxy(curl)
