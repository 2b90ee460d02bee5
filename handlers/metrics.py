"""/metrics: the operator's page, behind METRICS_TOKEN, and the same for programs."""

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
    """The dashboard. Without a token in the configuration there is no such page."""

    expires = 0
    forms = ("html", "json", "csv", "prometheus", "openmetrics")

    @property
    def private(self) -> bool:
        """The token may stand in the address, where there is one."""
        return bool(self.config.metrics_token)

    def set_default_headers(self) -> None:
        """Keep the page, and the token in its address, out of every other place."""
        super().set_default_headers()
        if not self.config.metrics_token:
            return
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Robots-Tag", "noindex, nofollow")

    def prepare(self) -> None:
        """Let only the right token through, or an address that the page has signed."""
        super().prepare()
        if not self.config.metrics_token:
            raise no_page(self.config, "/metrics")  # the answer of any name that is not there
        answer = self.door.check(self.offers(), self.query, time.time())
        if answer is not Credentials.RIGHT:
            self.refuse(answer)
        # A signed page signs no longer than it is good for itself; beside a token, nothing is said.
        signed = not any(map(self.door.is_token, self.offers()))
        self.expires = int(self.query["expires"] if signed else time.time() + LINK_SECONDS)

    @cached_property
    def door(self) -> Authenticator:
        """Who may come in."""
        return Authenticator(self.config.metrics_token)

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's fields, but the token."""
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
        """Say no; slower to a client that goes on guessing."""
        if answer is Credentials.WRONG and (wait := self.services.guesses.wrong(self.client)):
            raise TooMany("Too many wrong tokens.", retry_after=wait)
        if answer is Credentials.EXPIRED:
            raise Unauthorized("This link is no longer good.", "Open the page afresh.")
        raise Unauthorized("This page needs its token.")

    async def get(self) -> None:
        """The page, or what else was asked for."""
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
        """A field of the query that must be one of those known."""
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
        """The page, made off the loop: there is much of it."""
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
        """The page; finding the template is part of it, since the first time compiles it."""
        return self.services.templates.get_template("metrics/page.html").render(**context)

    async def everything(self, window: str) -> tuple[Dashboard, UmamiFigures, CatalogState | None]:
        """What is counted here, what Umami has, how the catalog is; none waits for another."""
        services = self.services
        return await asyncio.gather(
            services.reports.dashboard(window),
            services.analytics.share.read(),
            read_state(services.library),
        )

    def link(self, **query: str) -> str:
        """An address of this page's own, good for an hour, without the token."""
        return f"/metrics?{self.door.sign(query, self.expires)}"

    async def answer_csv(self, table: str, window: str) -> None:
        """A whole table, streamed."""
        name = f"{table}-{time.strftime('%Y-%m-%d', time.gmtime())}.csv"
        self.set_header("Content-Type", "text/csv; charset=UTF-8")
        self.set_header("Content-Disposition", f'attachment; filename="{name}"')
        await self.send_pieces(self.services.reports.csv(table, window))

    def compute_etag(self) -> str | None:
        """None: nothing here is to be kept."""
        return None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """The error, and with a 401 the challenge (RFC 6750)."""
        if isinstance(kwargs.get("exc_info", (None, None))[1], Unauthorized):
            self.set_header("WWW-Authenticate", "Bearer")
        super().write_error(status_code, **kwargs)
