"""Admission to the outbox: its bounds, and the share of it that one client may take."""

import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sql
from sql.outbox import QUERIES

SHARE = 16  # a client may take one part in so many of each bound
MOST_DROPS = 10_000  # clients that are told apart among those whose events were dropped
REMEMBER_SECONDS = 30 * 86_400


class Waiting(NamedTuple):
    """An event to be sent: `time` in Unix milliseconds, `client` a pseudonym of its network.

    `key` is empty, or the same for two reports of one event, of which the first is taken.
    """

    time: int
    body: str
    client: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """All that may wait, in events and in bytes of their bodies."""

    events: int
    bytes: int


class Room:
    """What of a batch finds room; within one transaction, which the caller began.

    A client beyond its share is turned away. Where the whole is full, the largest waiting event
    makes room, if it is larger than the one that comes. Otherwise the one that comes is dropped:
    those that wait stay in their order.
    """

    def __init__(self, connection: sqlite3.Connection, bounds: Bounds) -> None:
        self._connection = connection
        self._statements = sql.load(QUERIES)
        self._bounds = bounds
        events, size = connection.execute(self._statements["outbox_size"]).fetchone()
        self._events, self._bytes = int(events), int(size)
        self._clients: dict[str, tuple[int, int]] = {}
        self._dropped: Counter[tuple[str, str]] = Counter()

    def take(self, events: Sequence[Waiting]) -> list[Waiting]:
        """Those that may be put, in their order."""
        return [event for event in events if self._takes(event)]

    def write_drops(self, now: int) -> int:
        """Write down whose events were dropped, and why; how many these were."""
        if self._dropped:
            before = {"before": now - REMEMBER_SECONDS}
            self._connection.execute(self._statements["forget_drops"], before)
        for (reason, client), amount in self._dropped.items():
            parameters: Mapping[str, str | int] = {
                "reason": reason,
                "client": client,
                "amount": amount,
                "now": now,
                "most": MOST_DROPS,
            }
            self._connection.execute(self._statements["add_drop"], parameters)
        return self._dropped.total()

    def _takes(self, event: Waiting) -> bool:
        events, size = self._of(event.client)
        if event.client and (
            events + 1 > max(1, self._bounds.events // SHARE)
            or size + len(event.body) > max(len(event.body), self._bounds.bytes // SHARE)
        ):
            self._dropped["share", event.client] += 1
            return False
        while not self._fits(event):
            if not self._makes_room(event):
                self._dropped["room", event.client] += 1
                return False
        self._add(event.client, 1, len(event.body))
        return True

    def _fits(self, event: Waiting) -> bool:
        return (
            self._events < self._bounds.events
            and self._bytes + len(event.body) <= self._bounds.bytes
        )

    def _makes_room(self, event: Waiting) -> bool:
        """Drop the largest that waits, if it is larger; whether one was."""
        largest = self._connection.execute(self._statements["largest_waiting"]).fetchone()
        if largest is None or largest[2] <= len(event.body):
            return False
        number, client, size = largest
        self._connection.execute(self._statements["remove_event"], {"id": number})
        self._add(client, -1, -size)
        self._dropped["room", client] += 1
        return True

    def _of(self, client: str) -> tuple[int, int]:
        """A client's events and bytes, with those that this batch adds."""
        if client not in self._clients:
            parameters = {"client": client}
            row = self._connection.execute(self._statements["client_size"], parameters).fetchone()
            self._clients[client] = row or (0, 0)
        return self._clients[client]

    def _add(self, client: str, events: int, size: int) -> None:
        had, held = self._of(client)
        self._clients[client] = (had + events, held + size)
        self._events += events
        self._bytes += size


def first_reports(connection: sqlite3.Connection, events: Sequence[Waiting]) -> list[Waiting]:
    """The events without those that were reported already; within a transaction."""
    if not any(event.key for event in events):
        return list(events)
    statements = sql.load(QUERIES)
    now = int(time.time())
    connection.execute(statements["forget_reports"], {"before": now - 86_400})
    taken = []
    for event in events:
        if event.key:
            parameters = {"key": event.key, "now": now}
            if connection.execute(statements["claim_report"], parameters).rowcount == 0:
                continue
        taken.append(event)
    return taken
