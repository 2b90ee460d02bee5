"""Validation of page events: what a page posts, made into what Umami takes. Pure.

The limits are Umami's own (its schema of /api/send, and the columns of its tables on PostgreSQL):
beyond them it answers 400, or 500 after it has stored half of the event.
"""

import json
import re
from math import isfinite

from portal.analytics.addresses import public_address
from portal.analytics.events import PageEvent, cut
from portal.errors import Malformed
from portal.jsontypes import JSON, JSONObject

KINDS = ("event", "identify", "performance")
# The fields that are taken, each text of so many UTF-16 units, as JavaScript counts. Not among
# them: ip, userAgent, timestamp, with which a page could pretend to be another.
LIMITS = {
    "hostname": 100,
    "screen": 11,
    "language": 35,
    "title": 500,
    "url": 500,
    "referrer": 500,
    "tag": 50,
    "id": 50,
    "name": 50,
}
ADDRESSES = ("url", "referrer")
# Web vitals, in milliseconds but for the layout shift, with Umami's own bounds
# (src/app/api/send/route.ts): beyond them it refuses the event.
VITALS = {"lcp": 60_000, "inp": 60_000, "cls": 100, "fcp": 60_000, "ttfb": 60_000}
# In the data of an event that the portal reports as well; taken out here.
REPORT = "report"
_REPORT_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
DATA_TEXT = 500
# Names of nested values are joined with dots and must fit 500 characters together.
DATA_NAME, DATA_DEPTH = 90, 5
DATA_NUMBER = 1e15  # numeric(19, 4)


def clean(document: JSONObject, website: str) -> PageEvent:
    """The event that was posted for that website (a UUID). Raises `Malformed`."""
    kind, payload = document.get("type"), document.get("payload")
    if not isinstance(kind, str) or kind not in KINDS:
        raise Malformed(f"The type is none of: {', '.join(KINDS)}.")
    if not isinstance(payload, dict):
        raise Malformed("The payload is no JSON object.")
    if str(payload.get("website", "")).lower() != website:
        raise Malformed("The website is not the one that is counted here.")
    cleaned: JSONObject = {"website": website}
    for name, limit in LIMITS.items():
        if payload.get(name) is not None:
            cleaned[name] = _field(name, payload[name], limit)
    if kind == "performance":
        cleaned.update(_vitals(payload))
        return PageEvent(kind, cleaned)
    data = payload.get("data")
    if data is None:
        return PageEvent(kind, cleaned)
    if not isinstance(data, dict):
        raise Malformed("The data is no JSON object.")
    report = data.get(REPORT)
    if not isinstance(report, str) or not _REPORT_KEY.fullmatch(report):
        report = ""
    cleaned["data"] = _values({n: v for n, v in data.items() if n != REPORT}, DATA_DEPTH)
    return PageEvent(kind, cleaned, report)


def _vitals(payload: JSONObject) -> JSONObject:
    """The web vitals that were measured; one beyond its bound is taken at the bound."""
    vitals: JSONObject = {}
    for name, most in VITALS.items():
        value = payload.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise Malformed(f"The {name} is no number.")
        vitals[name] = min(max(value, 0), most)
    if not vitals:
        raise Malformed("None of the web vitals is there.")
    return vitals


def _field(name: str, value: JSON, limit: int) -> str:
    if not isinstance(value, str):
        raise Malformed(f"The {name} is no text.")
    if name in ADDRESSES:
        value = public_address(value) or ("/" if name == "url" else "")
    return cut(value, limit)


def _values(values: JSONObject, depth: int) -> JSONObject:
    return {cut(name, DATA_NAME): _value(value, depth) for name, value in values.items()}


def _value(value: JSON, depth: int) -> JSON:
    if isinstance(value, str):
        return cut(value, DATA_TEXT)
    if isinstance(value, dict | list) and depth == 1:
        raise Malformed("The data is nested too deep.")
    if isinstance(value, dict):
        return _values(value, depth - 1)
    if isinstance(value, list):
        return _list(value, depth)
    if isinstance(value, float) and not isfinite(value):
        raise Malformed("A number in the data is none.")
    if isinstance(value, int | float) and abs(value) >= DATA_NUMBER:
        return cut(str(value), DATA_TEXT)
    return value


def _list(values: list[JSON], depth: int) -> JSON:
    """Umami keeps a list as one text; one that is too long for that becomes a text here."""
    cleaned = [_value(value, depth - 1) for value in values]
    kept = json.dumps(cleaned, ensure_ascii=False, separators=(",", ":"))
    short = cut(kept, DATA_TEXT)
    return cleaned if short == kept else short
