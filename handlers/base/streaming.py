"""Streaming base of downloads and git: one relay to one client; either end closes both."""

import asyncio
import fcntl
import logging
import socket
import struct
import termios
from typing import Any

from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream, StreamClosedError

from handlers.base.handler import Handler
from portal.errors import PortalError
from portal.relay.relay import Relay

log = logging.getLogger("portal.web")


class ClientSink:
    """The client's connection, as the relay sees it."""

    def __init__(self, handler: "StreamingHandler") -> None:
        self._handler = handler
        self._stream = handler.connection_stream

    def write(self, data: bytes) -> asyncio.Future[None]:
        """Send `data`; done once the kernel has taken it."""
        self._handler.services.traffic.relayed(len(data))
        self._handler.write(data)
        return self._handler.flush()

    def unacknowledged(self) -> int:
        """Bytes that the client's machine has not acknowledged (Linux: SIOCOUTQ)."""
        if self._stream.closed():
            return 0
        answer = fcntl.ioctl(self._stream.socket, termios.TIOCOUTQ, b"\0\0\0\0")
        (count,) = struct.unpack("i", answer)
        return int(count)

    def close(self) -> None:
        """End the connection now, so that what is missing shows as missing.

        By a reset, since to HTTP/1.0 a mere end is the end of a file without a length.
        """
        if not self._stream.closed() and self._handler.unframed:
            linger = struct.pack("ii", 1, 0)
            self._stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._stream.close()


class StreamingHandler(Handler):
    """A handler whose body comes from a relay."""

    relay: Relay | None = None
    gone = False

    @property
    def connection_stream(self) -> IOStream:
        """The client's connection."""
        stream: IOStream = self.request.connection.stream  # type: ignore[union-attr]
        return stream

    @property
    def unframed(self) -> bool:
        """Whether only the connection's end says where the body ends."""
        return self.request.version == "HTTP/1.0" and "Content-Length" not in self._headers

    def compute_etag(self) -> str | None:
        """No ETag of our own: a file has its upstream's."""
        return None

    def opened(self, relay: Relay) -> None:
        """Own this relay from now on: it ends when the client leaves."""
        self.relay = relay
        self.services.departures.watch(self.connection_stream)
        if self.gone:
            relay.abort()

    def on_connection_close(self) -> None:
        """Tornado's hook: the client has left."""
        super().on_connection_close()
        self.gone = True
        self.services.departures.forget(self.connection_stream)
        if self.relay:
            self.relay.abort()

    def on_finish(self) -> None:
        """Tornado's hook: the answer is complete."""
        super().on_finish()
        self.services.departures.forget(self.connection_stream)

    def copy_headers(self, headers: HTTPHeaders, names: tuple[str, ...]) -> None:
        """Send the upstream's headers of these names on, and none of our own Content-Type."""
        self.clear_header("Content-Type")
        for name in names:
            if name in headers:
                self.set_header(name, headers[name])

    async def stream(self, relay: Relay) -> None:
        """Send the head, then the body; a broken upstream breaks the client's connection too."""
        sink = ClientSink(self)
        try:
            if self.unframed:
                # Tornado would promise to keep the connection, where HTTP/1.0 asked for that.
                self.request.headers.pop("Connection", None)
                self.set_header("Connection", "close")
            await self.flush()
            await relay.pump(sink)
            if self.unframed:
                self.connection_stream.close()
        except StreamClosedError:
            relay.abort()
        except PortalError as error:
            if not self.gone:
                log.warning("%s broke off: %s", self.request.path, error.sentence)
                self.note_failure(error)
            sink.close()
        except BaseException:
            relay.abort()
            sink.close()
            raise

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log, unless it only says that the client has left and its transfer with it."""
        if not (self.gone and isinstance(value, (PortalError, StreamClosedError))):
            super().log_exception(typ, value, tb)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """An error before the head; after it, nothing true can be said to the client."""
        if self.relay:
            self.relay.abort()
        super().write_error(status_code, **kwargs)
