"""Whether to ask Umami at all: known to be away, it costs nobody a connection or a timeout."""

import asyncio
from collections.abc import Awaitable, Callable

MOST_AT_ONCE = 32  # Umami answers the slower the more it is asked at once
PROBE_SECONDS = 1.0
LONGEST_PAUSE = 60.0


class Circuit:
    """What this process has seen of Umami; belongs to its event loop.

    After a request that was refused, or failed, nobody is admitted until the heartbeat answers.
    That does not show that events are stored: so after a failure one request at a time is admitted
    until one is answered, and the next pause is twice as long.
    """

    def __init__(self, heartbeat: Callable[[], Awaitable[bool]]) -> None:
        self._heartbeat = heartbeat
        self._running = 0
        self._failures = 0
        self._probe: asyncio.Task[None] | None = None

    @property
    def suspicious(self) -> bool:
        """Whether the last request that was admitted failed."""
        return self._failures > 0

    def admit(self) -> bool:
        """Whether a request may be made now; whoever is admitted says how it ended, and leaves."""
        if self._probe or self._running >= (1 if self.suspicious else MOST_AT_ONCE):
            return False
        self._running += 1
        return True

    def leave(self) -> None:
        """The request is over, or was not made after all."""
        self._running -= 1

    def answered(self) -> None:
        """It had an answer that is one."""
        self._failures = 0

    def refused(self) -> None:
        """Nobody took the connection."""
        self._open(PROBE_SECONDS)

    def failed(self) -> None:
        """It had no answer, or one that says that Umami has failed."""
        if self._probe is None:  # else it failed together with the one that is counted
            self._failures += 1
            self._open(min(PROBE_SECONDS * 2 ** min(self._failures - 1, 10), LONGEST_PAUSE))

    async def stop(self) -> None:
        """End the probe."""
        if self._probe:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)

    def _open(self, pause: float) -> None:
        if self._probe is None:
            self._probe = asyncio.get_running_loop().create_task(self._wait(pause))

    async def _wait(self, pause: float) -> None:
        """Until Umami's heartbeat answers."""
        await asyncio.sleep(pause)
        while True:
            if await self._heartbeat():
                break
            await asyncio.sleep(PROBE_SECONDS)
        self._probe = None
