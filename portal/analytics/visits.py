"""Umami's session tokens, kept for a while: with one an event stays in the visit it belongs to.

Umami derives a visit from the hour (`visitSalt` in src/app/api/send/route.ts), and a visit that
passes the full hour would be two. So it answers each event with a token, in `cache`, which the next
event of the same session brings back as `x-umami-cache`. Umami ends a visit 30 minutes after its
first event, but not for events that carry a time of their own: for these the rule stands here.
"""

import json
from collections import OrderedDict
from dataclasses import dataclass

from portal.jsontypes import JSON, JSONObject

VISIT_MS = 1_800_000
MOST = 10_000  # tokens, of some 300 bytes


@dataclass(frozen=True, slots=True)
class _Visit:
    """`began` is when its first event happened, in Unix milliseconds."""

    began: int
    token: str


class Visits:
    """The tokens of the sessions that were heard of last; for one Umami that keeps its database."""

    def __init__(self) -> None:
        self._visits: OrderedDict[str, _Visit] = OrderedDict()

    def token(self, payload: JSONObject, moment: int) -> str:
        """What goes with an event of that moment (Unix milliseconds); "" begins a visit."""
        visit = self._visits.get(_session(payload))
        if visit is None or not 0 <= moment - visit.began <= VISIT_MS:
            return ""
        return visit.token

    def keep(self, payload: JSONObject, moment: int, token: JSON) -> None:
        """Remember what Umami answered to that event."""
        if not isinstance(token, str) or not token.isascii() or len(token) > 2048:
            return
        session = _session(payload)
        known = self._visits.pop(session, None)
        began = known.began if known and 0 <= moment - known.began <= VISIT_MS else moment
        self._visits[session] = _Visit(began, token)
        if len(self._visits) > MOST:
            self._visits.popitem(last=False)

    def forget(self) -> None:
        """Umami may come back with another database, which knows none of these sessions."""
        self._visits.clear()


def _session(payload: JSONObject) -> str:
    """What Umami makes a session of: its id, or the address and the user agent."""
    return json.dumps([payload.get(name) for name in ("id", "ip", "userAgent")])
