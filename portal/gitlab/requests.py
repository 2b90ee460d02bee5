"""One request to GitLab's API: what is sent, how much may come back, what an answer means."""

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import urlsplit

import pycurl
from tornado.curl_httpclient import CurlError
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders

from portal.config.model import GitLab, Limits
from portal.gitlab import decoding
from portal.gitlab.collection import paused_collection
from portal.http.retry_after import seconds_to_wait
from portal.relay.credential import Credential
from portal.relay.curl import STALE_CONNECTION, USER_AGENT, reason, towards_gitlab

log = logging.getLogger("portal.gitlab")

T = TypeVar("T")

ANSWER_SECONDS = 20.0
ANSWER_BYTES = 48 << 20  # decompressed: a hundred releases with a thousand links each are 25 MiB

_WITHDRAWN = (403, 404)
_NEXT = re.compile(r"<([^<>]*)>(?:\s*;[^,<]*)?\s*;\s*rel=\"?next\"?(?![\w-])")
_MOVED = re.compile(r"/api/v4/projects/(\d{1,18})(?=[/?]|$)")
_VISIBLE = re.compile(r"[!-~]{1,2048}")


# What an operator does about it differs: the token, the address, patience, the network, GitLab.
FailureCause = Literal["token", "banned", "throttled", "no_answer", "status", "nonsense"]
FAILURE_CAUSES: tuple[FailureCause, ...] = (
    "token",
    "banned",
    "throttled",
    "no_answer",
    "status",
    "nonsense",
)


class Withdrawn(Exception):  # noqa: N818 - an answer, not a fault
    """GitLab answered that the project is not, or no longer, for us (404, or a 403 of its own)."""


class Failing(Exception):  # noqa: N818
    """GitLab gave no usable answer; `wait` is how many seconds it asked us to wait, if it did."""

    def __init__(
        self, what: str, wait: float | None = None, cause: FailureCause = "nonsense"
    ) -> None:
        super().__init__(what)
        self.wait = wait
        self.cause = cause


class Moved(Failing):
    """The project has another path, and this number."""

    def __init__(self, path: str, number: int) -> None:
        super().__init__(f"{path} has moved", cause="status")
        self.number = number


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, as `value`; `following` is the query of the next one, None on the last.

    `digest` is of the answer's bytes: GitLab sends no ETag where a proxy takes it away.
    """

    value: T
    following: str | None
    etag: str | None
    digest: bytes


class Requests:
    """Sends them; the token goes to GitLab's own origin only, since no address is followed."""

    def __init__(
        self,
        gitlab: GitLab,
        client: AsyncHTTPClient,
        limits: Limits,
        credential: Credential | None = None,
    ) -> None:
        self._base = f"{gitlab.url}/api/v4"
        self._credential = credential or Credential(gitlab)
        self._towards = towards_gitlab(gitlab)
        self._client = client
        self._limits = limits

    async def page(
        self,
        path: str,
        query: str,
        read: Callable[[Iterator[Any]], T],
        known: Page[T] | None = None,
    ) -> Page[T]:
        """One page; `known` is returned where it has not changed, by its ETag or to the byte.

        `read` makes the value of the entries, in a thread. Raises `Withdrawn` and `Failing`, whose
        text may be logged: it holds no query and nothing of the answer.
        """
        etag = known.etag if known else None
        response, body = await self._answer(path, f"?{query}", etag)
        if response.code == 304 and known:
            return known
        digest = await asyncio.to_thread(_digest, body)
        if known and digest == known.digest:
            return known
        try:
            with paused_collection():
                value = await asyncio.to_thread(lambda: read(decoding.entries(body)))
        except decoding.NotAList as error:
            raise Failing(f"{path} answered with no list of JSON: {error}") from None
        etag = response.headers.get("ETag", "")
        following_query = following(response.headers, query)
        return Page(value, following_query, etag if _VISIBLE.fullmatch(etag) else None, digest)

    async def document(self, path: str) -> dict[str, Any]:
        """One object: a project, the token. Raises as `page` does."""
        _, body = await self._answer(path, "", None)
        return _json(path, body, dict)

    async def _answer(
        self, path: str, query: str, etag: str | None
    ) -> tuple[HTTPResponse, bytearray]:
        """A 200, or a 304 where there was an ETag to ask with."""
        token = self._credential.token
        response, body = await self._fetch(f"{self._base}{path}{query}", etag)
        if why := refusal_of_token(response.code, body):
            self._credential.refused(token, why)
            raise Failing(f"GitLab refuses the token: {why}", cause="token")
        if response.code == 403 and not body.lstrip().startswith(b"{"):
            why = f"{path} answered 403: GitLab has banned this address for a while"
            raise Failing(why, cause="banned")
        if response.code == 301 and (moved := _MOVED.search(response.headers.get("Location", ""))):
            raise Moved(path, int(moved[1]))
        if response.code in _WITHDRAWN:
            raise Withdrawn(f"{path} answered {response.code}")
        if response.code < 400:
            self._credential.accepted(token)
        if response.code != 200 and not (response.code == 304 and etag):
            cause: FailureCause = "throttled" if response.code == 429 else "status"
            raise Failing(f"{path} answered {response.code}", retry_after(response), cause)
        return response, body

    async def _fetch(self, url: str, etag: str | None) -> tuple[HTTPResponse, bytearray]:
        """The answer and its body; asked again once where a pooled connection proved closed."""
        try:
            return await self._fetch_once(url, etag)
        except CurlError as error:
            if error.errno not in STALE_CONNECTION:
                raise _no_answer(error) from None
        except (HTTPError, ValueError) as error:
            raise _no_answer(error) from None
        try:
            return await self._fetch_once(url, etag)
        except (HTTPError, ValueError) as error:
            raise _no_answer(error) from None

    async def _fetch_once(self, url: str, etag: str | None) -> tuple[HTTPResponse, bytearray]:
        body = bytearray()
        headers = HTTPHeaders({"Accept": "application/json"})
        if token := self._credential.token:
            headers["PRIVATE-TOKEN"] = token
        if etag:
            headers["If-None-Match"] = etag
        request = HTTPRequest(
            url,
            headers=headers,
            connect_timeout=min(self._limits.connect_seconds, ANSWER_SECONDS),
            request_timeout=min(self._limits.first_byte_seconds, ANSWER_SECONDS),
            follow_redirects=False,
            user_agent=USER_AGENT,
            prepare_curl_callback=_bounded(body, self._towards),
        )
        return await self._client.fetch(request, raise_error=False), body


