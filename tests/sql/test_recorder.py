"""The recorder: what is committed, in what order, and what becomes of events it cannot take."""

import asyncio
import logging
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from portal.counting import Classification
from portal.events import CatalogInteraction, Clone, ToolUse
from sql import groups
from sql.batch import row
from sql.errors import RecordError
from sql.recorder import Recorder
from tests.support.events.recording import NOON, Place, record, request

TIME = "2023-11-15 12:00:00"


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


KINDS = [
    (request(), "downloads", ("pets", "v1", "a.zip", TIME, "h", "u")),
    (Clone("pets", "h", "git/2.40.0", NOON), "clones", ("pets", TIME, "h", "git/2.40.0")),
    (
        ToolUse("pets", "upload", "h", "u", NOON),
        "tool_usage",
        ("pets", "upload", TIME, "h", "u"),
    ),
    (
        CatalogInteraction("search", "cat", 7, "h", NOON),
        "catalog_interactions",
        ("search", "cat", 7, TIME, "h"),
    ),
    (
        CatalogInteraction("category_view", "123", None, "h", NOON),
        "catalog_interactions",
        ("category_view", "123", None, TIME, "h"),
    ),
]


@pytest.mark.parametrize(("event", "table", "row"), KINDS)
def test_each_kind_is_a_row(place, event, table, row):
    assert place.record(event) == [None]
    assert place.rows(f"select * from {table}") == [(1, *row)]  # noqa: S608


def test_all_kinds_in_one_batch(place):
    events = [event for event, *_ in KINDS] * 50
    assert place.record(*events) == [None] * len(events)
    for table in ("downloads", "clones", "tool_usage"):
        assert place.rows(f"select count(*) from {table}") == [(50,)]  # noqa: S608
    assert place.rows("select event, count from catalog_totals") == [
        ("category_view", 50),
        ("search", 50),
    ]


def test_a_row_is_committed_before_its_request_goes_on(place):
    async def main(recorder):
        await recorder.record(request())
        return place.assets()

    with place.recorder() as recorder:
        assert asyncio.run(main(recorder)) == ["a.zip"]


def test_rows_stand_in_the_order_they_came(place):
    names = [f"{number}.zip" for number in range(2000)]
    assert place.record(*map(request, names)) == [None] * 2000
    assert place.assets() == names


TEXTS = {
    "every plane": ("naïve 文字 🦊 \u2028 \x7f", "naïve 文字 🦊 \u2028 \x7f"),
    "JSON's own": ("\"'\\ \\u0000 \n\t\x01 [] {}", "\"'\\ \\u0000 \n\t\x01 [] {}"),
    "SQL's own": ("'); drop table downloads; --", "'); drop table downloads; --"),
    "half a surrogate pair": ("a\ud800b\udfffc", "a?b?c"),
    "NUL": ("a\0b", "a\N{REPLACEMENT CHARACTER}b"),
    "empty": ("", ""),
    "long": ("🦊" * 3000, "🦊" * 1024),
}


@pytest.mark.parametrize(("text", "stored"), TEXTS.values(), ids=TEXTS)
def test_hostile_text_keeps_its_row_and_its_neighbours(place, text, stored):
    events = [request("before"), request("it", user_agent=text), request("after")]
    assert place.record(*events) == [None] * 3
    assert place.rows("select asset, user_agent from downloads order by id") == [
        ("before", "u"),
        ("it", stored),
        ("after", "u"),
    ]


POISON = {
    "null": (replace(request(), user_agent=None), TypeError),
    "bytes": (replace(request(), asset=b"a"), TypeError),
    "no number": (replace(request(), time="now"), TypeError),
    "a time without a date": (replace(request(), time=10**12), ValueError),
    "before 1970": (replace(request(), time=-1), ValueError),
}


@pytest.mark.parametrize(("event", "error"), POISON.values(), ids=POISON)
def test_what_no_table_takes_is_refused_and_its_neighbours_are_not(place, event, error):
    before, refused, after = place.record(request("before"), event, request("after"))
    assert (before, type(refused), after) == (None, error, None)
    assert place.assets() == ["before", "after"]


