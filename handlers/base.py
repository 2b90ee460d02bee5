"""What every answer shares: who asked, errors, pages, security headers, the access log."""

import logging
import re
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any

from tornado.web import HTTPError, RequestHandler, StaticFileHandler

from portal.analytics import Tag
from portal.config import Config, Project
from portal.errors import (
    Malformed,
    Misdirected,
    NotFound,
    PortalError,
    UpstreamFailed,
    UpstreamSlow,
)
from portal.events import USER_AGENT_LIMIT
from portal.hosts import is_ours
from portal.privacy import client_address, ip_hash
from portal.services import Services

log = logging.getLogger("portal.web")
access_log = logging.getLogger("portal.access")

SECURITY_HEADERS = {
    "Server": "portal",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}

# For what Tornado itself answers; everything else carries its own sentence.
SENTENCES = {
    400: ("This request cannot be understood.", "Please check the address."),
    404: ("There is no such page.", "Start from the home page."),
    405: ("This address does not take that method.", ""),
    500: ("Something went wrong in the portal.", "It has been noted; please try again."),
}


_LENGTH = re.compile(r"\d{1,19}", re.ASCII)
LOGGED_PATH = 500  # characters of a path
_NO_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)], "\N{REPLACEMENT CHARACTER}")


class Handler(RequestHandler):
    """The base of all handlers; parses, calls, answers."""

    @property
    def services(self) -> Services:
        """What this process works with."""
        services: Services = self.settings["services"]
        return services

    @property
    def config(self) -> Config:
        """What is configured."""
        return self.services.config

    any_host = False  # whether to answer whatever name was asked

    def set_default_headers(self) -> None:
        """Set what every answer carries, error pages too."""
        for name, value in SECURITY_HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> Awaitable[None] | None:
        """Count the request as running, so that a stop can wait for it.

        Raises `Misdirected` where it was sent to another's name.
        """
        self.services.running.add(self)
        if not (self.any_host or is_ours(self.request.host, self.config.site_url)):
            raise Misdirected("This is not the server of that name.", f"It is {self.origin}/ here.")
        return None

    def on_finish(self) -> None:
        """Tornado's hook: the answer has gone out."""
        self.services.running.discard(self)

    def on_connection_close(self) -> None:
        """Tornado's hook: the client has left before its answer."""
        super().on_connection_close()
        self.services.running.discard(self)

    @property
    def client(self) -> str:
        """The client's address, never to be written anywhere."""
        return client_address(
            self.request.remote_ip or "",
            self.request.headers.get_list(self.config.client_header),
            self.config.trusted_proxies,
        )

    @property
    def ip_hash(self) -> str:
        """The client, as it is recorded."""
        return ip_hash(self.client, self.config.ip_hash_key)

    @property
    def user_agent(self) -> str:
        """The client's own name for itself, cut to what is recorded; UTF-8 where it is that."""
        sent = self.request.headers.get("User-Agent", "").encode("latin1", "replace")
        return sent.decode("utf-8", "replace")[:USER_AGENT_LIMIT]

    @property
    def origin(self) -> str:
        """The portal's address as this visitor sees it, without a trailing slash."""
        return self.config.site_url or f"{self.request.protocol}://{self.request.host}"

    @property
    def announced(self) -> int | None:
        """How many bytes of body are announced; None for none, or chunks. Raises `Malformed`.

        Tornado looks at this only when it reads the body: after a handler that streams has begun.
        """
        headers = self.request.headers
        length = headers.get("Content-Length")
        if length is None:
            return None
        if "Transfer-Encoding" in headers or not _LENGTH.fullmatch(length):
            raise Malformed("The length of this request cannot be told.")
        return int(length)

    @property
    def logged(self) -> bool:
        """Whether the answer is worth a line in the access log."""
        return True

    @property
    def logged_path(self) -> str:
        """The path as logs have it, without what must stay between the portal and its client."""
        return (self.request.path or "")[:LOGGED_PATH]

    def project(self, slug: str) -> Project:
        """The configured project of that slug, or `NotFound`."""
        project = self.config.project(slug)
        if project is None:
            raise NotFound(
                f'There is no project "{slug}".', f"All projects are at {self.origin}/downloads"
            )
        return project

    def clone_url(self, slug: str) -> str:
        """What to give to `git clone`."""
        return f"{self.origin}/{slug}.git"

    @property
    def private(self) -> bool:
        """Whether the address, or the answer, is one client's own."""
        return False

    @property
    def tracker(self) -> Tag | None:
        """What to hand to a page as `tracker`, which then tells Umami its address and title.

        None on private pages, and with errors: what was mistyped may hold a secret.
        """
        public = not self.private and self.get_status() < HTTPStatus.BAD_REQUEST
        return self.services.analytics.tag if public else None

    def page(self, template: str, **context: Any) -> None:
        """Answer with a rendered page."""
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        page = self.services.templates.get_template(template)
        self.write(page.render(tracker=self.tracker, **context))

    def cross_site(self) -> bool:
        """Whether another site's page makes this browser post.

        As in Go's http.CrossOriginProtection: Sec-Fetch-Site decides; without it (old browsers,
        plain HTTP) Origin must name this host; no program sends either.
        """
        site, origin = (self.request.headers.get(n) for n in ("Sec-Fetch-Site", "Origin"))
        if site is not None:
            return site not in ("same-origin", "none")
        if origin is None or origin == self.config.site_url:
            return False
        return origin.partition("://")[2].lower() != self.request.host.lower()

    def head(self, *args: str) -> Awaitable[None] | None:
        """What GET answers, of which Tornado sends the headers."""
        return self.get(*args)

    # -- errors --------------------------------------------------------------------------------

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an error as its reader can use it: a page, JSON, or a line of text."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if not isinstance(error, PortalError):
            sentence, advice = SENTENCES.get(
                status_code, (HTTPStatus(status_code).phrase + ".", "")
            )
            error = PortalError(sentence, advice)
            error.status = status_code
        self.set_status(error.status)
        if error.retry_after is not None:
            self.set_header("Retry-After", str(error.retry_after))
        self.set_header("Cache-Control", "no-store")
        if error.status == 405:
            self.set_header("Allow", ", ".join(self.methods()))
        self.answer_error(error)

    def methods(self) -> list[str]:
        """The methods that this address takes."""
        own = [
            method
            for method in self.SUPPORTED_METHODS
            if getattr(type(self), method.lower()) is not getattr(RequestHandler, method.lower())
        ]
        return own if "GET" in own else [method for method in own if method != "HEAD"]

    def answer_error(self, error: PortalError) -> None:
        """Write the body; the status is set already."""
        accept = self.request.headers.get("Accept", "")
        if "text/html" in accept:
            self.page(
                "error.html", status=error.status, sentence=error.sentence, advice=error.advice
            )
        elif "application/json" in accept:
            self.finish({"error": error.sentence, "advice": error.advice, "status": error.status})
        else:
            self.answer_text(error)

    def answer_text(self, error: PortalError) -> None:
        """The error as lines for a terminal."""
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        # A name from the address stands in the sentence; no terminal is to obey what is in it.
        lines = [line.translate(_NO_CONTROLS) for line in (error.sentence, error.advice) if line]
        self.finish("".join(f"{line}\n" for line in lines))

    def note_failure(self, error: PortalError) -> None:
        """Count what the upstream failed at, for the operator."""
        if isinstance(error, (UpstreamFailed, UpstreamSlow)):
            self.services.traffic.upstream_failed()

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log what is ours to mend; never the request's repr, which names the client."""
        if isinstance(value, PortalError):
            self.note_failure(value)
            if value.status >= 500:
                cause = f" ({value.__cause__})" if value.__cause__ else ""
                log.warning(
                    "%s %s: %s%s", self.request.method, self.logged_path, value.sentence, cause
                )
        elif not isinstance(value, HTTPError):
            log.error("%s %s", self.request.method, self.logged_path, exc_info=(typ, value, tb))


class NotFoundHandler(Handler):
    """Every address that nothing else answers."""

    def prepare(self) -> None:
        """Refuse, whatever the method."""
        raise HTTPError(404)


class StaticHandler(StaticFileHandler, Handler):  # type: ignore[misc] # their head
    """/static: style, scripts and pictures, under addresses that change with their content."""

    def parse_url_path(self, url_path: str) -> str:
        """Tornado's hook; no file system has a name with a NUL in it."""
        if "\0" in url_path:
            raise HTTPError(404)
        return super().parse_url_path(url_path)


def log_request(handler: RequestHandler) -> None:
    """One line an answer: no client, no query."""
    if isinstance(handler, Handler) and not handler.logged:
        return
    access_log.info(
        "%.20s %s %d %.0f ms",
        handler.request.method,
        handler.logged_path if isinstance(handler, Handler) else handler.request.path,
        handler.get_status(),
        1000 * handler.request.request_time(),
    )
