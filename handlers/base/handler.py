"""What every answer shares: who asked, pages, security headers, the access log."""

import asyncio
import gzip
import logging
import re
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from tornado.web import RequestHandler

from handlers.base.errors import FailingHandler
from portal.analytics import TrackerTag
from portal.config.model import Config, Project
from portal.errors import Malformed, Misdirected, NotFound, Speculative
from portal.events import USER_AGENT_LIMIT
from portal.http.accept import takes_gzip
from portal.http.client import client_address, ip_hash
from portal.http.hosts import is_ours
from portal.site.map import no_page
from portal.suggestions import Place, nearest

access_log = logging.getLogger("portal.access")

# The standard header, and what Safari and Firefox have sent.
SPECULATION = ("Sec-Purpose", "Purpose", "X-Moz")
GZIP_LEVEL = 5  # a page of 100 KB in some 2 ms
SECURITY_HEADERS = {
    "Server": "portal",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}

# For files of others: should a browser show one all the same, nothing in it runs.
FILE_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"

_LENGTH = re.compile(r"\d{1,19}", re.ASCII)


class Handler(FailingHandler):
    """The base of all handlers; parses, calls, answers."""

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
        if not (self.any_host or is_ours(self.request.host, self.config.site.url)):
            raise Misdirected("This is not the server of that name.", f"It is {self.origin}/ here.")
        if "prerender" in self.speculation:
            self.refuse_speculation()
        return None

    @property
    def speculation(self) -> str:
        """How a browser says that nobody has asked for this yet: "prefetch" and the like, or ""."""
        headers = self.request.headers
        return " ".join(headers.get(name, "") for name in SPECULATION).strip().lower()

    def refuse_speculation(self) -> None:
        """Make the browser ask again when the page is shown, since the page counts then and only
        then (https://wicg.github.io/nav-speculation/prefetch.html). Raises `Speculative`."""
        raise Speculative("This page is sent when somebody opens it.")

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
        return self.config.site.url or f"{self.request.protocol}://{self.request.host}"

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

    def project(self, slug: str) -> Project:
        """The configured project of that slug, or `NotFound`."""
        project = self.config.project(slug)
        if project is None:
            places = [Place(p.slug, f"/downloads/{p.slug}") for p in self.config.projects]
            raise NotFound(
                f'There is no project "{slug}".',
                f"All projects are at {self.origin}/downloads",
                near=nearest(slug, places),
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
    def tracker(self) -> TrackerTag | None:
        """What to hand to a page as `tracker`, which then tells Umami its address and title.

        None on private pages, and with errors: what was mistyped may hold a secret.
        """
        public = not self.private and self.get_status() < HTTPStatus.BAD_REQUEST
        return self.services.analytics.tag if public else None

    @property
    def canonical(self) -> str | None:
        """The public address of this page; None where it is private."""
        return None if self.private else f"{self.origin}{self.request.path}"

    def rendered(self, template: str, **context: Any) -> bytes:
        """A page, made; can be called in any thread."""
        if "canonical" not in context:
            context["canonical"] = self.canonical
        context = {"tracker": self.tracker, **context}
        page = self.services.templates.get_template(template).render(**context)
        # What others wrote may hold half of a surrogate pair, which is no text.
        return page.encode("utf-8", "replace")

    def page(self, template: str, **context: Any) -> None:
        """Answer with a rendered page."""
        self.send_page(self.encoded(self.rendered(template, **context)))

    async def answer_page(self, template: str, **context: Any) -> None:
        """Answer with a page that is made off the loop, because there is much of it."""
        body = await asyncio.to_thread(lambda: self.encoded(self.rendered(template, **context)))
        self.send_page(body)

    @property
    def compresses(self) -> bool:
        """Whether the page is sent compressed, to who takes that.

        Private pages are not: how small they get could tell what is in them.
        """
        return not self.private and takes_gzip(self.request.headers.get("Accept-Encoding", ""))

    def encoded(self, html: bytes) -> bytes:
        """The body of a page; can be called in any thread."""
        return gzip.compress(html, GZIP_LEVEL, mtime=0) if self.compresses else html

    def send_page(self, body: bytes) -> None:
        """Answer with what `encoded` made, and an ETag, by which a page is asked for again."""
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        if not self.private:
            self._headers.setdefault("Cache-Control", "no-cache")
            self.vary("Accept-Encoding")
        if self.compresses:
            self.set_header("Content-Encoding", "gzip")
        self.finish(body)

    def vary(self, *names: str) -> None:
        """Say that the answer depends on these headers of the request."""
        said = [self._headers["Vary"]] if "Vary" in self._headers else []
        self.set_header("Vary", ", ".join([*said, *names]))

    def cross_site(self) -> bool:
        """Whether another site's page makes this browser post.

        As in Go's http.CrossOriginProtection: Sec-Fetch-Site decides; without it (old browsers,
        plain HTTP) Origin must name this host; no program sends either.
        """
        site, origin = (self.request.headers.get(n) for n in ("Sec-Fetch-Site", "Origin"))
        if site is not None:
            return site not in ("same-origin", "none")
        if origin is None or origin == self.config.site.url:
            return False
        return origin.partition("://")[2].lower() != self.request.host.lower()

    def head(self, *args: str) -> Awaitable[None] | None:
        """What GET answers, of which Tornado sends the headers."""
        return self.get(*args)


class NotFoundHandler(Handler):
    """Every address that nothing else answers."""

    def prepare(self) -> None:
        """Refuse, whatever the method, and say what is near."""
        raise no_page(self.config, unquote(self.request.path or ""))


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
