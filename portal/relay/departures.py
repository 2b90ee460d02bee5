"""Disconnect detection: polls the kernel for clients that have closed their connections.

Tornado notices a closed connection when it reads from it. It does not read while a client has sent
more than its request: one byte too many, or a request body while the upstream takes none of it.
"""

import asyncio
import select

from tornado.iostream import IOStream

POLL_SECONDS = 0.4  # so that a transfer ends within a second after its client has left


class Departures:
    """Closes connections whose clients have left, with one timer for all of them.

    Belongs to one event loop; the timer runs only while a connection is watched.
    """

    def __init__(self) -> None:
        self._streams: set[IOStream] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, stream: IOStream) -> None:
        """Close this connection soon after its client does; its handler then gets `on_close`."""
        self._streams.add(stream)
        if self._timer is None:
            self._schedule()

    def forget(self, stream: IOStream) -> None:
        """Watch it no longer."""
        self._streams.discard(stream)

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(POLL_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        self._streams = {stream for stream in self._streams if not stream.closed()}
        poll = select.poll()
        numbers = {}
        for stream in self._streams:
            number = stream.socket.fileno()
            numbers[number] = stream
            poll.register(number, select.POLLRDHUP)
        for number, _ in poll.poll(0):
            numbers[number].close()
        if self._streams:
            self._schedule()
