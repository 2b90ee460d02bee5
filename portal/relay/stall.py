"""Ending a transfer in which one side does nothing for too long."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol


class Stallable(Protocol):
    """A client's connection, as far as its progress goes."""

    def unacknowledged(self) -> int:
        """Bytes that the kernel holds for the client."""

    def close(self) -> None:
        """End the connection now."""


class Watch:
    """One timer for one transfer, on its event loop.

    `moved()` is called for every piece and so only notes the time; the timer looks at it when it
    runs out, and goes on for what is left.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0

    def expect(self, seconds: float, expired: Callable[[], None]) -> None:
        """Call `expired` once nothing has moved for so long; replaces what was expected before."""
        self.rest()
        self._last = self._loop.time()
        self._timer = self._loop.call_later(seconds, self._look, seconds, expired)

    def moved(self) -> None:
        """Something came."""
        self._last = self._loop.time()

    def rest(self) -> None:
        """Expect nothing for now."""
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
        """While inside: close the client's connection once it takes nothing for so long.

        The kernel holds megabytes for a slow client and takes more only when much of that is gone,
        so an unfinished write is no stall; what the kernel still holds tells.
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
