"""A request body on its way to the upstream, fed piece by piece."""

import asyncio
from collections.abc import Callable

import pycurl

# A body that is kept whole can be sent again, so it may go over a pooled connection that the
# upstream has silently closed. A longer one gets a fresh connection and is never kept.
KEEP_BYTES = 1 << 20


class RequestBody:
    """The body of one request; `length` in bytes, None where it comes chunked.

    Belongs to one `Relay` and its event loop. `feed()` returns once libcurl has taken the piece,
    so at most one piece is held, besides what is kept of a short body.
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
        """Put this body on the handle; `continue_` makes libcurl ask for more."""
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
        """Send the next piece; returns at once where the exchange is over."""
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
        """The exchange is over: nothing more is taken, and nobody waits."""
        self._stopped = True
        self._drained.set()
