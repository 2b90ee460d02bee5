"""Parser for the head of an HTTP/1 response, which libcurl passes on line by line."""

import re

from tornado.httputil import HTTPHeaders, HTTPInputError

_STATUS = re.compile(r"HTTP/\S+ +([1-9]\d\d)\b", re.ASCII)
HEADER_BYTES = 64 << 10  # at most, of the head and of all interim heads before it


class Head:
    """Collects the lines of a response's head; `status` is None until it is complete.

    Interim responses (100 Continue, 103 Early Hints) are skipped. `size` counts all bytes.
    """

    def __init__(self) -> None:
        self.status: int | None = None
        self.size = 0
        self._lines: list[str] = []

    def add(self, line: bytes) -> bool:
        """Add one line, with its end; False when the head is too long or is not HTTP."""
        self.size += len(line)
        if line.startswith(b"HTTP/"):
            self._lines = []
        self._lines.append(line.decode("latin1").rstrip())
        if line in (b"\r\n", b"\n"):
            match = _STATUS.match(self._lines[0])
            if match is None:
                return False
            status = int(match[1])
            self.status = status if status >= 200 else None
        return self.size <= HEADER_BYTES

    def headers(self) -> HTTPHeaders | None:
        """The header fields of a complete head; None where they cannot be parsed."""
        try:
            return HTTPHeaders.parse("\n".join(self._lines[1:-1]))
        except HTTPInputError:
            return None
