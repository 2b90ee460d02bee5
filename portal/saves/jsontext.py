"""JSON parser that gives the offsets of values, so that one can be replaced in place.

The standard library's parser gives no offsets. This one is as strict, does not recurse, keeps an
array of integers (a record of 10,000 bytes) as one value, and makes strings and numbers only when
somebody asks. Every fault is a `SaveError`.
"""

import json
import re
from collections.abc import Iterator

from portal.saves.errors import OTHER_FILE, SaveError

MAX_DEPTH = 64  # the game's own files have five levels
MAX_VALUES = 100_000  # a Mounts.json has seven for each mount

_BLANK = r"[ \t\r\n]*+"
_STRING = r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'  # RFC 8259
_INTEGER = r"-?(?:0|[1-9][0-9]{0,18})"
_VALUE = re.compile(
    rf"(?P<string>{_STRING})"
    rf"|(?P<integers>\[{_BLANK}{_INTEGER}(?:{_BLANK},{_BLANK}{_INTEGER})*+{_BLANK}\])"
    rf"|(?P<empty>\{{{_BLANK}\}}|\[{_BLANK}\])"
    rf"|(?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+)"
    rf"|(?P<literal>true|false|null)"
    rf"|(?P<opening>[\[{{])"
)
_KEY = re.compile(rf"({_STRING}){_BLANK}:{_BLANK}")
_BLANKS = re.compile(_BLANK)
_SURROGATES = re.compile("[\ud800-\udfff]")


class Node:
    """A value in `text` from `start` to `end`; `members` or `items` where it is a container."""

    __slots__ = ("end", "items", "kind", "members", "start", "text")

    def __init__(self, text: str, kind: str, start: int, end: int) -> None:
        self.text, self.kind, self.start, self.end = text, kind, start, end
        self.members: dict[str, Node] = {}
        self.items: list[Node] = []

    @property
    def raw(self) -> str:
        """The value as it stands."""
        return self.text[self.start : self.end]

    @property
    def is_object(self) -> bool:
        """Whether it is an object."""
        return self.text[self.start] == "{"

    @property
    def is_array(self) -> bool:
        """Whether it is an array; one of integers has no `items`, see `integers()`."""
        return self.text[self.start] == "["

    def get(self, key: str) -> "Node | None":
        """A member; of two with one name the later, as in the game's parser."""
        return self.members.get(key)

    def string(self) -> str | None:
        """A string's characters, halves of surrogate pairs as U+FFFD; None for another type."""
        return _unquoted(self.raw) if self.kind == "string" else None

    def integer(self) -> int | None:
        """A number without fraction; None for another type or more than 18 digits."""
        digits = self.raw.lstrip("-") if self.kind == "number" else ""
        return int(self.raw) if digits.isdigit() and len(digits) <= 18 else None

    def flag(self) -> bool | None:
        """True or false; None for another type."""
        return {"true": True, "false": False}.get(self.raw) if self.kind == "literal" else None

    def integers(self) -> Iterator[int] | None:
        """The elements of an array of integers; None for another type."""
        if self.kind == "empty" and self.is_array:
            return iter(())
        # One slice and one split: a record has 10,000 elements.
        return map(int, self.raw[1:-1].split(",")) if self.kind == "integers" else None


def parse_json(text: str) -> Node:
    """The whole text as one value. Raises `SaveError` with the line where it is not JSON."""
    root = node = _value(text, _blank(text, 0))
    open_: list[Node] = []
    for _ in range(MAX_VALUES):
        if node.kind == "opening":
            open_.append(node)
            at = _blank(text, node.end)
        else:
            at = _close(text, node.end, open_)
        if not open_:
            return _whole(root, at)
        if len(open_) > MAX_DEPTH:
            raise SaveError(f"The JSON is nested more than {MAX_DEPTH} levels deep.", OTHER_FILE)
        node = _element(text, at, open_[-1])
    raise SaveError(f"The JSON holds more than {MAX_VALUES} values.", OTHER_FILE)


def _whole(root: Node, at: int) -> Node:
    if at != len(root.text):
        raise _not_json(root.text, at)
    return root


def _element(text: str, at: int, container: Node) -> Node:
    """The next element or member of a container, with its key."""
    if container.is_array:
        container.items.append(node := _value(text, at))
        return node
    match = _KEY.match(text, at)
    if match is None:
        raise _not_json(text, at)
    container.members[_unquoted(match[1])] = node = _value(text, match.end())
    return node


def _value(text: str, at: int) -> Node:
    match = _VALUE.match(text, at)
    if match is None or match.lastgroup is None:
        raise _not_json(text, at)
    return Node(text, match.lastgroup, at, match.end())


def _close(text: str, at: int, open_: list[Node]) -> int:
    """Close what ends here; the offset of the next element, or of the end of the text."""
    at = _blank(text, at)
    while open_:
        container, mark = open_[-1], text[at : at + 1]
        if mark == ",":
            return _blank(text, at + 1)
        if mark != ("}" if container.is_object else "]"):
            raise _not_json(text, at)
        container.end = at + 1
        open_.pop()
        at = _blank(text, at + 1)
    return at


def _blank(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at


def _unquoted(raw: str) -> str:
    text = str(json.loads(raw)) if "\\" in raw else raw[1:-1]
    return _SURROGATES.sub("\ufffd", text)


def _not_json(text: str, at: int) -> SaveError:
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    where = "it ends too early" if at >= len(text) else f"line {line}, column {column} is wrong"
    return SaveError(f"The file is not JSON: {where}.", OTHER_FILE)