def _bounded(
    body: bytearray, towards: Callable[[pycurl.Curl], None]
) -> Callable[[pycurl.Curl], None]:
    """Collect the (decoded) body ourselves: the client's own bound is for whole downloads."""

    def write(chunk: bytes) -> int:
        if len(body) + len(chunk) > ANSWER_BYTES:
            return 0  # less than was given: libcurl ends the transfer
        body.extend(chunk)
        return len(chunk)

    def prepare(curl: pycurl.Curl) -> None:
        curl.setopt(pycurl.WRITEFUNCTION, write)
        towards(curl)
        curl.setopt(pycurl.VERBOSE, 0)  # Tornado's debug log would hold the token

    return prepare


def _no_answer(error: Exception) -> Failing:
    if isinstance(error, CurlError):
        return Failing(reason(error), cause="no_answer")
    return Failing(f"no answer ({type(error).__name__})", cause="no_answer")


def refusal_of_token(status: int, body: bytes | bytearray) -> str:
    """Why GitLab refuses the token and not the project, in its own words; "" where it does not.

    401 always is the token's, 403 only with `insufficient_scope` (lib/api/api_guard.rb).
    """
    if status not in (401, 403):
        return ""
    try:
        said = json.loads(body[:ANSWER_BYTES])
    except (ValueError, RecursionError):
        said = None
    said = said if isinstance(said, dict) else {}
    if status == 403 and said.get("error") != "insufficient_scope":
        return ""
    why = said.get("error_description") or said.get("message") or said.get("error")
    text = why if isinstance(why, str) else f"it answered {status}"
    return "".join(c for c in text if c.isprintable())[:200]


def _digest(body: bytearray) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()


def _json(path: str, body: bytearray, kind: type[T]) -> T:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise Failing(f"{path} answered with something that is not JSON") from None
    if not isinstance(answer, kind):
        raise Failing(f"{path} answered with something that is not a {kind.__name__}")
    return answer


def following(headers: HTTPHeaders, query: str = "") -> str | None:
    """The query of the next page, from `Link: <address>; rel="next"` (RFC 8288).

    Only its query is used: the list stays where it is, so the token does too. (GitLab writes its
    external address there, which need not be the one we ask.) Where a proxy takes the long header
    away, X-Next-Page says the number, and `query` is that of this page.
    """
    if "Link" not in headers and (number := headers.get("X-Next-Page", "")).isdecimal():
        rest = [pair for pair in query.split("&") if pair and not pair.startswith("page=")]
        return "&".join([*rest, f"page={number}"])
    match = _NEXT.search(headers.get("Link", ""))
    try:
        query = urlsplit(match[1]).query if match else ""
    except ValueError:
        return None
    return query if _VISIBLE.fullmatch(query) else None


def retry_after(response: HTTPResponse) -> float | None:
    """The seconds of Retry-After (RFC 9110, 10.2.3), of a 429 or 503 only."""
    if response.code not in (429, 503):
        return None
    return seconds_to_wait(response.headers.get("Retry-After", ""))
