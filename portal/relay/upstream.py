"""Asking GitLab and the hosts of assets: credentials, redirects, and where nobody is sent.

GitLab's token goes to GitLab's own origin and nowhere else. Assets may lie on other hosts, which
the configuration lists; there, the address that is really connected to is checked, since a name
can point anywhere by the time it is looked up.
"""

import base64
import logging
import math
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any
from urllib.parse import quote, urljoin

import pycurl
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httputil import HTTPHeaders

from portal.config.model import GitLab, Limits, Project
from portal.errors import PortalError, Unavailable, UpstreamFailed
from portal.http.client import Network, parse_address
from portal.http.retry_after import seconds_to_wait
from portal.relay.buffer import LoopBudget
from portal.relay.credential import Credential
from portal.relay.curl import USER_AGENT, towards_gitlab
from portal.relay.relay import Relay
from portal.relay.request_body import RequestBody

log = logging.getLogger("portal.upstream")

REDIRECTS = (301, 302, 303, 307, 308)
REDIRECT_LIMIT = 5
NO_ADMISSION_SECONDS = 300
_UNICAST = IPv6Network("2000::/3")  # all of version 6 that is public (RFC 4291, 2.4)
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
# RFC 3986's reserved and unreserved characters and the percent sign: what is in an address
# already stays as it is, and the rest (spaces, unicode) is encoded.
_ADDRESS_CHARACTERS = "%/:=&?~#+!$,;'@()*[]-._"


@dataclass(frozen=True, slots=True)
class UpstreamResponse:
    """An upstream's answer whose body is still to come through `relay`."""

    status: int
    headers: HTTPHeaders
    relay: Relay


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for an address. `own` says that it is GitLab's, and so gets the token; `page`
    that the file's own name says it is a page."""

    url: str
    own: bool
    page: bool = False


