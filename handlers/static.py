"""/static, and the few files that everybody looks for at fixed addresses."""

from handlers.base.handler import Handler
from portal.errors import NotFound
from portal.http.accept import takes_gzip
from portal.site.assets import StaticFile

FOR_GOOD = "public, max-age=31536000, immutable"


class StaticHandler(Handler):
    """Style, scripts and pictures: for good under the addresses that pages have."""

    asset: StaticFile | None = None

    def get(self, path: str) -> None:
        """The file."""
        asset = self.services.assets.get(path)
        if asset is None:
            raise NotFound("There is no such file.")
        current = self.get_query_argument("v", "") == asset.version
        self.set_header("Cache-Control", FOR_GOOD if current else "no-cache")
        self.set_header("Content-Type", asset.content_type)
        self.asset = asset
        if asset.gzipped:
            self.set_header("Vary", "Accept-Encoding")
        if asset.gzipped and takes_gzip(self.request.headers.get("Accept-Encoding", "")):
            self.set_header("Content-Encoding", "gzip")
            self.finish(asset.gzipped)
        else:
            self.finish(asset.content)

    def compute_etag(self) -> str | None:
        """The content's hash, and how it is encoded."""
        if self.asset is None:
            return None
        encoded = "-gzip" if "Content-Encoding" in self._headers else ""
        return f'"{self.asset.version}{encoded}"'


class WellKnownHandler(StaticHandler):
    """A file under an address that no page gives: it is asked for again each time."""

    def initialize(self, path: str) -> None:
        """Tornado's hook: the route's own argument."""
        self.path = path

    def get(self) -> None:  # type: ignore[override] # the route has no argument
        """The file."""
        super().get(self.path)
