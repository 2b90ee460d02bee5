"""Request accessors: client address, origin, User-Agent, negotiated form."""

import re
from functools import cached_property, partial
from http import HTTPStatus

from tornado.web import RequestHandler

from portal.analytics import TrackerTag
from portal.config.model import Config
from portal.errors import Malformed
from portal.events import USER_AGENT_LIMIT
from portal.http.accept import Form, choose
from portal.http.client import client_address, ip_hash
from portal.services import Services

LOGGED_PATH = 500  # characters of a path
_LENGTH = re.compile(r"\d{1,19}", re.ASCII)


class ClientHandler(RequestHandler):
    """The lowest layer of every handler: it reads the request and answers nothing."""

    @property
    def services(self) -> Services:
        """The services of this process."""
        services: Services = self.settings["services"]
        return services

    @property
    def config(self) -> Config:
        """The configuration."""
        return self.services.config

    @cached_property
    def client(self) -> str:
        """The client's address, never to be written anywhere."""
        header = self.config.client_header
        return client_address(
            self.request.remote_ip or "",
            self.request.headers.get_list(header),
            self.config.trusted_proxies,
            header,
            partial(self.services.traffic.unreadable_client, header),
        )

    @property
    def ip_hash(self) -> str:
        """The client, as it is recorded."""
        return ip_hash(self.client, self.config.ip_hash_key)

    @property
    def user_agent(self) -> str:
        """The User-Agent, cut to what is recorded; read as UTF-8, bad bytes replaced."""
        sent = self.request.headers.get("User-Agent", "").encode("latin1", "replace")
        return sent.decode("utf-8", "replace")[:USER_AGENT_LIMIT]

    @property
    def origin(self) -> str:
        """The portal's address as this visitor sees it, without a trailing slash."""
        return self.config.site.url or f"{self.request.protocol}://{self.request.host}"

    @property
    def announced(self) -> int | None:
        """The announced length of the body in bytes; None without a body, or with chunks.

        Raises `Malformed`. Tornado checks this only when it reads the body, and a handler that
        streams has begun by then.
        """
        headers = self.request.headers
        length = headers.get("Content-Length")
        if length is None:
            return None
        if "Transfer-Encoding" in headers or not _LENGTH.fullmatch(length):
            raise Malformed("The length of this request cannot be told.")
        return int(length)

    @property
    def accept(self) -> str:
        """The Accept header; all of its lines, joined by commas."""
        return self.request.headers.get("Accept", "")

    # The forms of this address, as the portal prefers them; empty where there is only one.
    forms: tuple[Form, ...] = ()

    def asked_form(self, forms: tuple[Form, ...]) -> Form | None:
        """The one of `forms` that `?format=` names. Raises nothing."""
        asked = self.request.query_arguments.get("format", [b""])[-1].strip()
        return next((form for form in forms if form.encode() == asked), None)

    @cached_property
    def form(self) -> Form:
        """The form of the answer: `?format=` decides, then Accept.

        Raises `Malformed` where this address has no form of that name.
        """
        self.vary("Accept")
        if asked := self.asked_form(self.forms):
            return asked
        if name := self.get_query_argument("format", ""):
            known = ", ".join(self.forms)
            raise Malformed(f'There is no format "{name[:40]}" of this.', f"There is: {known}.")
        return choose(self.accept, self.forms)

    def vary(self, *names: str) -> None:
        """Add these headers of the request to those on which the answer depends."""
        said = [name for name in self._headers.get("Vary", "").split(", ") if name]
        self.set_header("Vary", ", ".join(dict.fromkeys([*said, *names])))

    @property
    def private(self) -> bool:
        """Whether the address, or the answer, belongs to one client."""
        return False

    @property
    def tracker(self) -> TrackerTag | None:
        """What a page gets as `tracker`, which then tells Umami its address and title.

        None on private pages, and with errors: a mistyped address may hold a secret.
        """
        public = not self.private and self.get_status() < HTTPStatus.BAD_REQUEST
        return self.services.analytics.tag if public else None

    @property
    def canonical(self) -> str | None:
        """The public address of this page; None where it is private."""
        return None if self.private else f"{self.origin}{self.request.path}"

    @property
    def logged_path(self) -> str:
        """The path as logs have it, without what must stay between the portal and its client."""
        return (self.request.path or "")[:LOGGED_PATH]

    def cross_site(self) -> bool:
        """Whether another site's page makes this browser post.

        As in Go's http.CrossOriginProtection: Sec-Fetch-Site decides; without it (old browsers,
        plain HTTP) Origin must name this host; programs send neither.
        """
        site, origin = (self.request.headers.get(n) for n in ("Sec-Fetch-Site", "Origin"))
        if site is not None:
            return site not in ("same-origin", "none")
        if origin is None or origin == self.config.site.url:
            return False
        return origin.partition("://")[2].lower() != self.request.host.lower()
