"""Base class of all handlers: security headers, host check, access log."""

import logging
from collections.abc import Awaitable, Mapping
from urllib.parse import unquote

from tornado.web import RequestHandler

from handlers.base.errors import FailingHandler
from portal.analytics.events import Visitor
from portal.config.model import Project
from portal.errors import Misdirected, NotFound, Speculative
from portal.http.hosts import is_ours
from portal.jsontypes import JSON
from portal.site.map import no_page
from portal.suggestions import Place, nearest

access_log = logging.getLogger("portal.access")

# The standard header, and what Safari and Firefox have sent.
SPECULATION = ("Sec-Purpose", "Purpose", "X-Moz")
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


class Handler(FailingHandler):
    """The base of all handlers; parses, calls, answers."""

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
    def logged(self) -> bool:
        """Whether the answer is worth a line in the access log."""
        return True

    @property
    def opted_out(self) -> bool:
        """Whether this visitor asks not to be counted: Do Not Track, Global Privacy Control."""
        return "1" in (self.request.headers.get("DNT"), self.request.headers.get("Sec-GPC"))

    def note(
        self,
        name: str,
        values: Mapping[str, JSON],
        url: str,
        user_agent: str,
        report: str = "",
    ) -> None:
        """Report to page analytics what this request did; does not wait for Umami.

        `url` is an address that tells nothing else. A page may report the same event under the key
        `report`: then the first of both is taken.
        """
        if not self.opted_out:
            visitor = Visitor(self.client, user_agent)
            host = self.request.host_name
            self.services.analytics.note(name, values, url, host, visitor, report)

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
