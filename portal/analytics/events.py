"""A page event as Umami's `/api/send` takes it."""

import json
from dataclasses import dataclass
from typing import Self

from portal.events import USER_AGENT_LIMIT
from portal.http.client import client_network, pseudonym
from portal.jsontypes import JSONObject


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who did it; `address` is the real one and never leaves the process."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class PageEvent:
    """The payload holds nothing but what Umami may be told; `kind` is one of `payload.KINDS`.

    `report` is empty, or a key that the portal's own report of the same event has too.
    """

    kind: str
    payload: JSONObject
    report: str = ""

    def by(self, visitor: Visitor, key: bytes) -> Self:
        """The event with its visitor, by a pseudonym."""
        told: JSONObject = {
            "ip": pseudonym(visitor.address, key),
            "userAgent": cut(visitor.user_agent, USER_AGENT_LIMIT),
        }
        return type(self)(self.kind, self.payload | told, self.report)

    def json(self) -> str:
        """As /api/send takes it, in ASCII; without a time, which its sender adds to a late one."""
        return json.dumps({"type": self.kind, "payload": self.payload}, separators=(",", ":"))


def client_of(visitor: Visitor, key: bytes) -> str:
    """Whose share of the outbox an event takes: a pseudonym of the address, or of an IPv6 /64."""
    return pseudonym(client_network(visitor.address), key)


def cut(value: str, limit: int) -> str:
    """The text without NULs and halves of surrogate pairs, and so many UTF-16 units long at most:
    these are what JavaScript counts."""
    value = value.replace("\0", "")
    if value.isascii():
        return value[:limit]
    units = value.encode("utf-16-le", "surrogatepass")[: 2 * limit]
    return units.decode("utf-16-le", "ignore")
