"""Retry-After of an upstream's answer (RFC 9110, 10.2.3): seconds or an HTTP date."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_SECONDS = 3600  # a server that asks for more is asked again after an hour all the same
_SECONDS = re.compile(r"[0-9]+")


def seconds_to_wait(value: str) -> float | None:
    """The seconds from now, from 0 to `MAX_SECONDS`; None where the value is neither form."""
    value = value.strip()
    try:
        seconds = float(value) if _SECONDS.fullmatch(value) else _until(value)
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_SECONDS)


def _until(date: str) -> float:
    time = parsedate_to_datetime(date)
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
