"""The spill: a locked, full or missing database, replay, and files that are damaged."""

import asyncio
import logging
import resource
import time
from contextlib import closing, contextmanager

import pytest

from portal.counting import Classification
from portal.events import Clone
from sql import spill, spillformat, writer
from sql.errors import RecordError
from sql.spill import Spill, waiting
from tests.support.events.recording import NOON, Place, batch, fill, record, request


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "PATIENCE", 0.1)
    monkeypatch.setattr(spill, "SIZE", 256 << 10)
    return Place(tmp_path)


def test_a_locked_database_loses_nothing(place):
    async def main(recorder):
        with place.locked():
            for number in range(20):
                await asyncio.gather(
                    recorder.record(request(f"{number}a")), recorder.record(request(f"{number}b"))
                )
            assert place.assets() == []
            assert waiting(place.spills, place.database) == 40
        await recorder.record(request("newer"))

    expected = [f"{number}{half}" for number in range(20) for half in "ab"]
    with place.recorder() as recorder:
        asyncio.run(main(recorder))
        assert place.assets() == [*expected, "newer"]
        assert waiting(place.spills, place.database) == 0
    assert place.rows("select * from spill_offsets") == []


def test_replay_needs_no_new_event(place):
    with place.recorder() as recorder:
        with place.locked():
            assert record(recorder, request()) == [None]
        deadline = time.monotonic() + 5
        while not place.assets() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert place.assets() == ["a.zip"]


def test_close_and_start_in_a_locked_database(place):
    with place.locked():
        assert place.record(request("1"), Clone("pets", "h", "u")) == [None] * 2
        assert place.record(request("2")) == [None]
    assert waiting(place.spills, place.database) == 3
    assert place.record() == []
    assert place.assets() == ["1", "2"]
    assert place.rows("select count(*) from clones") == [(1,)]


def test_a_replay_in_chunks(place, monkeypatch):
    def replay_chunk(*arguments):
        chunks.append(original(*arguments))
        return chunks[-1]

    chunks, original = [], writer.Writer._replay_chunk
    monkeypatch.setattr(writer, "CHUNK", 3)
    monkeypatch.setattr(writer.Writer, "_replay_chunk", replay_chunk)
    names = [str(number) for number in range(20)]
    fill(place.spills / "0.spill", *([name] for name in names))
    place.record()
    assert place.assets() == names
    assert chunks == [3] * 6 + [2, 0]


def test_spilled_parts_are_decided_in_the_order_of_time(place):
    part, start = Classification.PART, int(time.time()) - 2000

    async def main(recorder):
        with place.locked():
            for after in (400, 900, 1400, 1900):
                await recorder.record(request("a", part, start + after))
        await recorder.record(request("a", part, start + 2400))

    place.record(request("a", part, start))
    with place.recorder() as recorder:
        asyncio.run(main(recorder))
    assert place.assets() == ["a"]
    # Summed: the test may run across midnight.
    totals = "select verdict, sum(count) from request_totals group by 1 order by 1"
    assert place.rows(totals) == [("continued", 5), ("counted", 1)]


def test_files_of_several_slots_are_merged_by_time(place):
    part = Classification.PART
    with place.locked():
        place.record(request("a", part, NOON), slot=0, slots=3)
        place.record(request("a", part, NOON + 600), slot=1, slots=3)
        place.record(request("a", part, NOON + 1200), slot=2, slots=3)
    assert waiting(place.spills, place.database) == 3
    place.record()
    assert place.assets() == ["a"]
    assert waiting(place.spills, place.database) == 0


def test_each_slot_adopts_its_share(place):
    for slot in range(5):
        fill(place.spills / f"{slot}.spill", [str(slot)])
    place.record(slot=1, slots=2)
    assert sorted(place.assets()) == ["1", "3"]
    place.record(slot=0, slots=2)
    assert sorted(place.assets()) == ["0", "1", "2", "3", "4"]


def test_one_file_one_process(place):
    with place.recorder(), pytest.raises(RecordError, match="another process"):
        place.record()
    with closing(Spill(place.spills / "1.spill")):
        place.record(request())  # cannot adopt it, and starts all the same


def test_the_files_are_private_and_reserved(place):
    place.record()
    file = place.spills / "0.spill"
    assert place.spills.stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.stat().st_size == spill.SIZE
    assert file.stat().st_blocks * 512 >= spill.SIZE


def test_without_a_database(place):
    place.database.rename(aside := place.database.with_suffix(".aside"))
    with place.recorder() as recorder:
        assert record(recorder, request()) == [None]
        assert not place.database.exists()
        assert waiting(place.spills, place.database) == 1
        aside.rename(place.database)
        assert record(recorder, request("b.zip")) == [None]
    assert place.assets() == ["a.zip", "b.zip"]


@contextmanager
def no_file_grows_beyond(size):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_then_a_full_spill_then_room(place):
    """Nothing may grow, as on a full disk; what is reserved can be written."""
    acknowledged, refused = [], []

    def load(recorder, first):
        names = [str(number) for number in range(first, first + 200)]
        outcomes = record(recorder, *map(request, names))
        for name, outcome in zip(names, outcomes, strict=True):
            (refused if outcome else acknowledged).append(name)

    with place.recorder() as recorder:
        with no_file_grows_beyond(spill.SIZE):
            while not refused:
                load(recorder, len(acknowledged))
        assert waiting(place.spills, place.database) > 200
        assert record(recorder, request("after")) == [None]
    assert place.assets() == [*acknowledged, "after"]


def test_posted_events_that_are_lost_are_logged_once_a_burst(place, monkeypatch, caplog):
    def full(*_):
        raise RecordError("no room")

    monkeypatch.setattr(Spill, "append", full)
    with place.recorder() as recorder:
        with place.locked():
            for _ in range(5):
                recorder.post(request())
                assert isinstance(record(recorder, request())[0], RecordError)
        record(recorder, request("kept"))
    errors = [entry.message for entry in caplog.records if entry.levelno == logging.ERROR]
    assert errors == [
        "events that nobody waits for are lost: no room",
        "events are recorded again; lost: 5",
    ]


def test_a_full_spill_file_does_not_grow(place):
    path = place.spills / "0.spill"
    with closing(Spill(path)) as file:
        with pytest.raises(RecordError, match="full"):
            for _ in range(10_000):
                file.append(batch("a"))
        count = len(list(file.records(spillformat.FIRST)))
    assert path.stat().st_size == spill.SIZE
    place.record()
    assert len(place.assets()) == count > 500


def test_what_was_refused_is_not_recorded_later(place, monkeypatch):
    def fails(_):
        raise OSError("no disk")

    with place.recorder() as recorder:
        with place.locked():
            assert record(recorder, request("1")) == [None]
            with monkeypatch.context() as patched:
                patched.setattr(spill.os, "fdatasync", fails)
                assert isinstance(record(recorder, request("refused"))[0], RecordError)
        assert record(recorder, request("2")) == [None]
    assert place.assets() == ["1", "2"]


def test_no_room_to_reserve(place, caplog):
    with place.locked():
        with no_file_grows_beyond(10_000), place.recorder() as recorder:
            assert "no room to spill" in caplog.text
            assert isinstance(record(recorder, request("lost"))[0], RecordError)
        with place.recorder() as recorder:
            assert record(recorder, request("kept")) == [None]
    place.record()
    assert place.assets() == ["kept"]


def test_nothing_waits_where_nothing_is(tmp_path):
    assert waiting(tmp_path / "none", tmp_path / "none.sqlite3") == 0
