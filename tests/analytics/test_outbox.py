"""The outbox as a database: order, bounds, what is in flight, what cannot be written."""

import asyncio
import logging
import shutil
import sqlite3
from contextlib import closing, contextmanager

import pytest

from sql.database import connect, migrate
from sql.errors import OutboxError
from sql.outbox import SCHEMA, look
from sql.outbox.room import SHARE, Bounds, Waiting
from sql.outbox.sending import Ended, Sending
from sql.outbox.writing import Outbox

BODY = "{}"


@pytest.fixture
def path(tmp_path):
    migrate(tmp_path / "outbox.sqlite3", SCHEMA)
    return tmp_path / "outbox.sqlite3"


@contextmanager
def writing(path, **bounds):
    outbox = Outbox(path, **bounds)
    outbox.start()
    try:
        yield outbox
    finally:
        outbox.close()


@contextmanager
def sending(path):
    way_out = Sending(path)
    with closing(way_out):
        yield way_out


def put(path, *events, **bounds):
    """Put events, or events of these bodies, one of each client."""
    waiting = [
        e if isinstance(e, Waiting) else Waiting(n, e, f"client-{n}") for n, e in enumerate(events)
    ]

    async def main(outbox):
        await asyncio.gather(*(outbox.put(event) for event in waiting))

    with writing(path, **bounds) as outbox:
        asyncio.run(main(outbox))


def take_all(path, outcome="sent"):
    """Take what waits, in order."""
    bodies, ended = [], None
    with sending(path) as way_out:
        while event := way_out.take(ended):
            bodies.append(event.body)
            ended = Ended(event.id, outcome)
        if ended:
            assert way_out.take(ended) is None
    return bodies


def amounts(path):
    outcomes = look(path).outcomes.items()
    return {name: outcome.amount for name, outcome in outcomes if outcome.amount}


def test_a_new_one_is_empty(path):
    state = look(path)
    assert (state.waiting, state.in_flight, state.bytes, state.oldest) == (0, 0, 0, None)
    assert (state.outcomes, state.drops) == ({}, {})
    assert state.amount("sent") == 0


def test_events_leave_in_the_order_in_which_they_came(path):
    bodies = [f'"{number}"' for number in range(300)]
    put(path, *(Waiting(1500 + n, body) for n, body in enumerate(bodies)))
    assert look(path).waiting == 300
    assert look(path).bytes == sum(map(len, bodies))
    assert look(path).oldest.timestamp() == 1.5
    assert take_all(path) == bodies
    assert (look(path).waiting, look(path).bytes) == (0, 0)
    assert amounts(path) == {"sent": 300}


def test_one_is_in_flight_and_comes_with_its_time(path):
    put(path, Waiting(1234, "1"), Waiting(1235, "2"))
    with sending(path) as way_out:
        first = way_out.take()
        assert first[1:] == (1234, "1")
        assert (look(path).waiting, look(path).in_flight) == (1, 1)
        second = way_out.take(Ended(first.id, "refused", "400: no"))
        assert second.body == "2"
        assert look(path).outcomes["refused"].sample == "400: no"


def test_what_did_not_leave_waits_again_before_the_others(path):
    put(path, "1", "2", "3")
    with sending(path) as way_out:
        assert way_out.take().body == "1"
        way_out.put_back()
        assert (look(path).waiting, look(path).in_flight) == (3, 0)
    assert take_all(path) == ["1", "2", "3"]


def test_an_end_is_counted_once_also_where_a_take_only_seemed_to_fail(path):
    """`take` has committed the end of the first, and marked the second, and nobody heard of it."""
    put(path, "1", "2")
    with sending(path) as way_out:
        ended = Ended(way_out.take().id, "sent")
        way_out.take(ended)
        way_out.put_back(ended)
        assert (look(path).waiting, amounts(path)) == (1, {"sent": 1})
        assert way_out.take().body == "2"


def test_what_is_found_in_flight_is_uncertain_and_never_sent_again(path):
    put(path, "1", "2", "3")
    with sending(path) as killed:
        killed.take()
    with sending(path) as way_out:
        assert way_out.abandon() == 1
    assert take_all(path) == ["2", "3"]
    assert amounts(path) == {"uncertain": 1, "sent": 2}


@pytest.mark.parametrize("bounds", [Bounds(5, 1000), Bounds(50, 5 * len(BODY) + 1)])
def test_what_finds_no_room_is_dropped_and_counted(path, bounds):
    put(path, *[BODY] * 8, bounds=bounds)
    assert (look(path).waiting, amounts(path)) == (5, {"dropped": 3})
    drop = look(path).drops["room"]
    assert (drop.amount, drop.clients) == (3, 3)
    with sending(path) as way_out:
        way_out.put_back(Ended(way_out.take().id, "sent"))
    put(path, *[BODY] * 4, bounds=bounds)
    assert (look(path).waiting, amounts(path)) == (5, {"dropped": 6, "sent": 1})


