"""Conditional and range requests, RFC 9110 sections 13 and 14, as Go's http.ServeContent has them.

Tornado's own file handler knows neither If-Match nor If-Range and answers `bytes=0-` with 200.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class UnsatisfiableRange(Exception):  # noqa: N818 - named as its status is
    """The range begins after the last byte."""


def precondition(headers: Mapping[str, str], etag: str, modified: int) -> HTTPStatus | None:
    """304 or 412 if a condition demands it, else None; `modified` in seconds since 1970."""
    if match := headers.get("If-Match"):
        if not _matches(match, etag):
            return HTTPStatus.PRECONDITION_FAILED
    elif (since := _date(headers.get("If-Unmodified-Since"))) is not None and modified > since:
        return HTTPStatus.PRECONDITION_FAILED
    if match := headers.get("If-None-Match"):
        return HTTPStatus.NOT_MODIFIED if _matches(match.replace("W/", ""), etag) else None
    since = _date(headers.get("If-Modified-Since"))
    return HTTPStatus.NOT_MODIFIED if since is not None and modified <= since else None


def byte_range(headers: Mapping[str, str], etag: str, modified: int, size: int) -> range | None:
    """The requested bytes; None for all of them (also for several ranges, like S3).

    Raises UnsatisfiableRange.
    """
    match = _RANGE.fullmatch(headers.get("Range", ""))
    if match is None or match[0] == "bytes=-":
        return None
    condition = headers.get("If-Range")
    if condition and condition != etag and _date(condition) != modified:
        return None
    first, last = match.groups()
    if not first:
        wanted = range(max(0, size - int(last)), size)
    else:
        wanted = range(int(first), min(size, int(last) + 1) if last else size)
    if last and first and int(last) < int(first):
        return None
    if not wanted:
        raise UnsatisfiableRange
    return wanted


def _matches(listed: str, etag: str) -> bool:
    return listed == "*" or etag in (entry.strip() for entry in listed.split(","))


def _date(text: str | None) -> int | None:
    try:
        return int(parsedate_to_datetime(text).timestamp()) if text else None
    except ValueError:
        return None
