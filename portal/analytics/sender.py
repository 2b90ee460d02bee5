"""What waits in the outbox goes to Umami, in order, once it is back; in one process of several.

Live events go past it, so Umami may hear of now before it hears of then; each carries its time.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from portal.analytics.circuit import Circuit
from portal.analytics.client import NotSent, UmamiClient, UmamiResponse, Unanswered
from sql.errors import OutboxError
from sql.outbox.sending import Sending

log = logging.getLogger("portal.analytics")

T = TypeVar("T")

POLL_SECONDS = 1.0
BATCH_EVENTS = 100  # Umami stores one after another, at 100 to 300 a second
BATCH_BYTES = 512 << 10
BATCH_SECONDS = 20.0
STOP_SECONDS = 5.0  # for the answer to a batch in flight
LONGEST_PAUSE = 300.0
# The batch itself is wrong, whenever it is sent. Any other 4xx is about Umami, or what stands
# before it (a wrong path, a login, a limit): the same batch may be right tomorrow.
_WRONG = (400, 413, 422)


class Sender:
    """Belongs to one event loop; `start()` it there."""

    def __init__(self, sending: Sending, client: UmamiClient, circuit: Circuit) -> None:
        self._sending = sending
        self._client = client
        self._circuit = circuit
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox-sender")
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._setbacks = 0
        self._proven = False

    def start(self) -> None:
        """Begin, with what an earlier run left."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Wait for the answer to a batch in flight, a while; without it the batch is uncertain."""
        self._stop.set()
        if self._task:
            await asyncio.wait([self._task], timeout=STOP_SECONDS)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.submit(self._sending.close)
        await asyncio.to_thread(self._thread.shutdown)

    async def _run(self) -> None:
        try:
            if abandoned := await self._surely(self._sending.abandon):
                log.warning("%d page events were in flight at the last end: uncertain", abandoned)
            while not self._stop.is_set():
                pause = await self._turn()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), pause)
        except Exception:
            log.exception("the sender of page events has failed")

    async def _turn(self) -> float:
        """Send a batch if one can be sent now; the seconds until the next turn."""
        if not self._circuit.admit():
            return POLL_SECONDS
        try:
            return await self._send_batch()
        finally:
            self._circuit.leave()

    async def _send_batch(self) -> float:
        """Take a batch, send it, and write down what became of it before any other is taken.

        The first one after a failure is one event, which shows whether that is over.
        """
        bodies = await self._take(BATCH_EVENTS if self._proven else 1)
        if not bodies:
            return POLL_SECONDS
        self._proven = False
        try:
            body = f"[{','.join(bodies)}]"
            answer = await self._client.post("/api/batch", body, BATCH_SECONDS)
        except NotSent:
            self._circuit.refused()
            await self._surely(self._sending.put_back)
            return POLL_SECONDS
        except Unanswered as error:
            return await self._uncertain(len(bodies), str(error))
        return await self._understood(answer, len(bodies))

    async def _take(self, most: int) -> list[str]:
        try:
            return await self._in_thread(lambda: self._sending.take(most, BATCH_BYTES))
        except OutboxError as error:
            log.warning("page events cannot be sent: %s", error)
            await self._surely(self._sending.put_back)  # whether it marked them is not known
            return []

    async def _understood(self, answer: UmamiResponse, count: int) -> float:
        if answer.status >= 500:
            return await self._uncertain(count, f"Umami answered {answer.status}")
        self._circuit.answered()
        if answer.status in _WRONG:
            log.warning("Umami refuses a batch of %d page events: %d", count, answer.status)
            await self._end({"refused": count})
            return 0.0
        if answer.status >= 300:
            log.warning("Umami takes no batches: it answers %d to /api/batch", answer.status)
            await self._surely(self._sending.put_back)
            return self._set_back()
        told = answer.json()
        if not isinstance(told, dict):
            return await self._uncertain(count, "what Umami answered is no answer of its")
        if errors := refused_of(told, count):
            log.warning("Umami refuses %d of %d page events", errors, count)
        await self._end({"sent": count - errors, "refused": errors})
        self._proven, self._setbacks = True, 0
        return 0.0

    async def _uncertain(self, count: int, why: str) -> float:
        log.warning("%d page events are uncertain: %s", count, why)
        self._circuit.failed()
        await self._end({"uncertain": count})
        return self._set_back()

    def _set_back(self) -> float:
        """How long to wait: twice as long each time."""
        self._setbacks += 1
        return float(min(POLL_SECONDS * 2 ** min(self._setbacks, 16), LONGEST_PAUSE))

    async def _end(self, outcomes: Mapping[str, int]) -> None:
        await self._surely(lambda: self._sending.end(outcomes))

    async def _surely(self, step: Callable[[], T]) -> T:
        """Until it is done: what is in flight must never be taken for another batch."""
        said = False
        while True:
            try:
                return await self._in_thread(step)
            except OutboxError as error:
                if not said:
                    log.warning("the outbox cannot be written: %s", error)
                said = True
                await asyncio.sleep(POLL_SECONDS)

    async def _in_thread(self, step: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, step)


def refused_of(answer: Mapping[str, object], count: int) -> int:
    """How many of so many events an answer of /api/batch says were refused."""
    errors = answer.get("errors")
    return min(errors, count) if isinstance(errors, int) and errors > 0 else 0
