"""Protocol between the portal and its worker processes: frames of JSON and bytes.

A frame is a head (8 bytes that name the request, then the lengths of the two parts), JSON and the
content of a file. A request's JSON is `{"job", "tool", "edits", "rules"}`. An answer's are lines:
first the outcome, `{"outcome": "ok" | "error" | "much" | "memory" | "failed", …}`, then
`[field, key, value]` for each piece of what was found. It comes in pieces because json.loads holds
the GIL, and with it the event loop, until it is through; one line takes 2 ms at most. Nothing is
pickled: whoever takes over a worker must not get the portal.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from itertools import islice

from portal.jsontypes import JSON, JSONObject

HEAD = struct.Struct("!8sII")
READY = b"ready\n"  # what a worker says first: a death before it is no file's fault
MAX_JSON = 4 << 20  # bytes; 400 mounts are 235 kB
MAX_LINE = 256 << 10  # bytes
SENTENCE = 600  # characters
NAME = 255  # characters of a file's name
PIECE = 16  # elements of a list or an object in one line


class WireError(Exception):
    """The received data breaks the protocol."""


def plain_line(value: JSON) -> bytes:
    """A value as one line; halves of surrogate pairs, which UTF-8 has not, become "?"."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def answer_lines(outcome: JSONObject, found: Mapping[str, JSON]) -> list[bytes]:
    """An answer's lines. Raises `OverflowError` where it is more than may be sent."""
    lines = [plain_line(outcome)]
    for field, value in found.items():
        for key, piece in _pieces(value):
            lines.append(plain_line([field, key, piece]))
    if sum(map(len, lines)) + len(lines) > MAX_JSON or max(map(len, lines)) > MAX_LINE:
        raise OverflowError
    return lines


def _pieces(value: JSON) -> Iterator[tuple[str | None, JSON]]:
    """A list in slices; an object member by member, each of which may come in slices as well."""
    if not isinstance(value, Mapping):
        yield from ((None, piece) for piece in _slices(value))
        return
    for key, member in value.items():
        yield from ((key, piece) for piece in _slices(member))


def _slices(value: JSON) -> Iterator[JSON]:
    if isinstance(value, list | tuple):
        yield from (value[at : at + PIECE] for at in range(0, len(value) or 1, PIECE))
    elif isinstance(value, Mapping) and value:
        items = iter(value.items())
        while piece := dict(islice(items, PIECE)):
            yield piece
    else:
        yield value


def read_answer(lines: list[bytes]) -> tuple[JSONObject, dict[str, JSON]]:
    """How it went, and the fields that were found, put together. Raises `WireError`.

    The sender is not trusted: the types of what is found are checked by who asked for it.
    """
    try:
        outcome = json.loads(lines[0])
        found: dict[str, JSON] = {}
        for line in lines[1:]:
            if len(line) > MAX_LINE:
                raise ValueError  # noqa: TRY301 - as if it were no JSON
            field, key, piece = json.loads(line)
            _add(found, field, key, piece)
    except (ValueError, TypeError, RecursionError) as error:
        raise WireError("an answer that is not JSON") from error
    if not isinstance(outcome, dict):
        raise WireError("an answer without an outcome")
    return outcome, found


def _add(found: dict[str, JSON], field: str, key: str | None, piece: JSON) -> None:
    if key is None:
        _join(found, field, piece)
        return
    whole = found.setdefault(field, {})
    if not isinstance(whole, dict):
        raise TypeError
    _join(whole, key, piece)


def _join(into: dict[str, JSON], key: str, piece: JSON) -> None:
    old = into.get(key)
    if isinstance(old, list) and isinstance(piece, list):
        old += piece
    elif isinstance(old, dict) and isinstance(piece, dict):
        old.update(piece)
    elif key in into:
        raise TypeError
    else:
        into[key] = piece
