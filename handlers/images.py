"""/images/<project>/<version>/<name>: images in release notes, as their page shows them."""

from handlers.base.handler import FILE_POLICY
from handlers.base.streaming import StreamingHandler
from handlers.downloads import refusal
from handlers.releases import ReleasesHandler
from portal.errors import NotFound
from portal.releases.model import image_type

DAY = 86_400  # seconds; an upload's address has a secret in it and never gets other bytes
HEADERS = ("Content-Length", "Content-Range", "Accept-Ranges", "Last-Modified")


class ImageHandler(StreamingHandler, ReleasesHandler):
    """An upload that the notes show as an image.

    It is part of a page and so is no download: nothing is recorded. Its type is that of its name
    whatever the upstream says, so that nothing else can be shown from here.
    """

    async def get(self, slug: str, version: str, name: str) -> None:
        """The image, to be shown in a page."""
        project = self.project(slug)
        listing = await self.services.listings.listing(project)
        release = listing.release(version)
        image = release.image(name) if release else None
        if image is None:
            raise NotFound(
                "There is no such image in the notes of a release.",
                f"Releases are at {self.origin}/downloads/{slug}",
            )
        method = self.request.method or ""
        with self.services.transfers.acquire():
            file = await self.services.files.open(
                project, image, method, self.request.headers, self.opened
            )
            if file.status not in (200, 206, 304, 412, 416):
                raise refusal(file.status, file.headers)
            self.set_status(file.status)
            self.copy_headers(file.headers, HEADERS)
            if file.status in (412, 416):
                self.set_header("Content-Length", "0")
            self.set_header("Content-Type", image_type(name))
            self.set_header("Content-Disposition", "inline")
            self.set_header("Content-Security-Policy", FILE_POLICY)
            self.set_header("Cache-Control", f"private, max-age={DAY}")
            if file.etag is not None:
                self.set_header("ETag", file.etag)
            if method == "HEAD" or file.relay is None or file.status not in (200, 206):
                if file.relay:
                    file.relay.abort()
                await self.flush()
            else:
                await self.stream(file.relay)
