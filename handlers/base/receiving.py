"""Request bodies: received in pieces, limited in size and time.

Tornado drops a connection whose body is too large, and with it the answer. So what is too large is
read and thrown away, up to a larger bound, and then refused in a sentence.
"""

from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.iostream import IOStream
from tornado.web import Application, RequestHandler, stream_request_body

from handlers.base.handler import Handler
from portal.errors import PortalError, TooLarge
from portal.http.paths import without_dot_segments
from portal.http.server import BODY_LIMIT, BODY_SECONDS
from portal.relay.stall import StallTimer
from portal.uploads.quota import Held

DRAIN_LIMIT = 64 << 20  # bytes that are read so that a refusal can be heard
# The least that a client may send in a second over all of its body, after the first BODY_SECONDS.
LEAST_RATE = 32 << 10


@stream_request_body
class ReceivingHandler(Handler):
    """A handler whose POST brings up to `body_limit` bytes; `received()` gives them.

    `refusal` is an error that is known before the body is there, to be raised after it.
    """

    body_limit = 2 << 20
    refusal: PortalError | None = None
    held: Held | None = None
    stall_timer: StallTimer | None = None

    def too_large(self) -> PortalError:
        """What to say of a body beyond `body_limit`."""
        return TooLarge(f"That is more than {self.body_limit >> 20} MiB.")

    def prepare(self) -> None:
        """Decide how much may come."""
        super().prepare()
        self.size, self.body = 0, bytearray()
        if self.request.method != "POST":
            return
        announced = self.announced or 0
        if announced > self.body_limit:
            self.refusal = self.refusal or self.too_large()
        connection = self.request.connection
        connection.set_max_body_size(  # type: ignore[union-attr]
            max(announced, DRAIN_LIMIT + self.body_limit)
        )
        connection.set_body_timeout(self.body_seconds(announced))  # type: ignore[union-attr]
        waits = self.request.headers.get("Expect", "").lower() == "100-continue"
        if self.refusal and (waits or announced > DRAIN_LIMIT):
            raise self.refusal
        if self.refusal is None:
            try:
                self.held = self.hold()
            except PortalError as error:
                self.refusal = error
        self.stall_timer = StallTimer()
        self.stall_timer.start(self.config.limits.client_stall_seconds, self.client_stream.close)

    def body_seconds(self, announced: int) -> float:
        """How long the body may take as a whole; a pause has a limit of its own."""
        return BODY_SECONDS + (min(announced, DRAIN_LIMIT) or self.body_limit) / LEAST_RATE

    def hold(self) -> Held | None:
        """A share of the memory that is meant for bodies. Raises `TooMany`."""
        return self.services.holding.hold(self.client)

    @property
    def client_stream(self) -> IOStream:
        """The client's connection."""
        stream: IOStream = self.request.connection.stream  # type: ignore[union-attr]
        return stream

    def data_received(self, chunk: bytes) -> None:
        """Keep a piece, or throw it away."""
        if self.request.method != "POST" or self.stall_timer is None:
            return
        self.stall_timer.progress()
        self.size += len(chunk)
        if self.refusal is None:
            self.keep(chunk)
        if self.refusal and self.size > DRAIN_LIMIT:
            self.send_error(self.refusal.status, exc_info=(type(self.refusal), self.refusal, None))

    def keep(self, chunk: bytes) -> None:
        """Take a piece, unless that is too much."""
        try:
            if self.size > self.body_limit:
                raise self.too_large()
            if self.held:
                self.held.add(len(chunk))
            self.body += chunk
        except PortalError as error:
            self.refusal = error
            self.body.clear()

    def received(self) -> bytes:
        """The whole body, once. Raises the refusal."""
        if self.stall_timer:
            self.stall_timer.stop()
        if self.refusal:
            raise self.refusal
        body = bytes(self.body)
        self.body.clear()
        return body

    def release(self) -> None:
        """Free the memory share that the request holds."""
        if self.stall_timer:
            self.stall_timer.stop()
        if self.held:
            self.held.release()

    def on_finish(self) -> None:
        """Tornado's hook: the answer has gone out."""
        super().on_finish()
        self.release()

    def on_connection_close(self) -> None:
        """Tornado's hook: the client has left, maybe in the middle of its body."""
        super().on_connection_close()
        self.release()


class OversizeHandler(ReceivingHandler):
    """Answers 413 where Tornado would drop the connection."""

    body_limit = BODY_LIMIT

    def too_large(self) -> PortalError:
        """The error for a body that is too large."""
        return TooLarge(f"This address takes at most {BODY_LIMIT >> 10} KiB.")

    def hold(self) -> Held | None:
        """None: nothing is kept."""
        return None

    async def post(self, *_: str) -> None:
        """Refuse it."""
        self.received()


def streams(handler: type[RequestHandler]) -> bool:
    """Whether a handler takes its body piece by piece, and bounds it itself."""
    return handler.data_received is not RequestHandler.data_received


class PortalApplication(Application):
    """The application, in which a body that is too large for its handler gets an answer.

    Paths of files may hold dot segments, which apt leaves in them.
    """

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Tornado's hook: which handler a request goes to."""
        if (request.path or "").startswith("/downloads/"):
            request.path = without_dot_segments(request.path)
        return super().find_handler(request, **kwargs)

    def get_handler_delegate(
        self,
        request: HTTPServerRequest,
        target_class: type[RequestHandler],
        target_kwargs: dict[str, Any] | None = None,
        path_args: list[bytes] | None = None,
        path_kwargs: dict[str, bytes] | None = None,
    ) -> Any:
        """Tornado's hook: what a matching route leads to."""
        length = request.headers.get("Content-Length", "")
        large = length.isascii() and length.isdigit() and int(length[:19]) > BODY_LIMIT
        if large and request.method == "POST" and not streams(target_class):
            target_class, target_kwargs, path_args, path_kwargs = OversizeHandler, None, None, None
        return super().get_handler_delegate(
            request, target_class, target_kwargs, path_args, path_kwargs
        )
