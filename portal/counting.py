"""The rule for ONE download: how a request is classified.

A pure function. Whether a part counts depends on what was seen before it, and that is decided in
the same transaction as the row: see the trigger of `download_requests` in `sql/schema`.
"""

import re
from enum import StrEnum

# A part of at most this many bytes is somebody looking, not downloading.
PROBE_BYTES = 1024

# No file is longer than nineteen digits; longer numbers are not even worth the parsing.
_RANGE = re.compile(r"(\d{0,19})-(\d{0,19})", re.ASCII)
_CONTENT_RANGE = re.compile(r"bytes (?:\d+-\d+|\*)/(\d{1,19})", re.ASCII)
_LENGTH = re.compile(r"\d{1,19}", re.ASCII)


class Classification(StrEnum):
    """What a request for an asset is.

    WHOLE always counts; PART counts unless it continues a transfer seen in the window; the others
    never count. RENEWAL is no request: it keeps the window open while a transfer runs.
    """

    WHOLE = "whole"
    PART = "part"
    PROBE = "probe"
    HEAD = "head"
    NOT_MODIFIED = "not_modified"
    FAILED = "failed"
    RENEWAL = "renewal"

    @property
    def downloads(self) -> bool:
        """Whether it moves the file, and so holds the window open."""
        return self in (Classification.WHOLE, Classification.PART)


def classify(method: str, requested: str | None, status: int, size: int | None) -> Classification:
    """Classify a request by what was asked, once the upstream has answered.

    `requested` is the Range header as the client sent it, `status` the upstream's, `size` the
    length of the whole file in bytes where the answer tells it.
    """
    if method == "HEAD":
        return Classification.HEAD
    if status == 304:
        return Classification.NOT_MODIFIED
    if status not in (200, 206):
        return Classification.FAILED
    if requested is None:
        return Classification.WHOLE
    return Classification.PROBE if _is_probe(requested, size) else Classification.PART


def file_size(content_range: str | None, content_length: str | None, status: int) -> int | None:
    """The length of the whole file, from a 200's or a 206's headers; None where neither tells."""
    if status == 206:
        match = _CONTENT_RANGE.fullmatch(content_range or "")
        return int(match[1]) if match else None
    match = _LENGTH.fullmatch(content_length or "")
    return int(match[0]) if match else None


def _is_probe(requested: str, size: int | None) -> bool:
    """Whether it asks for a suffix, or for few bytes of a larger file (several ranges: in all)."""
    unit, _, ranges = requested.partition("=")
    matches = [_RANGE.fullmatch(part.strip()) for part in ranges.split(",")]
    if unit.strip().lower() != "bytes" or not all(matches):
        return False  # no range a server would honour, but one was asked for
    bounds = [(match[1], match[2]) for match in matches if match]
    if any(not first and last for first, last in bounds):
        return True
    if any(not last for _, last in bounds):
        return False
    asked = sum(max(0, int(last) - int(first) + 1) for first, last in bounds)
    return asked <= PROBE_BYTES and (size is None or asked < size)