def test_a_client_has_a_share_and_all_others_find_room(path):
    bounds = Bounds(10 * SHARE, 1000 * SHARE)
    flood = [Waiting(n, "x" * 90, "one") for n in range(50)]
    others = [Waiting(n, "y", f"client-{n}") for n in range(50)]
    put(path, *flood, *others, bounds=bounds)
    assert (look(path).waiting, amounts(path)) == (10 + 50, {"dropped": 40})
    drop = look(path).drops["share"]
    assert (drop.amount, drop.clients, list(look(path).drops)) == (40, 1, ["share"])
    put(path, *[Waiting(n, "z" * 500, "two") for n in range(5)], bounds=bounds)
    assert look(path).drops["share"].clients == 2  # by its bytes: two of them fit
    assert [body[0] for body in take_all(path)] == ["x"] * 10 + ["y"] * 50 + ["z"] * 2


def test_large_events_make_room_for_small_ones(path):
    bounds = Bounds(1000, 1000)
    put(path, *[Waiting(n, "x" * 60, f"large-{n}") for n in range(16)], bounds=bounds)
    put(path, *[Waiting(n, "y" * 10, f"small-{n}") for n in range(30)], bounds=bounds)
    bodies = take_all(path)
    assert [body[0] for body in bodies].count("y") == 30
    assert sum(map(len, bodies)) <= 1000
    assert amounts(path)["dropped"] == 16 + 30 - len(bodies) == look(path).drops["room"].clients


def test_what_two_report_under_one_key_is_taken_once(path):
    put(path, Waiting(1, "1", "c", "key-1"), Waiting(2, "2", "c", "key-2"))
    assert take_all(path) == ["1", "2"]
    put(path, Waiting(3, "3", "c", "key-1"), Waiting(4, "4", "c"), Waiting(5, "5", "c"))
    assert take_all(path) == ["4", "5"]
    assert amounts(path) == {"sent": 4}


def test_events_from_before_the_shares_are_sent_with_their_time(tmp_path):
    """The first schema had seconds, no client, and a time in the body."""
    first = tmp_path / "first"
    first.mkdir()
    shutil.copy(SCHEMA / "0001_outbox.sql", first)
    old = tmp_path / "outbox.sqlite3"
    migrate(old, first)
    with closing(connect(old)) as database:
        database.execute("insert into events (time, body) values (1700000000, '{}')")
    migrate(old, SCHEMA)
    put(old, BODY)
    with sending(old) as way_out:
        assert way_out.take().time == 1_700_000_000_000
    assert (look(old).waiting, look(old).in_flight) == (1, 1)


def test_a_locked_one_loses_events_and_counts_them_afterwards(path, caplog):
    """The page gets its answer within the patience, and nothing raises."""
    caplog.set_level(logging.CRITICAL)

    async def main(outbox, lock):
        await outbox.put(Waiting(1, BODY))
        outbox.post(Waiting(2, BODY))
        await outbox.put(Waiting(3, BODY))  # returns after those before it were tried
        lock.execute("rollback")
        await outbox.put(Waiting(4, BODY))

    with closing(connect(path)) as lock, writing(path) as outbox:
        lock.execute("begin immediate")
        asyncio.run(main(outbox, lock))
    assert look(path).waiting == 1
    assert amounts(path) == {"dropped": 3}


def test_what_cannot_even_be_queued_is_counted(path, caplog, monkeypatch):
    caplog.set_level(logging.CRITICAL)
    monkeypatch.setattr("sql.groups.QUEUE_LIMIT", 0)

    async def main(outbox):
        await outbox.put(Waiting(1, BODY))
        outbox.post(Waiting(2, BODY))

    with writing(path) as outbox:
        asyncio.run(main(outbox))
    assert amounts(path) == {"dropped": 2}


def test_one_that_is_gone_is_an_error_to_whoever_looks(tmp_path):
    with pytest.raises(OutboxError, match=r"none\.sqlite3"):
        look(tmp_path / "none.sqlite3")
    with sending(tmp_path) as way_out, pytest.raises(OutboxError):
        way_out.take()


def test_looking_does_not_wait_for_a_writer(path):
    with closing(connect(path)) as writer:
        writer.execute("begin immediate")
        writer.execute("insert into events (time, body) values (1, '{}')")
        assert look(path).waiting == 0
        writer.execute("commit")
    assert look(path).waiting == 1


def test_the_bounds_hold_however_rows_come_and_go(path):
    """Kept by trigger; the sum over the rows is the same."""
    put(path, "1", "22", "333")
    with sending(path) as way_out:
        way_out.put_back(Ended(way_out.take().id, "sent"))
    with closing(sqlite3.connect(path)) as database:
        ((events, size),) = database.execute("select count(*), sum(length(body)) from events")
    assert (look(path).waiting, look(path).bytes) == (events, size) == (2, 5)
