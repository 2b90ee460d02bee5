"""Decoding of GitLab's lists in a thread, entry by entry, within bounds.

`json.loads` holds the interpreter's lock until the whole document is read, so a thread alone would
not keep the event loop free: 100 releases with 1,000 links each are 25 MB. Here each C call reads
one entry, and what is made of it is kept in place of the JSON.
"""

import codecs
import json
import re
import time
from collections.abc import Iterator
from typing import Any

ENTRIES = 100  # of one page, which is what is asked for; what is more is left out
CONTAINERS = 600_000  # objects and arrays of one page: each takes 60 bytes and more when decoded
_SPACE = re.compile(r"[ \t\r\n]*")
_SLICE = 1 << 19
_DECODER = json.JSONDecoder()


class NotAList(ValueError):  # noqa: N818 - named as what was found
    """The document is no JSON array, or is more than anyone should send."""


def entries(body: bytes | bytearray) -> Iterator[Any]:
    """The entries of a JSON array, each decoded when it is asked for. Raises `NotAList`.

    The interpreter's lock is given away before each, so that the event loop runs in between.
    """
    if _containers(body) > CONTAINERS:
        raise NotAList("it has too many objects")
    text = _Text(body)
    text.skip()
    if not text.take("["):
        raise NotAList("it is not a list")
    text.skip()
    if text.take("]"):
        return
    for _ in range(ENTRIES):
        time.sleep(0)
        yield text.value()
        text.skip()
        if text.take("]"):
            return
        if not text.take(","):
            raise NotAList("it is not JSON")
        text.skip()


class _Text:
    """The document as text, of which a few slices are there at a time."""

    def __init__(self, body: bytes | bytearray) -> None:
        self._body = body
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._read = 0
        self._text = ""
        self._at = 0

    def _more(self) -> bool:
        """Decode the next slice; False where there is none."""
        start, self._read = self._read, min(self._read + _SLICE, len(self._body))
        try:
            more = self._decoder.decode(self._body[start : self._read], start == self._read)
        except UnicodeDecodeError:
            raise NotAList("it is not UTF-8") from None
        self._text, self._at = self._text[self._at :] + more, 0
        return start < self._read

    def skip(self) -> None:
        """Go past white space."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text) or not self._more():
                return

    def take(self, sign: str) -> bool:
        """Go past this sign, if it is next."""
        found = self._text[self._at : self._at + 1] == sign
        self._at += found
        return found

    def value(self) -> Any:
        """The next value; one that is cut by the end of a slice is read again with the next."""
        while True:
            try:
                value, at = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                at = len(self._text)
            if at < len(self._text):
                self._at = at
                return value
            if not self._more():
                raise NotAList("it is not JSON")


def _containers(body: bytes | bytearray) -> int:
    """How many objects and arrays there are at most; slice by slice, so that no call is long."""
    return sum(
        body.count(sign, start, start + _SLICE)
        for start in range(0, len(body), _SLICE)
        for sign in (b"{", b"[")
    )
