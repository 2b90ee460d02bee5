"""Reverse-proxy stream: one upstream exchange at the client's pace, in bounded memory.

libcurl's callbacks fill a bounded buffer and pause the transfer when it is full; `pump` writes from
it to the client and continues the transfer. `portal.relay` says why it is done so.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import pycurl
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httputil import HTTPHeaders

from portal.config.model import Limits
from portal.errors import UpstreamFailed
from portal.relay.buffer import Buffer, LoopBudget
from portal.relay.head import Head
from portal.relay.request_body import RequestBody
from portal.relay.stall import Stallable
from portal.relay.transfer import CurlTransfer


class Sink(Stallable, Protocol):
    """Where the answer's body goes: the client's connection."""

    def write(self, data: bytes) -> asyncio.Future[None]:
        """Send `data`; done once the kernel has taken it, StreamClosedError once it cannot."""


class Relay(CurlTransfer):
    """One exchange with the upstream: a request with or without a body, a head, a body.

    No method may be called from another thread than that of its event loop. The order is: `feed()`
    and `end()` where the request has a body, `head()`, then `pump()` or `discard()`. `abort()` may
    come at any moment, and ends the upstream's connection at once.
    """

    def __init__(
        self,
        client: AsyncHTTPClient,
        request: HTTPRequest,
        limits: Limits,
        body: RequestBody | None = None,
        prepare: Callable[[pycurl.Curl], None] | None = None,
        budget: LoopBudget | None = None,
    ) -> None:
        """Start the request; `prepare` sets further options on its curl handle."""
        self._limits = limits
        self._body = body
        self._prepare = prepare
        self._head = Head()
        self._buffer = Buffer(budget)
        self._paused = self._discarding = False
        self._sink: Sink | None = None
        self._sent: asyncio.Future[None] | None = None
        self._broken: Exception | None = None
        self._answered = asyncio.Event()
        self._ready = asyncio.Event()
        super().__init__(client, request)

    # -- called by libcurl ---------------------------------------------------------------------

    def _configure(self, curl: pycurl.Curl) -> None:
        if self._body:
            self._body.attach(curl, self._continue)
        if self._prepare:
            self._prepare(curl)

    def _on_header(self, line: bytes) -> int | None:
        self._stall_timer.progress()
        if self._aborted or not self._head.add(line):
            return -1
        if self._head.status is not None:
            self._answered.set()
        return None

    def _on_body(self, data: bytes) -> int | None:
        full = self._buffer.full
        if self._aborted or (full and self._discarding):
            return -1
        if full:
            self._paused = True
            self._stall_timer.stop()
            return int(pycurl.WRITEFUNC_PAUSE)
        self._buffer.put(data)
        self._stall_timer.progress()
        self._ready.set()
        if self._buffer.batch_ready:
            try:
                self._write()
            except Exception as error:  # pycurl would print it; `pump` raises it instead
                self._broken = error
                return -1
        return None

    def _paused_directions(self) -> int:
        mask = pycurl.PAUSE_RECV if self._paused else 0
        if self._body and self._body.paused:
            mask |= pycurl.PAUSE_SEND
        return int(mask)

    def _ended(self) -> None:
        self._answered.set()
        self._ready.set()
        if self._body:
            self._body.stop()

    # -- called by the handlers ----------------------------------------------------------------

    @property
    def unanswered(self) -> bool:
        """Whether it ended as a stale pooled connection does, before any byte of an answer."""
        return self._stale and not (self._head.size or self._aborted)

    async def feed(self, data: bytes) -> None:
        """Send the next piece of the request's body; returns once libcurl has taken it."""
        if self._body:
            self._expect(self._limits.upstream_stall_seconds)
            await self._body.feed(data)
            self._stall_timer.stop()

    def end(self) -> None:
        """Say that the request's body is complete."""
        if self._body:
            self._body.end()

    async def head(self) -> tuple[int, HTTPHeaders]:
        """The upstream's status and headers, once they are there.

        `UpstreamSlow` when they do not come in time, `UpstreamFailed` when there are none.
        """
        self._expect(self._limits.first_byte_seconds)
        await self._answered.wait()
        self._stall_timer.stop()
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
        self._buffer.active = True
        try:
            while self._buffer or self._sent or not self.over:
                await self._ready.wait()
                self._ready.clear()
                if self._broken:
                    raise self._broken
                await self._turn(sink)
                if self._buffer or self.over:
                    self._ready.set()  # what came while a write waited is written at once
        finally:
            self._buffer.active = False
        self._check()

    async def _turn(self, sink: Sink) -> None:
        """Write what is left of a batch, and wait for the client where the kernel takes no more."""
        self._buffer.begin_turn()
        if self._buffer and self._sent is None:
            self._write()
        if self._sent is not None:
            with self._stall_timer.client(self._limits.client_stall_seconds, sink):
                await self._sent
            self._sent = None
            self._buffer.active = True
        if self._paused:
            self._paused = False
            self._expect(self._limits.upstream_stall_seconds)
            self._continue()

    def _write(self) -> None:
        """Send all that is buffered; raises what the sink says of it."""
        if self._sink is None:
            return
        data = self._buffer.take()
        sent = self._sink.write(data)
        if sent.done():
            sent.result()
            self._buffer.wrote(len(data))
        else:
            self._buffer.blocked()
            self._sent = sent
