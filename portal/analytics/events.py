"""An event on its way to Umami, in the forms in which Umami takes it."""

import json
from dataclasses import dataclass
from typing import Self

from portal.events import USER_AGENT_LIMIT
from portal.http.client import pseudonym
from portal.jsontypes import JSON, JSONObject


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who did it; `address` is the real one and never leaves the process."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class PageEvent:
    """`kind` is "event" or "identify"; the payload holds nothing but what Umami may be told."""

    kind: str
    payload: JSONObject

    def by(self, visitor: Visitor, key: bytes) -> Self:
        """The event with its visitor, by a pseudonym."""
        told: JSONObject = {
            "ip": pseudonym(visitor.address, key),
            "userAgent": cut(visitor.user_agent, USER_AGENT_LIMIT),
        }
        return type(self)(self.kind, self.payload | told)

    def now(self) -> str:
        """As /api/send takes it."""
        return self._json(self.payload)

    def at(self, time: int) -> str:
        """As /api/batch takes it later; `time` is Unix time in whole seconds, for Umami refuses
        fractions and takes milliseconds for seconds."""
        return self._json({**self.payload, "timestamp": time})

    def _json(self, payload: JSON) -> str:
        return json.dumps({"type": self.kind, "payload": payload}, separators=(",", ":"))


def cut(value: str, limit: int) -> str:
    """The text without NULs and halves of surrogate pairs, and so many UTF-16 units long at most:
    these are what JavaScript counts."""
    value = value.replace("\0", "")
    if value.isascii():
        return value[:limit]
    units = value.encode("utf-16-le", "surrogatepass")[: 2 * limit]
    return units.decode("utf-16-le", "ignore")
