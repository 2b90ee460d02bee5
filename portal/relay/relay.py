"""One upstream exchange at the client's pace, both ways, in bounded memory.

Tornado's curl client has no back-pressure of its own, so a `Relay` puts its own functions on the
curl handle: they keep at most a window of bytes and then pause libcurl, and they are paused and
continued from the event loop. What each line guards against was measured; see `portal.relay`.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import pycurl
from tornado.curl_httpclient import CurlError
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders

from portal.config.model import Limits
from portal.errors import PortalError, UpstreamFailed, UpstreamSlow
from portal.relay.buffer import Buffer, LoopBudget
from portal.relay.head import Head
from portal.relay.request_body import RequestBody
from portal.relay.stall import Watch

# One read from the upstream's socket. libcurl hands it over in pieces of 16 KiB, and keeps what is
# left of it when paused, so this too is memory that a slow client holds.
READ_BYTES = 512 << 10

# What libcurl says of a pooled connection that the upstream had closed before it was used.
_STALE_CONNECTION = (pycurl.E_GOT_NOTHING, pycurl.E_SEND_ERROR, pycurl.E_RECV_ERROR)


class Sink(Protocol):
    """Where the answer's body goes: the client's connection."""

    def write(self, data: bytes) -> asyncio.Future[None]:
        """Send `data`; done once the kernel has taken it, StreamClosedError once it cannot."""

    def unacknowledged(self) -> int:
        """Bytes that the kernel still holds for the client; a change means that it reads."""

    def close(self) -> None:
        """End the connection now."""


class Relay:
    """One exchange with the upstream: maybe an upload, then a head, then a body.

    Everything runs on the event loop that made it; no method may be called from a thread. The
    order is: `feed()` and `end()` where there is an upload, `head()`, then `pump()` or
    `discard()`. `abort()` may come at any moment, more than once, and ends the upstream's
    connection at once.
    """

    def __init__(
        self,
        client: AsyncHTTPClient,
        request: HTTPRequest,
        limits: Limits,
        upload: RequestBody | None = None,
        prepare: Callable[[pycurl.Curl], None] | None = None,
        flow: LoopBudget | None = None,
    ) -> None:
        self._limits = limits
        self._upload = upload
        self._prepare = prepare
        self._curl: pycurl.Curl | None = None
        self._head = Head()
        self._window = Buffer(flow)
        self._watch = Watch()
        self._paused = self._discarding = self._aborted = False
        self._reason: PortalError | None = None
        self._sink: Sink | None = None
        self._sent: asyncio.Future[None] | None = None
        self._broken: Exception | None = None
        self._answered = asyncio.Event()
        self._ready = asyncio.Event()
        request.prepare_curl_callback = self._set_up
        self._request = request
        self._done = client.fetch(request, raise_error=False)
        self._done.add_done_callback(self._over)

    # -- called by libcurl ---------------------------------------------------------------------

    def _set_up(self, curl: pycurl.Curl) -> None:
        if self._aborted:
            raise ConnectionAbortedError
        self._curl = curl
        # Tornado resets a handle before it is used again, so none of these outlives the exchange;
        # the owner is noted because a late callback could still meet another one's handle.
        curl.relay = self
        curl.setopt(pycurl.PROXY, "")  # or libcurl would obey the environment's
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)  # 2 buffers a window each
        curl.setopt(pycurl.BUFFERSIZE, READ_BYTES)
        curl.setopt(pycurl.HEADERFUNCTION, self._on_header)
        curl.setopt(pycurl.WRITEFUNCTION, self._on_body)
        curl.setopt(pycurl.NOPROGRESS, 0)
        curl.setopt(pycurl.XFERINFOFUNCTION, self._on_progress)
        if self._upload:
            self._upload.attach(curl, self._continue)
        if self._prepare:
            self._prepare(curl)

    def _on_header(self, line: bytes) -> int | None:
        self._watch.moved()
        if self._aborted or not self._head.add(line):
            return -1
        if self._head.status is not None:
            self._answered.set()
        return None

    def _on_body(self, data: bytes) -> int | None:
        full = self._window.full
        if self._aborted or (full and self._discarding):
            return -1
        if full:
            self._paused = True
            self._watch.rest()
            return int(pycurl.WRITEFUNC_PAUSE)
        self._window.put(data)
        self._watch.moved()
        self._ready.set()
        if self._window.ripe:
            try:
                self._write()
            except Exception as error:  # libcurl would print it; whoever pumps gets it
                self._broken = error
                return -1
        return None

    def _on_progress(self, *_: int) -> bool:
        return self._aborted  # the one callback that runs while nothing moves

    # -- the state of the transfer -------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether the upstream's side has ended, well or not."""
        return self._done.done()

    @property
    def unanswered(self) -> bool:
        """Whether it ended as a stale pooled connection does, before any byte of an answer."""
        error = self._done.exception() if self._done.done() else None
        stale = isinstance(error, CurlError) and error.errno in _STALE_CONNECTION
        return stale and not (self._head.size or self._aborted)

    def abort(self, reason: PortalError | None = None) -> None:
        """End the upstream transfer now; `reason` is what whoever waits for it gets."""
        self._aborted = True
        self._reason = self._reason or reason
        self._watch.rest()
        # libcurl looks at a transfer again when its pause changes, and then sees that the callbacks
        # fail; without this, one whose upstream sends nothing would stay for good.
        self._pause(pycurl.PAUSE_ALL, pycurl.PAUSE_CONT)

    def _over(self, done: asyncio.Future[HTTPResponse]) -> None:
        done.exception()  # raised where it is waited for
        self._watch.rest()
        self._answered.set()
        self._ready.set()
        if self._upload:
            self._upload.stop()
        # Nothing below is needed any more, and each would keep this relay, and what it holds, until
        # the handle is used again or the collector comes by.
        self._request.prepare_curl_callback = None
        if self._curl is not None and self._curl.relay is self:
            self._curl.relay = None

    def _pause(self, *masks: int) -> None:
        if self._curl is not None and self._curl.relay is self and not self.over:
            try:
                for mask in masks:
                    self._curl.pause(mask)
            except pycurl.error:
                pass  # the transfer has just ended; `_done` says how

    def _continue(self) -> None:
        """Let libcurl move whatever is not held back: its one mask is for both directions."""
        mask = pycurl.PAUSE_RECV if self._paused else 0
        if self._upload and self._upload.paused:
            mask |= pycurl.PAUSE_SEND
        self._pause(mask)

    def _too_slow(self) -> None:
        self.abort(UpstreamSlow("The upstream server takes too long.", retry_after=30))

    def _expect(self, seconds: float) -> None:
        """The upstream's turn: end the transfer when nothing comes for so long."""
        if not self.over:
            self._watch.expect(seconds, self._too_slow)

    def _check(self) -> None:
        """Raise what ended the transfer, if it did not end well."""
        if self._reason:
            raise self._reason
        try:
            self._done.result()
        except CurlError as error:
            raise _failure(error) from error
        except Exception as error:  # _set_up's own, or what libcurl says of an option
            raise UpstreamFailed("The upstream server could not be asked.") from error

    # -- called by the handlers ----------------------------------------------------------------

    async def feed(self, data: bytes) -> None:
        """Send the next piece of the upload; returns once libcurl has taken it."""
        if self._upload:
            self._expect(self._limits.upstream_stall_seconds)
            await self._upload.feed(data)
            self._watch.rest()

    def end(self) -> None:
        """Say that the upload is complete."""
        if self._upload:
            self._upload.end()

    async def head(self) -> tuple[int, HTTPHeaders]:
        """The upstream's status and headers, once they are there.

        `UpstreamSlow` when they do not come in time, `UpstreamFailed` when there are none.
        """
        self._expect(self._limits.first_byte_seconds)
        await self._answered.wait()
        self._watch.rest()
        if self._head.status is None or self._reason:
            self._check()
            raise UpstreamFailed("The upstream server sent no answer.")
        headers = self._head.headers()
        if headers is None:
            self.abort()
            raise UpstreamFailed("The upstream server sent no proper answer.")
        return self._head.status, headers

    def discard(self) -> None:
        """Let a short body end by itself, so that the connection can be used again."""
        self._discarding = True
        self._expect(self._limits.upstream_stall_seconds)
        if self._paused:
            self.abort()

    async def pump(self, sink: Sink) -> None:
        """Move the body to the client.

        Returns once all of it is in the kernel's hands; `UpstreamFailed` or `UpstreamSlow` when
        the upstream ends early, whatever `sink.write` raises when the client does.
        """
        if not self._paused:
            self._expect(self._limits.upstream_stall_seconds)
        self._sink = sink
        self._window.flowing = True
        try:
            while self._window or self._sent or not self.over:
                await self._ready.wait()
                self._ready.clear()
                if self._broken:
                    raise self._broken
                await self._turn(sink)
                if self._window or self.over:
                    self._ready.set()  # what came while a write waited must not wait for more
        finally:
            self._window.flowing = False
        self._check()

    async def _turn(self, sink: Sink) -> None:
        """What is left of a batch, and the client's turn where a write waits for it."""
        self._window.begin_turn()
        if self._window and self._sent is None:
            self._write()
        if self._sent is not None:
            with self._watch.client(self._limits.client_stall_seconds, sink):
                await self._sent
            self._sent = None
            self._window.flowing = True
        if self._paused:
            self._paused = False
            self._expect(self._limits.upstream_stall_seconds)
            self._continue()

    def _write(self) -> None:
        """Send all that waits; raises what the sink says of it."""
        if self._sink is None:
            return
        data = self._window.take()
        sent = self._sink.write(data)
        if sent.done():
            sent.result()
            self._window.went(len(data))
        else:
            self._window.waited()
            self._sent = sent


def _failure(error: CurlError) -> PortalError:
    """The sentence for what libcurl could not do; its own words stay in the log."""
    if error.errno == pycurl.E_OPERATION_TIMEDOUT:
        return UpstreamSlow("The upstream server does not answer.", retry_after=30)
    if error.errno in (pycurl.E_COULDNT_CONNECT, pycurl.E_COULDNT_RESOLVE_HOST):
        return UpstreamFailed("The upstream server cannot be reached.", retry_after=30)
    return UpstreamFailed("The connection to the upstream server broke.", retry_after=30)
