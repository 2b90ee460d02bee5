"""Streaming of a request body to the upstream, piece by piece, with back-pressure."""

import asyncio
from collections.abc import Callable

import pycurl

# A body of at most this length is stored whole, so that libcurl can send it again when the upstream
# has closed the pooled connection. A longer body is not stored, and gets a fresh connection.
KEEP_BYTES = 1 << 20


class RequestBody:
    """The body of one request; `length` in bytes, None where it is sent in chunks.

    Belongs to one `Relay` and its event loop. `feed()` returns once libcurl has taken the piece, so
    that at most one piece is in memory, or all of a body of at most `KEEP_BYTES`.
    """

    def __init__(self, length: int | None) -> None:
        self.length = length
        self._keep = length is not None and length <= KEEP_BYTES
        self._body = bytearray()
        self._position = 0
        self._ended = False
        self._stopped = False
        self._drained = asyncio.Event()
        self._continue: Callable[[], None] = lambda: None
        self.paused = False

    def attach(self, curl: pycurl.Curl, continue_: Callable[[], None]) -> None:
        """Set the body on a curl handle; `continue_` must make libcurl read again after a pause."""
        self._continue = continue_
        curl.setopt(pycurl.POSTFIELDSIZE_LARGE, -1 if self.length is None else self.length)
        curl.setopt(pycurl.READFUNCTION, self._on_read)
        curl.setopt(pycurl.SEEKFUNCTION, self._on_seek)
        curl.setopt(pycurl.FRESH_CONNECT, not self._keep)

    def _on_read(self, size: int) -> bytes | int:
        if self._position < len(self._body):
            data = bytes(self._body[self._position : self._position + size])
            self._position += len(data)
            if self._position == len(self._body):
                self._drained.set()
            return data
        if self._ended:
            return b""
        self.paused = True
        return int(pycurl.READFUNC_PAUSE)

    def _on_seek(self, offset: int, _origin: int) -> int:
        if not self._keep:
            return int(pycurl.SEEKFUNC_FAIL)
        self._position = offset
        return int(pycurl.SEEKFUNC_OK)

    def _resume(self) -> None:
        if self.paused:
            self.paused = False
            self._continue()

    async def feed(self, data: bytes) -> None:
        """Send the next piece. Returns at once when the exchange is over."""
        if self._stopped:
            return
        if not self._keep:
            self._body.clear()
            self._position = 0
        self._body += data
        self._drained.clear()
        self._resume()
        if not self._stopped:
            await self._drained.wait()

    def end(self) -> None:
        """Say that the body is complete."""
        self._ended = True
        self._resume()

    def stop(self) -> None:
        """End it, since the exchange is over: `feed()` returns at once from now on."""
        self._stopped = True
        self._drained.set()
