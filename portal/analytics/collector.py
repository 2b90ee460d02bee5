"""Event intake: what pages and the portal report goes into the outbox, and nowhere else.

No answer waits for Umami, and there is one way on which an event can be lost or counted. The page's
answer is sent once its event is committed; `portal.analytics.sender` takes it to Umami, usually
within a quarter of a second.
"""

import time
from collections.abc import Mapping

from portal.analytics.events import PageEvent, Visitor, client_of
from portal.analytics.payload import clean
from portal.jsontypes import JSON, JSONObject
from sql.outbox.room import Waiting
from sql.outbox.writing import Outbox


class Collector:
    """One process's; belongs to its event loop. `key` makes the pseudonyms."""

    def __init__(self, website: str, key: bytes, outbox: Outbox) -> None:
        self._website = website
        self._key = key
        self._outbox = outbox

    async def collect(self, document: JSONObject, visitor: Visitor) -> None:
        """Take what a page posted; return once it is committed. Raises `Malformed`."""
        moment = _now()
        event = clean(document, self._website)
        await self._outbox.put(self._waiting(event, visitor, moment))

    def note(
        self,
        name: str,
        values: Mapping[str, JSON],
        url: str,
        host: str,
        visitor: Visitor,
        report: str = "",
    ) -> None:
        """Report what no page can, without waiting for anything.

        With a `report` key it is the same event as one that a page reports under this key:
        whichever comes first is taken.
        """
        payload = {"website": self._website, "hostname": host, "url": url, "name": name}
        document: JSONObject = {"type": "event", "payload": {**payload, "data": dict(values)}}
        event = clean(document, self._website)
        self._outbox.post(self._waiting(event, visitor, _now(), report))

    def _waiting(
        self, event: PageEvent, visitor: Visitor, moment: int, report: str = ""
    ) -> Waiting:
        key = report or event.report
        body = event.by(visitor, self._key).json()
        return Waiting(moment, body, client_of(visitor, self._key), key)


def _now() -> int:
    return time.time_ns() // 1_000_000
