"""/<tool>/<upload>/download: the changed file under its own name, counted."""

import hashlib
from contextlib import suppress

from tornado.iostream import StreamClosedError

from handlers.base.handler import FILE_POLICY
from handlers.base.streaming import ClientSink, StreamingHandler
from handlers.downloads import content_disposition
from handlers.tools.base import ToolHandler
from portal.counting import classify
from portal.events import ToolUse
from portal.http.client import client_network
from portal.http.ranges import requested_part
from portal.relay.stall import StallTimer

PIECE = 256 << 10


class DownloadHandler(ToolHandler, StreamingHandler):
    """The file as it is now, or a part of it."""

    async def get(self, number: str) -> None:
        """Record it before the first byte; then send."""
        upload, content, _ = await self.current(number)
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        part = requested_part(self.asked_range(tag), len(content))
        self.set_header("Accept-Ranges", "bytes")
        if part is None:
            self.set_status(416)
            self.set_header("Content-Range", f"bytes */{len(content)}")
            self.set_header("Content-Length", "0")
            return
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", content_disposition(upload.name))
        self.set_header("Content-Security-Policy", FILE_POLICY)
        self.set_header("Content-Length", str(len(part)))
        self.set_header("ETag", tag)
        if len(part) < len(content):
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {part[0]}-{part[-1]}/{len(content)}")
        held = self.services.holding.hold(client_network(self.client))
        try:
            held.add(len(part))
            if self.counts(part, len(content)):
                await self.services.events.record(
                    ToolUse(self.tool, "download", self.ip_hash, self.user_agent)
                )
                address, details = self.pages.address, {"tool": self.tool}
                self.note("save_downloaded", details, address, self.user_agent)
            await self.send(content[part.start : part.stop])
        finally:
            held.release()

    def asked_range(self, tag: str) -> str | None:
        """The Range header, unless it is of another version of the file (RFC 9110, 13.1.5)."""
        headers = self.request.headers
        if self.request.method == "HEAD":  # which knows no ranges (14.2)
            return None
        return headers.get("Range") if headers.get("If-Range", tag) == tag else None

    def counts(self, part: range, size: int) -> bool:
        """Whether this is a download: a GET of the file, or of more than a look at its begin."""
        method = self.request.method or ""
        asked = self.request.headers.get("Range")
        return part.start == 0 and classify(method, asked, 200, size).downloads

    async def send(self, content: bytes) -> None:
        """Send it, as long as the client takes it; one that leaves is none of our errors."""
        with suppress(StreamClosedError):
            await self.flush()
            if self.request.method == "HEAD":
                return
            sink = ClientSink(self)
            with StallTimer().client(self.config.limits.client_stall_seconds, sink):
                for at in range(0, len(content), PIECE):
                    await sink.write(content[at : at + PIECE])
