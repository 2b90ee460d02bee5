"""The head of an upstream's answer, line by line as libcurl gives it."""

import re

from tornado.httputil import HTTPHeaders, HTTPInputError

_STATUS = re.compile(r"HTTP/\S+ +([1-9]\d\d)\b", re.ASCII)
HEADER_BYTES = 64 << 10  # of all heads of one answer together, early hints too


class Head:
    """Collects the lines; `status` is None until the head is complete.

    Interim answers (100 Continue, 103 Early Hints) are passed over.
    """

    def __init__(self) -> None:
        self.status: int | None = None
        self.size = 0
        self._lines: list[str] = []

    def add(self, line: bytes) -> bool:
        """Take one line, with its end; False where the answer has more than anyone should send, or
        begins with nothing that is HTTP."""
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
        """The fields, once complete; None where they are not proper ones."""
        try:
            return HTTPHeaders.parse("\n".join(self._lines[1:-1]))
        except HTTPInputError:
            return None
