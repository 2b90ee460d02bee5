"""Sending one file from disk: conditions, ranges, bounded memory."""

import os
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from typing import IO
from urllib.parse import quote

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from demo.conditions import UnsatisfiableRange, byte_range, precondition

CHUNK = 256 * 1024


class FileSender(RequestHandler):
    """Mixin for a handler that answers with files; it comes before the other base classes."""

    def compute_etag(self) -> str | None:
        """None, because `send_file` sets the ETag and Tornado must not hash the sent bytes."""
        return None

    async def send_file(self, path: Path, etag: str) -> None:
        """Answer GET or HEAD with the file; `etag` in quotes."""
        stat = os.stat(path)  # noqa: PTH116 - as quick as any; the rule would have a thread
        modified = int(stat.st_mtime)
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("ETag", etag)
        self.set_header("Last-Modified", formatdate(modified, usegmt=True))
        headers = self.request.headers
        if status := precondition(headers, etag, modified):
            self.set_status(status)
            return
        try:
            wanted = byte_range(headers, etag, modified, stat.st_size)
        except UnsatisfiableRange:
            self.set_status(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.set_header("Content-Range", f"bytes */{stat.st_size}")
            return
        if wanted:
            self.set_status(HTTPStatus.PARTIAL_CONTENT)
            span = f"bytes {wanted[0]}-{wanted[-1]}/{stat.st_size}"
            self.set_header("Content-Range", span)
        wanted = range(stat.st_size) if wanted is None else wanted
        self.set_header("Content-Length", str(len(wanted)))
        await self.send_bytes(path, wanted)

    async def send_bytes(self, path: Path, wanted: range) -> None:
        """Send the body; each chunk is read after the client has taken the one before."""
        if self.request.method == "HEAD":
            return
        with path.open("rb") as file:
            file.seek(wanted.start)
            await self._copy(file, len(wanted))

    async def _copy(self, file: IO[bytes], left: int) -> None:
        while left and (chunk := file.read(min(CHUNK, left))):
            left -= len(chunk)
            self.write(chunk)
            try:
                await self.flush()
            except StreamClosedError:
                return


def attachment(name: str) -> str:
    """A Content-Disposition that saves the answer under that name (RFC 6266)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
