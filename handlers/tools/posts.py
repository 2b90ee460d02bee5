"""What all posts to a tool share: another site's are refused, bodies are bounded."""

from handlers.base.receiving import ReceivingHandler
from handlers.tools.base import ToolHandler
from portal.errors import Refused


class ToolPostHandler(ToolHandler, ReceivingHandler):
    """An address of a tool that takes posts."""

    def prepare(self) -> None:
        """Refuse what another site's page sends, and take in what is sent."""
        if self.request.method == "POST" and self.cross_site():
            self.refusal = Refused(
                "This was sent by a page of another site.", "Open the tool here and try again."
            )
        super().prepare()


class UploadedHandler(ToolPostHandler):
    """An address under an upload's number."""

    def cross_site(self) -> bool:
        """As everywhere, but `null` is none: that is what browsers call a page without a referrer.

        Nobody can post here who does not know the upload's number.
        """
        headers = self.request.headers
        if headers.get("Sec-Fetch-Site") is None and headers.get("Origin") == "null":
            return False
        return super().cross_site()
