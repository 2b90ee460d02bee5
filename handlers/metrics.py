"""/metrics: the operator's page, protected by METRICS_TOKEN, as HTML, JSON, CSV, Prometheus."""

import asyncio
import time
from functools import cached_property
from typing import Any, NoReturn

from handlers.base.chunks import PiecesHandler
from portal import __version__
from portal.analytics.share import KINDS, UmamiFigures
from portal.catalog.state import CatalogState, read_state
from portal.errors import Malformed, TooMany, Unauthorized
from portal.http.accept import choose
from portal.metrics import csvs
from portal.metrics.access import LINK_SECONDS, Authenticator, Credentials
from portal.metrics.dashboard import Dashboard
from portal.metrics.tables import WINDOWS
from portal.metrics.views import as_json
from portal.site.map import no_page

# What to ask of the library that writes them, whatever else the client's header holds.
EXPOSITIONS = {
    "prometheus": "text/plain;version=0.0.4",
    "openmetrics": "application/openmetrics-text;version=1.0.0",
}


class MetricsHandler(PiecesHandler):
    """The dashboard; 404 where no token is configured."""

    expires = 0
    forms = ("html", "json", "csv", "prometheus", "openmetrics")

    @property
    def private(self) -> bool:
        """Whether addresses can hold the token, and so must not be logged or sent on."""
        return bool(self.config.metrics_token)

    def set_default_headers(self) -> None:
        """Forbid caches, referrers and search engines to keep the page or its address."""
        super().set_default_headers()
        if not self.config.metrics_token:
            return
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Robots-Tag", "noindex, nofollow")

    def prepare(self) -> None:
        """Check the token, or the signature of a link that the page has made.

        Raises `Unauthorized`, `TooMany`; `NotFound` without a configured token.
        """
        super().prepare()
        if not self.config.metrics_token:
            raise no_page(self.config, "/metrics")  # the same answer as for any unknown page
        answer = self.authenticator.check(self.offers(), self.query, time.time())
        if answer is not Credentials.RIGHT:
            self.refuse(answer)
        # The links of a page that was opened by a signed link expire with that link.
        signed = not any(map(self.authenticator.is_token, self.offers()))
        self.expires = int(self.query["expires"] if signed else time.time() + LINK_SECONDS)

    @cached_property
    def authenticator(self) -> Authenticator:
        """What checks the credentials."""
        return Authenticator(self.config.metrics_token)

    @cached_property
    def query(self) -> dict[str, str]:
        """The fields of the query without the token."""
        names = self.request.query_arguments
        return {name: self.get_query_argument(name) for name in names if name != "token"}

    def offers(self) -> list[str]:
        """The tokens that the request carries."""
        scheme, _, bearer = self.request.headers.get("Authorization", "").partition(" ")
        return [
            *self.get_query_arguments("token"),
            bearer.strip() if scheme.lower() == "bearer" else "",
            self.request.headers.get("X-Metrics-Token", ""),
        ]

    def refuse(self, answer: Credentials) -> NoReturn:
        """Answer 401, or 429 to a client that goes on guessing."""
        if answer is Credentials.WRONG and (wait := self.services.guesses.wrong(self.client)):
            raise TooMany("Too many wrong tokens.", retry_after=wait)
        if answer is Credentials.EXPIRED:
            raise Unauthorized("This link is no longer good.", "Open the page afresh.")
        raise Unauthorized("This page needs its token.")

    async def get(self) -> None:
        """The page in the form that `format` or Accept asks for."""
        window = self.choice("window", WINDOWS, "30")
        if self.form == "csv":
            # A client that only says in Accept that it takes CSV gets the days.
            table = None if "format" in self.query else csvs.DAYS
            await self.answer_csv(self.choice("table", csvs.NAMES, table), window)
        elif self.form in EXPOSITIONS:
            await self.answer_exposition()
        elif self.form == "json":
            everything = await self.everything(window)
            self.set_header("Content-Type", "application/json; charset=UTF-8")
            self.finish(await asyncio.to_thread(as_json, *everything))
        else:
            await self.answer_html(window)

    def choice(self, name: str, known: Any, default: str | None) -> str:
        """A field of the query that must be one of `known`. Raises `Malformed`."""
        value = self.query.get(name, default)
        if value in known:
            return str(value)
        raise Malformed(
            f"There is no {name} {value!r}." if value else f"Which {name}?",
            f"These are: {', '.join(known)}.",
        )

    async def answer_exposition(self) -> None:
        """The metrics for a scraper; `?format=prometheus` leaves the kind of them to Accept."""
        asked = self.form == "prometheus" and choose(self.accept, ("prometheus", "openmetrics"))
        kind = EXPOSITIONS["openmetrics" if "openmetrics" in (self.form, asked) else "prometheus"]
        body, content_type = await self.services.reports.scrape(kind)
        self.set_header("Content-Type", content_type)
        self.finish(body)

    async def answer_html(self, window: str) -> None:
        """The page, rendered in a thread, since it is large."""
        dashboard, shared, tables = await self.everything(window)
        html = await asyncio.to_thread(
            self.render_template,
            dashboard=dashboard,
            windows=WINDOWS,
            link=self.link,
            shared=shared,
            tables=tables,
            umami=self.config.umami,
            kinds=KINDS,
            version=__version__,
        )
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.finish(html)

    def render_template(self, **context: Any) -> str:
        """Render the page; blocking, and at the first call the template is compiled."""
        return self.services.templates.get_template("metrics/page.html").render(**context)

    async def everything(self, window: str) -> tuple[Dashboard, UmamiFigures, CatalogState | None]:
        """The dashboard, Umami's figures and the catalog's state, read at the same time."""
        services = self.services
        return await asyncio.gather(
            services.reports.dashboard(window),
            services.analytics.share.read(),
            read_state(services.library),
        )

    def link(self, **query: str) -> str:
        """A signed link to this page, valid for an hour, without the token."""
        return f"/metrics?{self.authenticator.sign(query, self.expires)}"

    async def answer_csv(self, table: str, window: str) -> None:
        """A whole table, streamed."""
        name = f"{table}-{time.strftime('%Y-%m-%d', time.gmtime())}.csv"
        self.set_header("Content-Type", "text/csv; charset=UTF-8")
        self.set_header("Content-Disposition", f'attachment; filename="{name}"')
        await self.send_pieces(self.services.reports.csv(table, window))

    def compute_etag(self) -> str | None:
        """None, since no cache may keep this page."""
        return None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """The error; a 401 has its challenge (RFC 6750)."""
        if isinstance(kwargs.get("exc_info", (None, None))[1], Unauthorized):
            self.set_header("WWW-Authenticate", "Bearer")
        super().write_error(status_code, **kwargs)
