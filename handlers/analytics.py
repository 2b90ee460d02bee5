"""Page analytics, first-party: the tracker, what it posts to, events that pages cannot report."""

import re
from http import HTTPStatus
from typing import Any

from handlers.base.handler import Handler
from handlers.base.receiving import ReceivingHandler
from portal.analytics import Analytics
from portal.analytics.events import Visitor
from portal.errors import PortalError, Refused, TooLarge
from portal.http.json_body import posted_json
from portal.uploads.quota import Held

BODY_LIMIT = 16 << 10  # of one event
FORM = 'Send {"type": "event", "payload": {…}}.'
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))", re.IGNORECASE)
FOR_GOOD = "public, max-age=31536000, immutable"


def routes(analytics: Analytics, collect: str) -> list[tuple[str, type[Handler]]]:
    """The addresses, which the configuration names."""
    script = analytics.tracker.name.replace(".", r"\.")
    return [
        (rf"/static/umami/{script}", TrackerHandler),
        (collect.replace(".", r"\.") + "/api/send", CollectHandler),
    ]


class TrackerHandler(Handler):
    """/static/umami/<script>: for good under the address that pages have, else to be asked for."""

    def get(self) -> None:
        """The script."""
        script = self.services.analytics.tracker.script
        current = self.get_query_argument("v", "") == script.version
        self.set_header("Cache-Control", FOR_GOOD if current else "no-cache")
        self.set_header("Content-Type", "text/javascript; charset=UTF-8")
        self.set_header("Vary", "Accept-Encoding")
        if _GZIP.search(self.request.headers.get("Accept-Encoding", "")):
            self.set_header("Content-Encoding", "gzip")
            self.finish(script.gzipped)
        else:
            self.finish(script.content)


class CollectHandler(ReceivingHandler):
    """<collect>/api/send: one event of a page of ours."""

    body_limit = BODY_LIMIT

    @property
    def logged(self) -> bool:
        """Only what is wrong: Umami lists the events, and here they would crowd out the rest."""
        return self.get_status() >= HTTPStatus.BAD_REQUEST

    def set_default_headers(self) -> None:
        """Keep the answer, which names the page's session, out of caches."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    def prepare(self) -> None:
        """Refuse what another site's page sends."""
        if self.request.method == "POST" and self.cross_site():
            self.refusal = Refused("This was sent by a page of another site.")
        super().prepare()

    def hold(self) -> Held | None:
        """None: the body is smaller than what a connection takes anyway."""
        return None

    def too_large(self) -> PortalError:
        """What to say of too large an event."""
        return TooLarge(f"An event is no larger than {BODY_LIMIT >> 10} KiB.")

    async def post(self) -> None:
        """Take the event, or tell the page to send no more."""
        body, collector = self.received(), self.services.analytics.collector
        if collector is None or self.opted_out:
            self.finish({"disabled": True})
            return
        await collector.collect(posted_json(body, FORM), Visitor(self.client, self.user_agent))
        self.finish({})

    def answer_error(self, error: PortalError) -> None:
        """As JSON: no person looks at this."""
        said: dict[str, Any] = {"error": error.sentence, "advice": error.advice}
        self.finish({**said, "status": error.status})