def test_the_order_of_time_decides_within_a_batch(place):
    parts = [request(time=NOON + after, classification=Classification.PART) for after in (1200, 0)]
    renewal = request(time=NOON + 600, classification=Classification.RENEWAL)
    assert place.record(*parts, renewal) == [None] * 3
    assert len(place.assets()) == 1


def test_posted_events_are_committed_by_close(place):
    with place.recorder() as recorder:
        for number in range(1000):
            recorder.post(request(str(number)))
    assert place.assets() == [str(number) for number in range(1000)]


def test_a_cancelled_wait_does_not_take_the_event_back(place):
    async def main(recorder):
        task = asyncio.create_task(recorder.record(request()))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with place.recorder() as recorder:
        asyncio.run(main(recorder))
    assert place.assets() == ["a.zip"]


def test_close_drains_and_then_nothing_is_taken(place, caplog):
    async def main(recorder):
        waits = [asyncio.create_task(recorder.record(request(str(n)))) for n in range(3000)]
        await asyncio.sleep(0)
        await asyncio.to_thread(recorder.close)
        assert await asyncio.gather(*waits) == [None] * 3000
        with pytest.raises(RecordError, match="not running"):
            await recorder.record(request())
        recorder.post(request())
        recorder.post(request())

    with place.recorder() as recorder:
        asyncio.run(main(recorder))
    assert len(place.assets()) == 3000
    assert [r.levelno for r in caplog.records] == [logging.ERROR]


def test_before_start_nothing_is_taken(place):
    recorder = Recorder(place.database, place.spills)
    assert isinstance(record(recorder, request())[0], RecordError)
    recorder.close()


def test_two_loops_one_recorder(place):
    async def main(recorder):
        await asyncio.gather(*(recorder.record(request(str(n))) for n in range(100)))

    async def both(recorder):
        await asyncio.gather(main(recorder), asyncio.to_thread(lambda: asyncio.run(main(recorder))))

    with place.recorder() as recorder:
        asyncio.run(both(recorder))
    assert len(place.assets()) == 200


def test_too_many_queued_are_an_error_and_not_memory(place, monkeypatch):
    monkeypatch.setattr(groups, "QUEUE_LIMIT", 10)
    with place.locked(), place.recorder() as recorder:
        outcomes = record(recorder, *(request(str(n)) for n in range(100)))
    refused = [outcome for outcome in outcomes if outcome]
    assert refused
    assert {str(error) for error in refused} == {"10 events are queued"}


def test_a_fault_in_the_writer_is_told_to_those_who_wait(place, monkeypatch, caplog):
    def fault(*_):
        raise ZeroDivisionError

    with place.recorder() as recorder:
        with monkeypatch.context() as patched:
            patched.setattr("sql.writer.Writer.store", fault)
            assert isinstance(record(recorder, request("lost"))[0], RecordError)
        assert record(recorder, request("kept")) == [None]
    assert place.assets() == ["kept"]
    assert "a batch of events failed" in caplog.text


def test_a_thread_that_ends_leaves_nobody_waiting(place, monkeypatch, caplog):
    def fault(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("sql.writer.Writer.prune", fault)
    with place.recorder() as recorder:
        outcomes = [record(recorder, request(str(n)))[0] for n in range(5)]
    assert isinstance(outcomes[-1], RecordError)
    assert "the recorder has failed" in caplog.text


def test_the_window_is_pruned_on_both_sides_of_now(place):
    now = int(time.time())
    seen = {"old": now - 3700, "recent": now - 3500, "soon": now + 3500, "far": now + 3700}
    place.record(*(request(name, time=when) for name, when in seen.items()))
    with place.recorder():
        pass
    place.record(request("new", time=now))
    assert place.rows("select asset from download_window order by asset") == [
        ("new",),
        ("recent",),
        ("soon",),
    ]


def test_a_thread_that_waits_for_a_busy_loop_gets_its_turn(place):
    before = sys.getswitchinterval()
    try:
        place.record(request())
        assert sys.getswitchinterval() <= groups.SWITCH_SECONDS
    finally:
        sys.setswitchinterval(before)


def test_an_event_of_no_known_kind():
    event = SimpleNamespace(kind="nonsense")
    with pytest.raises(TypeError):
        row(event)
