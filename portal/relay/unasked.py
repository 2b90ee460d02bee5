"""Answers that were not asked for: a server's status and ranges held against the request.

A broken cache or proxy before an object store sends a part for the whole, or another part than the
one that was asked for. Passed on, each becomes a short or torn file that looks whole, so the
client gets a 502 instead (RFC 9110, 14.4, 15.3.7 and 15.4.5).
"""

import logging
import re
from collections.abc import Mapping

from tornado.httputil import HTTPHeaders

from portal.errors import UpstreamFailed

log = logging.getLogger("portal.upstream")

_ASKED = re.compile(r"bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.ASCII | re.IGNORECASE)
_SENT = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)", re.ASCII | re.IGNORECASE)
_LENGTH = re.compile(r"\d{1,18}", re.ASCII)
# Each status that answers a condition, and the request headers of which one must have been sent.
_CONDITIONAL = {
    206: ("Range",),
    304: ("If-None-Match", "If-Modified-Since"),
    412: ("If-Match", "If-Unmodified-Since", "If-None-Match"),
    416: ("Range",),
}


def check_answer(sent: Mapping[str, str], status: int, headers: HTTPHeaders) -> None:
    """Raise `UpstreamFailed` where an answer is none to the request whose headers were `sent`."""
    fields = _CONDITIONAL.get(status)
    if fields and not any(name in sent for name in fields):
        raise _failed(f"a {status} that nothing asked for")
    if status == 206:
        _check_part(sent["Range"], headers)


def _check_part(asked: str, headers: HTTPHeaders) -> None:
    several = "," in asked
    kind = headers.get("Content-Type", "").lower()
    if several and kind.startswith("multipart/byteranges"):
        return
    match = _SENT.fullmatch(headers.get("Content-Range", "").strip())
    if match is None:
        raise _failed("a 206 without a proper Content-Range")
    first, last = int(match[1]), int(match[2])
    whole = None if match[3] == "*" else int(match[3])
    if first > last or (whole is not None and last >= whole):
        raise _failed("a Content-Range that is none")
    if not several and not _is_asked(asked, first, last, whole):
        raise _failed("another range than the one that was asked for")
    length = headers.get("Content-Length")
    if length is None:  # chunked: what is sent must then be exactly the range
        headers["Content-Length"] = str(last - first + 1)
    elif not _LENGTH.fullmatch(length) or int(length) != last - first + 1:
        raise _failed("a Content-Length that is not its range's")


def _is_asked(asked: str, first: int, last: int, whole: int | None) -> bool:
    """Whether a single range is the one that was asked for, up to the end of the file."""
    match = _ASKED.fullmatch(asked)
    if match is None:
        return True  # not a form that is understood here
    start, end = match.groups()
    if not start:
        return whole is None or (last == whole - 1 and first == max(0, whole - int(end)))
    if not end:
        return first == int(start) and (whole is None or last == whole - 1)
    return first == int(start) and (
        last == int(end) or (last < int(end) and whole is not None and last == whole - 1)
    )


def _failed(what: str) -> UpstreamFailed:
    log.warning("an upstream answered with %s", what)
    return UpstreamFailed(
        "The server that holds this file gave another part of it than was asked for.",
        "Please try again later.",
        retry_after=30,
    )
