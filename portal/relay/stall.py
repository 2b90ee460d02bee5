"""Stall timers: ends a transfer in which one side moves nothing for too long."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol


class Stallable(Protocol):
    """A client's connection, as far as its progress goes."""

    def unacknowledged(self) -> int:
        """Bytes that the kernel still holds for the client; a change means that it reads."""

    def close(self) -> None:
        """End the connection now."""


class StallTimer:
    """One timer for one transfer, on its event loop.

    `progress()` is called for every piece and so only notes the time. When the timer runs out, it
    compares that time with the clock, and is set again for what is left.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0

    def start(self, seconds: float, expired: Callable[[], None]) -> None:
        """Call `expired` once there was no progress for so long; replaces an earlier timer."""
        self.stop()
        self._last = self._loop.time()
        self._timer = self._loop.call_later(seconds, self._look, seconds, expired)

    def progress(self) -> None:
        """Note that bytes have moved."""
        self._last = self._loop.time()

    def stop(self) -> None:
        """Expect no progress for now."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _look(self, seconds: float, expired: Callable[[], None]) -> None:
        left = self._last + seconds - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look, seconds, expired)
        else:
            self._timer = None
            expired()

    @contextmanager
    def client(self, seconds: float, sink: Stallable) -> Iterator[None]:
        """In the block: close the client's connection once the client takes nothing for so long.

        An unfinished write is not a stall: the kernel buffers megabytes for a slow client, and
        takes more only when much of them is gone. So the kernel is asked how much it still holds.
        """
        timer: asyncio.TimerHandle
        last, since = sink.unacknowledged(), self._loop.time()

        def look() -> None:
            nonlocal last, since, timer
            now, held = self._loop.time(), sink.unacknowledged()
            if held != last:
                last, since = held, now
            if now - since >= seconds:
                sink.close()
            else:
                timer = self._loop.call_later(min(seconds / 4, 5), look)

        timer = self._loop.call_later(min(seconds / 4, 5), look)
        try:
            yield
        finally:
            timer.cancel()
