"""Spill files that are damaged, torn, stale or half replayed: nothing else is lost or doubled."""

from contextlib import closing

import pytest

from sql import spill, spillformat, writer
from sql.database import connect
from sql.spill import Spill, waiting
from tests.support.events.recording import Place, batch, fill, request


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "PATIENCE", 0.1)
    monkeypatch.setattr(spill, "SIZE", 256 << 10)
    return Place(tmp_path)


def unreplayed(path):
    with closing(Spill(path)) as file:
        return [record.payload for record in file.records(spillformat.FIRST)]


def flip(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 0xFF
    path.write_bytes(data)


def starts(path):
    with closing(Spill(path)) as file:
        return [record.start for record in file.records(spillformat.FIRST)]


@pytest.mark.parametrize("offset", [0, 9, 13, 17, 25, 40], ids=lambda n: f"byte {n}")
@pytest.mark.parametrize(("damaged", "kept"), [(0, ["b", "c"]), (1, ["a", "c"]), (2, ["a", "b"])])
def test_a_damaged_record_costs_no_other(place, caplog, damaged, kept, offset):
    path = place.spills / "0.spill"
    fill(path, ["a"], ["b"], ["c"])
    flip(path, starts(path)[damaged] + offset)
    assert place.record(request("new")) == [None]
    assert place.assets() == [*kept, "new"]
    # A damaged last record cannot be told from one that was never finished.
    assert ("are damaged" in caplog.text) == (damaged < 2)


def test_a_torn_record_is_overwritten(place):
    path = place.spills / "0.spill"
    fill(path, ["a"])
    with closing(Spill(path)) as file:
        end = max(record.end for record in file.records(spillformat.FIRST))
        torn = spillformat.pack(bytes.fromhex(file.id), batch(*"torn"))
    for cut in (1, 8, 20, 28, len(torn) - 1):
        with path.open("r+b") as raw:
            raw.seek(end)
            raw.write(torn[:cut])
        assert len(unreplayed(path)) == 1
    fill(path, ["b"])
    place.record()
    assert place.assets() == ["a", "b"]


def test_records_of_an_earlier_generation_never_count(place):
    path = place.spills / "0.spill"
    fill(path, ["a"], ["b"], ["c"])
    place.record()
    fill(path, ["A"])
    assert waiting(place.spills, place.database) == 1
    place.record()
    assert place.assets() == ["a", "b", "c", "A"]


def test_a_killed_replay_goes_on_behind_what_is_committed(place):
    path = place.spills / "0.spill"
    offset = {"spill": fill(path, ["a"], ["b"]), "replayed": starts(path)[1]}
    with closing(connect(place.database)) as connection:
        connection.execute("insert into spill_offsets values (:spill, :replayed)", offset)
    assert waiting(place.spills, place.database) == 1
    place.record()
    assert place.assets() == ["b"]


def test_killed_before_the_file_was_emptied(place):
    path = place.spills / "0.spill"
    offset = {"spill": fill(path, ["a"]), "replayed": spill.SIZE}
    with closing(connect(place.database)) as connection:
        connection.execute("insert into spill_offsets values (:spill, :replayed)", offset)
    assert place.record(request("new")) == [None]
    assert place.assets() == ["new"]
    assert place.rows("select * from spill_offsets") == []


@pytest.mark.parametrize("position", [0, 12, 28])
def test_a_file_without_a_valid_header_is_kept_aside(place, caplog, position):
    path = place.spills / "0.spill"
    fill(path, ["a"])
    flip(path, position)
    damaged = path.read_bytes()
    assert place.record(request("new")) == [None]
    assert place.assets() == ["new"]
    assert path.with_suffix(".damaged").read_bytes() == damaged
    assert "no valid header" in caplog.text


def test_a_reservation_that_was_killed(place):
    path = place.spills / "0.spill"
    path.parent.mkdir()
    path.write_bytes(bytes(spill.SIZE))
    with place.locked():
        assert place.record(request()) == [None]
    place.record()
    assert place.assets() == ["a.zip"]
