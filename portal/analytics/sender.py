"""The outbox's way to Umami: one event at a time, in order, by one process of several.

| Umami                                       | the event                                       |
|---------------------------------------------|-------------------------------------------------|
| answers 2xx with a session                  | sent                                            |
| answers 2xx with an object and no session   | ignored: it took the sender for a robot         |
| answers 400, 403, 413, 422                  | refused                                         |
| answers another 3xx or 4xx, or refuses the  | waits: nothing has looked at it                 |
| connection                                  |                                                 |
| answers 5xx, or what is no answer of its,   | uncertain: it may be stored, and Umami has no   |
| or not at all                               | key by which to ask, so it is never sent again  |

One at a time, since Umami stores the events of a batch one after another as well (`for (const data
of body)` in its src/app/api/batch/route.ts), at the same speed: and so a failure, of Umami or of
this process, makes one event uncertain and not a batch of them.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from portal.analytics.circuit import REFUSED_SECONDS, Circuit
from portal.analytics.client import NotSent, UmamiClient, UmamiResponse, Unanswered
from portal.analytics.visits import Visits
from portal.jsontypes import JSONObject
from sql.errors import OutboxError
from sql.outbox.sending import Ended, OutboxEvent, Sending

log = logging.getLogger("portal.analytics")

T = TypeVar("T")

POLL_SECONDS = 0.25  # while nothing waits
PROBE_SECONDS = 2.0  # between looks at a Umami that has failed; they store nothing
PATIENCE_SECONDS = 10.0  # for the answer to an event
RETRY_SECONDS = 1.0  # after a database of our own that could not be written
STOP_SECONDS = 5.0  # for the answer to an event in flight
NOT_NOW_SECONDS = 10.0  # after an answer that is about the way to Umami, or a limit
# An event that is handed over within so many milliseconds gets the time of Umami's clock, which has
# milliseconds. A later one carries its own, for which Umami takes whole seconds alone (`timestamp`
# is an integer there, and multiplied by 1,000).
FRESH_MS = 1000
# The event itself is wrong, or of whom Umami is told not to take any. Any other 4xx is about what
# stands before Umami (a wrong path, a login, a limit): the same event may be right tomorrow.
_REFUSED = (400, 403, 413, 422)


class Sender:
    """Belongs to one event loop; `start()` it there."""

    def __init__(self, sending: Sending, client: UmamiClient) -> None:
        self._sending = sending
        self._client = client
        self._circuit = Circuit()
        self._visits = Visits()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox-sender")
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._connected = False
        self._said = ""

    def start(self) -> None:
        """Begin, with what an earlier run left."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Wait for the answer to an event in flight, a while; without it the event is uncertain."""
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
                await self._pause(await self._turn())
        except Exception:
            log.exception("the sender of page events has failed")

    async def _turn(self) -> float:
        """Send events until none waits or Umami fails; the seconds until the next turn."""
        if not await self._reachable():
            return PROBE_SECONDS if self._circuit.open else REFUSED_SECONDS
        event = await self._take(None)
        while event is not None:
            ended, pause = await self._send(event)
            if ended is None or pause or self._stop.is_set():
                await self._put_back(ended)
                return pause
            event = await self._take(ended)
        return POLL_SECONDS

    async def _reachable(self) -> bool:
        """Look at Umami after it was away, and at the start, before an event is handed over: if
        this process is killed then, the event is uncertain even though nobody listens."""
        if self._circuit.open:
            return await self._client.reads()
        return self._connected or await self._client.answers()

    async def _send(self, event: OutboxEvent) -> tuple[Ended | None, float]:
        """How an event ended, None where it has not left; and for how long to pause."""
        document = json.loads(event.body)
        payload = document["payload"]
        token = self._visits.token(payload, event.time)
        if time.time_ns() // 1_000_000 - event.time > FRESH_MS:
            payload.setdefault("timestamp", event.time // 1000)
        headers = {"x-umami-cache": token} if token else {}
        body = json.dumps(document, separators=(",", ":"))
        try:
            answer = await self._client.post("/api/send", body, PATIENCE_SECONDS, headers)
        except NotSent as error:
            self._says(f"Umami cannot be reached: {error}")
            self._visits.forget()
            self._connected = False
            return None, REFUSED_SECONDS
        except Unanswered as error:
            return self._uncertain(event, f"no answer: {error}")
        return self._understood(answer, event, payload)

    def _understood(
        self, answer: UmamiResponse, event: OutboxEvent, payload: JSONObject
    ) -> tuple[Ended | None, float]:
        told = answer.json()
        self._connected = True
        if answer.status >= 500 or (answer.status < 300 and not isinstance(told, dict)):
            return self._uncertain(event, f"it answered {answer.status}: {answer.text()}")
        if answer.status in _REFUSED:
            self._says(f"Umami refuses page events: it answers {answer.status}")
            return Ended(event.id, "refused", f"{answer.status}: {answer.text()}"), 0.0
        if answer.status >= 300:
            self._says(f"Umami takes no page events: it answers {answer.status} to /api/send")
            return None, NOT_NOW_SECONDS
        if "sessionId" not in told:
            return Ended(event.id, "ignored", answer.text()), 0.0
        self._visits.keep(payload, event.time, told.get("cache"))
        self._circuit.stored()
        self._said = ""
        return Ended(event.id, "sent"), 0.0

    def _uncertain(self, event: OutboxEvent, why: str) -> tuple[Ended, float]:
        self._says(f"page events are uncertain: Umami has failed: {why}")
        self._visits.forget()
        return Ended(event.id, "uncertain", why), self._circuit.failed()

    async def _take(self, ended: Ended | None) -> OutboxEvent | None:
        try:
            return await self._in_thread(lambda: self._sending.take(ended))
        except OutboxError as error:
            log.warning("page events cannot be sent: %s", error)
        await self._put_back(ended)  # whether the next one was marked is not known
        return None

    async def _put_back(self, ended: Ended | None) -> None:
        await self._surely(lambda: self._sending.put_back(ended))

    async def _surely(self, step: Callable[[], T]) -> T:
        """Until it is done: what is in flight must never be taken for another event."""
        said = False
        while True:
            try:
                return await self._in_thread(step)
            except OutboxError as error:
                if not said:
                    log.warning("the outbox cannot be written: %s", error)
                said = True
                await asyncio.sleep(RETRY_SECONDS)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    def _says(self, sentence: str) -> None:
        """Log a state once, until an event is stored again."""
        if sentence != self._said:
            log.warning("%s", sentence)
        self._said = sentence

    async def _in_thread(self, step: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, step)
