"""Seeing that clients leave.

Tornado sees a closed connection when it reads from it, and it stops reading while a client has sent
more than its request: one byte too many, or an upload that nobody takes at the moment. So while a
relay runs, the kernel is asked.
"""

import asyncio
import select

from tornado.iostream import IOStream

POLL_SECONDS = 0.4  # a transfer is to end within a second of its client


class Departures:
    """Closes the connections of clients that have left; one timer for all of a process.

    Belongs to one event loop, on which it asks only while it watches something.
    """

    def __init__(self) -> None:
        self._streams: set[IOStream] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, stream: IOStream) -> None:
        """Close this connection, which its handler hears of, soon after its client does."""
        self._streams.add(stream)
        if self._timer is None:
            self._schedule()

    def forget(self, stream: IOStream) -> None:
        """Its transfer is over."""
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
