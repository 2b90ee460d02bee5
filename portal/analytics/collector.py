"""The way of an event: straight to Umami, or into the outbox while it is away.

| Umami                                 | the event            | the page gets     |
|---------------------------------------|----------------------|-------------------|
| answers 2xx with an object            | is stored            | that answer       |
| answers 4xx                           | refused, counted     | {}                |
| answers 5xx, anything else, or not    | uncertain, counted   | {}                |
| within 2 s                            |                      |                   |
| refuses the connection, or is as busy | waits in the outbox  | {}, once it is    |
| as it may be, or is known to be away  |                      | committed         |

What is uncertain is not sent again: it may be stored already.
"""

import logging
import re
import time
from collections.abc import Mapping

from portal.analytics.circuit import Circuit
from portal.analytics.client import NotSent, UmamiClient, UmamiResponse, Unanswered
from portal.analytics.events import PageEvent, Visitor
from portal.analytics.payload import clean
from portal.jsontypes import JSON, JSONObject
from sql.outbox.writing import Outbox

log = logging.getLogger("portal.analytics")

ANSWER_SECONDS = 2.0
# A JWT that names the page's session, so that Umami need not look for it.
_CACHE = re.compile(r"[A-Za-z0-9_.-]{1,2048}")
# What the tracker, or whoever looks at it, understands of an answer.
_TOLD = ("cache", "sessionId", "visitId", "disabled", "beep")


class Collector:
    """One process's; belongs to its event loop. `key` makes the pseudonyms."""

    def __init__(
        self, website: str, key: bytes, client: UmamiClient, circuit: Circuit, outbox: Outbox
    ) -> None:
        self._website = website
        self._key = key
        self._client = client
        self._circuit = circuit
        self._outbox = outbox
        self._refused_with = 0

    async def collect(self, document: JSONObject, visitor: Visitor, cache: str) -> JSONObject:
        """Take what a page posted; what to answer it. `cache` is of the last answer, or "".

        Raises `Malformed`.
        """
        event = clean(document, self._website).by(visitor, self._key)
        if self._circuit.admit():
            try:
                return await self._send(event, cache)
            except NotSent:
                self._circuit.refused()
            finally:
                self._circuit.leave()
        now = int(time.time())
        await self._outbox.put(now, event.at(now))
        return {}

    def note(
        self, name: str, values: Mapping[str, JSON], url: str, host: str, visitor: Visitor
    ) -> None:
        """Report what no page can: through the outbox, and without waiting for anything."""
        payload = {"website": self._website, "hostname": host, "url": url, "name": name}
        document: JSONObject = {"type": "event", "payload": {**payload, "data": dict(values)}}
        now = int(time.time())
        self._outbox.post(now, clean(document, self._website).by(visitor, self._key).at(now))

    async def _send(self, event: PageEvent, cache: str) -> JSONObject:
        """Raises `NotSent`."""
        headers = {"x-umami-cache": cache} if _CACHE.fullmatch(cache) else {}
        try:
            answer = await self._client.post("/api/send", event.now(), ANSWER_SECONDS, headers)
        except Unanswered:
            self._circuit.failed()
            self._outbox.ended("uncertain")
            return {}
        return self._understood(answer)

    def _understood(self, answer: UmamiResponse) -> JSONObject:
        told = answer.json()
        if answer.status >= 500 or (answer.status < 300 and not isinstance(told, dict)):
            self._circuit.failed()
            self._outbox.ended("uncertain")
            return {}
        self._circuit.answered()
        if answer.status >= 300:
            self._outbox.ended("refused")
            if answer.status != self._refused_with:
                log.warning("Umami refuses page events: it answers %d", answer.status)
            self._refused_with = answer.status
            return {}
        self._refused_with = 0
        return {name: told[name] for name in _TOLD if name in told}
