"""/metrics: the operator's page, behind METRICS_TOKEN."""

import hmac
from typing import Any

from handlers.base import Handler
from portal import __version__
from portal.errors import Unauthorized


class MetricsHandler(Handler):
    """The dashboard. Without a token in the configuration there is no such page."""

    def set_default_headers(self) -> None:
        """Keep the page, and the token in its address, out of every other place."""
        super().set_default_headers()
        if not self.config.metrics_token:
            return
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Robots-Tag", "noindex, nofollow")

    def prepare(self) -> None:
        """Let only the right token through."""
        super().prepare()
        if not self.config.metrics_token:
            self.project("metrics")  # which is none: the answer of any name that is not there
        if not any(self.is_token(offer) for offer in self.offers()):
            raise Unauthorized("This page needs its token.")

    def offers(self) -> list[str]:
        """The credentials that the request carries."""
        scheme, _, bearer = self.request.headers.get("Authorization", "").partition(" ")
        return [
            *self.get_query_arguments("token"),
            bearer.strip() if scheme.lower() == "bearer" else "",
            self.request.headers.get("X-Metrics-Token", ""),
        ]

    def is_token(self, offer: str) -> bool:
        """Compare in a time that says nothing about where they differ."""
        return hmac.compare_digest(offer.encode(), self.config.metrics_token.encode())

    async def get(self) -> None:
        """The page."""
        dashboard = await self.services.reports.dashboard()
        self.page(
            "metrics.html",
            made_at=dashboard.made_at,
            today=dashboard.today,
            sections=dashboard.sections,
            verdicts=dashboard.verdicts,
            spilled=dashboard.spilled,
            version=__version__,
        )

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """The error, and with a 401 the challenge (RFC 6750)."""
        if isinstance(kwargs.get("exc_info", (None, None))[1], Unauthorized):
            self.set_header("WWW-Authenticate", "Bearer")
        super().write_error(status_code, **kwargs)
