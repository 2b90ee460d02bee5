"""The outbox as a database: order, bounds, what is in flight, what cannot be written."""

import asyncio
import logging
import sqlite3
from contextlib import closing, contextmanager

import pytest

from sql.database import connect, migrate
from sql.errors import OutboxError
from sql.outbox import SCHEMA, look
from sql.outbox.sending import Sending
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


def put(path, *bodies, **bounds):
    async def main(outbox):
        await asyncio.gather(*(outbox.put(n, body) for n, body in enumerate(bodies)))

    with writing(path, **bounds) as outbox:
        asyncio.run(main(outbox))


def amounts(path):
    return {name: outcome.amount for name, outcome in look(path).outcomes.items()}


def test_a_new_one_is_empty(path):
    state = look(path)
    assert (state.waiting, state.in_flight, state.bytes, state.oldest) == (0, 0, 0, None)
    assert state.outcomes == {}
    assert state.amount("sent") == 0


def test_events_leave_in_the_order_in_which_they_came(path):
    bodies = [f'"{number}"' for number in range(1000)]
    put(path, *bodies)
    assert look(path).waiting == 1000
    assert look(path).bytes == sum(map(len, bodies))
    assert look(path).oldest.timestamp() == 0
    taken = []
    with sending(path) as way_out:
        while batch := way_out.take(300, 1 << 20):
            taken += batch
            way_out.end({"sent": len(batch)})
    assert taken == bodies
    assert (look(path).waiting, look(path).bytes) == (0, 0)
    assert amounts(path) == {"sent": 1000}


@pytest.mark.parametrize(
    ("sizes", "most_bytes", "batch"),
    [((4, 4, 4), 8, 2), ((4, 4, 4), 7, 1), ((90, 4), 8, 1), ((4, 90), 8, 1), ((4, 4), 100, 2)],
)
def test_a_batch_is_bounded_and_never_empty(path, sizes, most_bytes, batch):
    put(path, *("x" * size for size in sizes))
    with sending(path) as way_out:
        assert len(way_out.take(100, most_bytes)) == batch
        assert look(path).in_flight == batch
        assert look(path).waiting == len(sizes) - batch


def test_what_did_not_leave_waits_again_before_the_others(path):
    put(path, "1", "2", "3")
    with sending(path) as way_out:
        assert way_out.take(2, 100) == ["1", "2"]
        way_out.put_back()
        assert (look(path).waiting, look(path).in_flight) == (3, 0)
        assert way_out.take(9, 100) == ["1", "2", "3"]


def test_what_is_found_in_flight_is_uncertain_and_never_sent_again(path):
    put(path, "1", "2", "3")
    with sending(path) as killed:
        killed.take(2, 100)
    with sending(path) as way_out:
        assert way_out.abandon() == 2
        assert way_out.take(9, 100) == ["3"]
    assert amounts(path) == {"uncertain": 2}


@pytest.mark.parametrize("bounds", [{"most_events": 5}, {"most_bytes": 5 * len(BODY) + 1}])
def test_what_finds_no_room_is_dropped_and_counted(path, bounds):
    put(path, *[BODY] * 8, **bounds)
    assert (look(path).waiting, amounts(path)) == (5, {"dropped": 3})
    with sending(path) as way_out:
        way_out.end({"sent": len(way_out.take(2, 100))})
    put(path, *[BODY] * 4, **bounds)
    assert (look(path).waiting, amounts(path)) == (5, {"dropped": 5, "sent": 2})


def test_a_locked_one_loses_events_and_counts_them_afterwards(path, caplog):
    """The page gets its answer within the patience, and nothing raises."""
    caplog.set_level(logging.CRITICAL)

    async def main(outbox, lock):
        await outbox.put(1, BODY)
        outbox.post(2, BODY)
        outbox.ended("uncertain", 2)
        await outbox.put(3, BODY)  # returns after those before it were tried
        lock.execute("rollback")
        await outbox.put(4, BODY)

    with closing(connect(path)) as lock, writing(path) as outbox:
        lock.execute("begin immediate")
        asyncio.run(main(outbox, lock))
    assert look(path).waiting == 1
    assert amounts(path) == {"dropped": 3, "uncertain": 2}


def test_what_cannot_even_be_queued_is_counted(path, caplog, monkeypatch):
    caplog.set_level(logging.CRITICAL)
    monkeypatch.setattr("sql.groups.QUEUE_LIMIT", 0)

    async def main(outbox):
        await outbox.put(1, BODY)
        outbox.post(2, BODY)
        outbox.ended("refused")

    with writing(path) as outbox:
        asyncio.run(main(outbox))
    assert amounts(path) == {"dropped": 2, "refused": 1}


def test_one_that_is_gone_is_an_error_to_whoever_looks(tmp_path):
    with pytest.raises(OutboxError, match=r"none\.sqlite3"):
        look(tmp_path / "none.sqlite3")
    with sending(tmp_path) as way_out, pytest.raises(OutboxError):
        way_out.take(1, 1)


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
        way_out.take(1, 100)
        way_out.end({"sent": 1})
    with closing(sqlite3.connect(path)) as database:
        ((events, size),) = database.execute("select count(*), sum(length(body)) from events")
    assert (look(path).waiting, look(path).bytes) == (events, size) == (2, 5)
