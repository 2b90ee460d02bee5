"""HTTP server with load shedding: connections that ask nothing are closed when descriptors end."""

import asyncio
import logging
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate
from tornado.web import Application

log = logging.getLogger("portal.accepting")

IDLE_SECONDS = 75  # a keep-alive connection without a request, and the sending of a head
# The body of a request whose handler sets no limit of its own; it has at most BODY_LIMIT bytes.
BODY_SECONDS = 30
BODY_LIMIT = 64 << 10
# Who has just come will ask in a moment.
LEAST_AGE = 1.0
SHED_SHARE = 8  # an eighth of those that ask nothing are closed at once, and at least so many


class SheddingServer(HTTPServer):
    """Bounds the head, the body and the pauses of every request; belongs to one event loop."""

    def initialize(self, application: Application) -> None:  # type: ignore[override]
        """Tornado's way to take the arguments."""
        self._requests: dict[object, tuple[HTTP1Connection, float]] = {}
        super().initialize(
            application,
            max_body_size=BODY_LIMIT,
            body_timeout=BODY_SECONDS,
            idle_connection_timeout=IDLE_SECONDS,
        )

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Tornado's hook: a connection waits for its next head from now on."""
        now = asyncio.get_running_loop().time()
        self._requests.pop(server_conn, None)  # the order is that of the wait
        self._requests[server_conn] = cast(HTTP1Connection, request_conn), now
        return super().start_request(server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        """Tornado's hook: a connection has ended."""
        self._requests.pop(server_conn, None)
        super().on_close(server_conn)

    def shed(self) -> int:
        """Close those that have waited longest for a head, then for a body; how many."""
        before = asyncio.get_running_loop().time() - LEAST_AGE
        old = [request for request, since in self._requests.values() if since < before]
        # Tornado has no public name for how far a request has come.
        silent = [r for r in old if r._request_start_line is None]
        slow = [r for r in old if r._request_start_line and not r._read_finished]
        chosen = (silent or slow)[: max(SHED_SHARE, len(silent or slow) // SHED_SHARE)]
        for request in chosen:
            request.close()
        return len(chosen)
