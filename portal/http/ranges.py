"""Range requests: the part of a file that a request asks for (RFC 9110, section 14)."""

import re

_RANGE = re.compile(r"bytes=(?:(\d{1,19})-(\d{0,19})|-(\d{1,19}))", re.ASCII)


def requested_part(asked: str | None, size: int) -> range | None:
    """The bytes asked for, of `size`; all of them where a Range header need not be honoured.

    Several ranges are one such case. None where there is no such part (416).
    """
    match = _RANGE.fullmatch((asked or "").replace(" ", ""))
    if not match:
        return range(size)
    first, last, suffix = match.groups()
    if suffix:
        part = range(max(0, size - int(suffix)), size)
    else:
        end = int(last) + 1 if last else size
        if end <= int(first) and last:
            return range(size)  # a range that ends before it begins is none
        part = range(int(first), min(end, size))
    return part or None