class Upstream:
    """Opens exchanges; belongs to one event loop, as its client does."""

    def __init__(
        self,
        client: AsyncHTTPClient,
        gitlab: GitLab,
        limits: Limits,
        credential: Credential | None = None,
    ) -> None:
        self._client = client
        self.credential = credential or Credential(gitlab)
        self._towards = towards_gitlab(gitlab)
        self._gitlab = gitlab
        self._limits = limits
        self._budget = LoopBudget()

    async def asset(
        self,
        url: str,
        headers: Mapping[str, str],
        opened: Callable[[Relay], None],
        route: Callable[[str], Target],
    ) -> UpstreamResponse:
        """GET an asset, following redirects; `opened` gets each relay before it is waited for.

        `route` says what is asked for an address, and raises `PortalError` where it may not be
        asked: permalinks of a release redirect to wherever its author wants. `PortalError` too when
        there is no answer, or when it is a page of GitLab's and no file.
        """
        own = True
        for _ in range(REDIRECT_LIMIT + 1):
            url = quote(url, safe=_ADDRESS_CHARACTERS)
            # Once a redirect has led away from GitLab, nothing leads back to its credentials.
            target = route(url) if own else Target(url, own=False)
            own, url = target.own, target.url
            answer = await self._get(url, headers, opened, own)
            if own and self.refuses_token(answer.status):
                answer.relay.abort()
                raise no_admission()
            if answer.status not in REDIRECTS:
                if own and not target.page and _is_page(answer):
                    answer.relay.abort()
                    raise _no_file(url)
                return answer
            answer.relay.discard()
            location = answer.headers.get("Location", "")
            if not location:
                break
            url = urljoin(url, location)
        log.warning("%s leads to too many redirects, or to none", without_query(url))
        raise UpstreamFailed("The file's address leads nowhere.", "Please tell the operator.")

    async def _get(
        self, url: str, headers: Mapping[str, str], opened: Callable[[Relay], None], own: bool
    ) -> UpstreamResponse:
        """One hop; a second try where a pooled connection turned out to be closed."""
        if own:
            headers = {**headers, **self._api_credentials()}
        else:
            self._check_host(url)
        for attempt in (1, 2):
            request = self._request(url, "GET", {"Accept-Encoding": "identity", **headers})
            prepare = self._towards if own else self._check_connection
            relay = Relay(self._client, request, self._limits, prepare=prepare, budget=self._budget)
            opened(relay)
            try:
                status, answered = await relay.head()
            except PortalError:
                if attempt == 1 and relay.unanswered:
                    continue
                raise
            return UpstreamResponse(status, answered, relay)
        raise AssertionError("unreachable")

    def refuses_token(self, status: int) -> bool:
        """Whether GitLab's answer of that status is about the token and not about what was asked.

        A 403 is, once the API has said so; a 401 always (lib/api/api_guard.rb).
        """
        if status == HTTPStatus.UNAUTHORIZED:
            self.credential.refused(self.credential.token)
        return status in (401, 403) and bool(self.credential.trouble)

    def git(
        self,
        project: Project,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: RequestBody | None = None,
    ) -> Relay:
        """Start a smart HTTP request for a project; `path` is what follows its `.git`."""
        url = f"{self._gitlab.url}/{quote(project.path)}.git{path}"
        request = self._request(url, method, {**headers, **self._git_credentials()})
        if body and body.length is None:
            request.headers["Transfer-Encoding"] = "chunked"
        return Relay(
            self._client, request, self._limits, body, prepare=self._towards, budget=self._budget
        )

    def _request(self, url: str, method: str, headers: Mapping[str, str]) -> HTTPRequest:
        return HTTPRequest(
            url,
            method=method,
            headers=HTTPHeaders(headers),
            body=b"" if method == "POST" else None,
            connect_timeout=self._limits.connect_seconds,
            request_timeout=0,  # the relay ends what stalls; a long transfer is none of that
            follow_redirects=False,
            decompress_response=False,
            user_agent=USER_AGENT,
        )

    def _api_credentials(self) -> dict[str, str]:
        token = self.credential.token
        return {"PRIVATE-TOKEN": token} if token else {}

    def _git_credentials(self) -> dict[str, str]:
        token = self.credential.token
        if not token:
            return {}
        pair = base64.b64encode(f"oauth2:{token}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}

    def _check_host(self, url: str) -> None:
        """Refuse an address whose authority is not, to the letter, one of the allowed hosts."""
        scheme, _, rest = url.partition("://")
        host = rest.partition("/")[0].lower()
        if scheme.lower() not in ("http", "https") or host not in self._gitlab.asset_hosts:
            raise refused(url, "is not on a host of gitlab.asset_hosts")

    def _check_connection(self, curl: pycurl.Curl) -> None:
        networks = self._gitlab.asset_networks

        def open_socket(_purpose: int, address: Any) -> socket.socket | int:
            if not is_allowed(address.addr[0], networks):
                log.warning("refused to connect to %s for an asset", address.addr[0])
                return int(pycurl.SOCKET_BAD)
            try:
                return _LentSocket(address.family, address.socktype, address.protocol)
            except OSError as error:  # libcurl would print it, and try to connect all the same
                log.warning("no socket for an asset: %s", error.strerror)
                return int(pycurl.SOCKET_BAD)

        curl.setopt(pycurl.OPENSOCKETFUNCTION, open_socket)


class _LentSocket(socket.socket):
    """A socket for pycurl, which duplicates its descriptor; ours is closed when let go of."""

    def __del__(self) -> None:
        if self.fileno() >= 0:  # there was a descriptor left for it
            self.close()


def is_allowed(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether an asset may be fetched from there: a public address, or one that is listed."""
    ip = parse_address(address)
    if ip is None or any(ip in network for network in networks):
        return ip is not None
    if isinstance(ip, IPv6Address):
        # A translator on the way would make an IPv4 address of it again, maybe of a private one.
        inner = ip.sixtofour or (IPv4Address(ip.packed[-4:]) if ip in _NAT64 else None)
        if inner is not None:
            return is_allowed(str(inner), networks)
        return ip in _UNICAST and ip.is_global
    return ip.is_global and not ip.is_multicast


def _is_page(answer: UpstreamResponse) -> bool:
    """Whether GitLab answered with a page: to sign in, or to warn of a redirect."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return answer.status in (200, 206) and kind in ("text/html", "application/xhtml+xml")


def _no_file(url: str) -> UpstreamFailed:
    log.warning("%s answered with a page and not with a file", without_query(url))
    return UpstreamFailed(
        "GitLab answered with a page in place of the file.", "Please tell the operator."
    )


def refused(url: str, why: str) -> UpstreamFailed:
    """Log why an address is not asked; what the visitor is told."""
    log.warning("%s %s", without_query(url), why)
    return UpstreamFailed(
        "This file lies where the portal is not allowed to ask.", "Please tell the operator."
    )


def without_query(url: str) -> str:
    """The address as it may be logged: a query can hold a signature."""
    return url.partition("?")[0]


def no_admission() -> Unavailable:
    """What to say while GitLab refuses the portal's token."""
    return Unavailable(
        "GitLab does not admit this portal at present.",
        "The operator has been told. Please try again later.",
        retry_after=NO_ADMISSION_SECONDS,
    )


def throttled(headers: HTTPHeaders) -> Unavailable:
    """What to say when the upstream answers 429 or 503, with its Retry-After or 30 seconds."""
    wait = seconds_to_wait(headers.get("Retry-After", ""))
    seconds = 30 if wait is None else max(1, math.ceil(wait))
    return Unavailable("The server behind this portal is busy.", retry_after=seconds)
