"""Event batches: many events, encoded as one JSON text for one statement.

It is one text because a statement that reads it with `json_each` is a single step for sqlite3,
during which Python's lock is free. `executemany` takes the lock again for each row: 29,000 events a
second against 56,000 with 512 waiting, 5,000 against 9,000 with 64 beside an event loop that never
rests.
"""

import json
from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any, ClassVar, NamedTuple, Protocol

from sql.sections import SECTIONS

KINDS = (*(section.kind for section in SECTIONS), "traffic")

# SQLite's datetime() ends with the year 9999.
_LAST_SECOND = 253402300799


class Event(Protocol):
    """A dataclass of text and numbers; `kind` names the statement in `queries/record.sql`.

    `time` is Unix time in seconds. The statement reads the other fields by their names.
    """

    kind: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def time(self) -> int: ...


Row = dict[str, str | int | None]


class Batch(NamedTuple):
    """`payload` is UTF-8 JSON: for each of `kinds` a list of rows, `events` of them in all.

    `time` is the earliest event's, in Unix seconds.
    """

    payload: bytes
    kinds: tuple[str, ...]
    events: int
    time: int


def row(event: Event) -> Row:
    """The event's fields by name. Raises TypeError or ValueError for one no table can take.

    Such an event is refused here, to the one who brings it, since in a batch it would fail its
    neighbours.
    """
    names, values_of, types = _columns(type(event))
    values = values_of(event)
    if not all(map(isinstance, values, types)):
        raise TypeError(f"a field is not of its type: {event}")
    if event.kind not in KINDS or not 0 <= event.time <= _LAST_SECOND:
        raise ValueError(f"no table takes this: {event}")
    return dict(zip(names, values, strict=True))


def encode(events: Iterable[tuple[str, Row]]) -> Batch:
    """One batch from at least one (kind, row), each kind in the order of time, then of arrival."""
    kinds: dict[str, list[Row]] = {}
    for kind, values in events:
        kinds.setdefault(kind, []).append(values)
    for rows in kinds.values():
        rows.sort(key=itemgetter("time"))
    # Half of a surrogate pair is no character, and no database takes it: it becomes "?".
    payload = json.dumps(kinds, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    if rb"\u0000" in payload:
        # SQLite's text would end at a NUL.
        kinds = {kind: [_without_nul(each) for each in rows] for kind, rows in kinds.items()}
        payload = json.dumps(kinds, ensure_ascii=False).encode(errors="replace")
    times = (rows[0]["time"] for rows in kinds.values())
    return Batch(
        payload,
        tuple(kinds),
        sum(map(len, kinds.values())),
        min(time for time in times if isinstance(time, int)),
    )


def _without_nul(values: Row) -> Row:
    return {
        name: value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
        for name, value in values.items()
    }


@cache
def _columns(kind: type[Event]) -> "tuple[tuple[str, ...], attrgetter[tuple[Any, ...]], list[Any]]":
    names = tuple(field.name for field in fields(kind))
    return names, attrgetter(*names), [field.type for field in fields(kind)]
