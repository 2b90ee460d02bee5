"""A database that is replaced, deleted or of another program while the portal writes to it."""

import shutil
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest

from sql.database import connect, migrate, read_migrations
from sql.errors import UpkeepError
from sql.held import file_ids
from sql.upkeep import Upkeep
from tests.support.events.recording import Place, record, request


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def eventually(ask, wanted):
    until = time.monotonic() + 10
    while (answer := ask()) != wanted:
        assert time.monotonic() < until, answer
        time.sleep(0.05)


def copied(place, name):
    """A copy as a backup makes it: one file without a log."""
    target = place.database.with_name(name)
    with (
        closing(sqlite3.connect(place.database)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
        copy.execute("pragma journal_mode = delete")
    return target


def move(database, target, suffix):
    database.with_name(database.name + suffix).rename(target.with_name(target.name + suffix))


def unfinished(place):
    """Another connection that keeps the log from being emptied."""
    return closing(connect(place.database))


@pytest.mark.parametrize("with_log", [True, False], ids=["log-stays", "log-moves"])
def test_events_go_into_the_file_that_took_the_place(place, with_log):
    with place.recorder() as recorder, unfinished(place) as other:
        assert record(recorder, request("a")) == [None]
        copy = copied(place, "copy.sqlite3")
        assert record(recorder, request("lost")) == [None]
        other.execute("select count(*) from downloads").fetchall()
        if not with_log:
            for suffix in ("-wal", "-shm"):
                move(place.database, place.database.with_name("old.sqlite3"), suffix)
        copy.rename(place.database)
        assert record(recorder, request("b"), request("c")) == [None, None]
        assert place.assets() == ["a", "b", "c"]
        assert place.rows("pragma integrity_check") == [("ok",)]
    assert place.assets() == ["a", "b", "c"]


def test_an_older_one_is_brought_up_to_date(place):
    with place.recorder() as recorder:
        assert record(recorder, request("a")) == [None]
        fresh = place.database.with_name("fresh.sqlite3")
        with closing(sqlite3.connect(fresh)) as connection:
            connection.executescript(read_migrations()[0])
            connection.execute("pragma user_version = 1")
        fresh.rename(place.database)
        assert record(recorder, request("b")) == [None]
    assert place.assets() == ["b"]


def test_a_deleted_one_is_not_made_again_and_what_comes_waits_for_its_return(place):
    away = place.database.with_name("away.sqlite3")
    with place.recorder() as recorder:
        assert record(recorder, request("a")) == [None]
        copy = copied(place, "copy.sqlite3")
        for suffix in ("", "-wal", "-shm"):
            move(place.database, away, suffix)
        assert record(recorder, request("b")) == [None]
        assert not place.database.exists()
        copy.rename(place.database)
        eventually(place.assets, ["a", "b"])


def test_one_that_is_still_being_copied_is_left_alone_until_it_is_whole(place):
    """As `install` and `cp` write it: there at once, empty, then part by part."""
    with place.recorder() as recorder:
        assert record(recorder, request("a")) == [None]
        content = copied(place, "copy.sqlite3").read_bytes()
        for suffix in ("", "-wal", "-shm"):
            move(place.database, place.database.with_name("away.sqlite3"), suffix)
        written = 0
        with place.database.open("wb", buffering=0) as file:
            for size in (0, 50, 5000, 40_000):
                written += file.write(content[written:size])
                assert record(recorder, request(f"b{size}")) == [None]
                with pytest.raises(UpkeepError):
                    Upkeep(place.database).run(datetime.now(UTC).date())
                assert place.database.read_bytes() == content[:size]
            file.write(content[written:])
        eventually(place.assets, ["a", "b0", "b50", "b5000", "b40000"])
    assert place.rows("pragma integrity_check") == [("ok",)]


def test_a_database_of_another_program_is_left_alone(place):
    with place.recorder() as recorder:
        assert record(recorder, request("a")) == [None]
        copy = copied(place, "copy.sqlite3")
        other = place.database.with_name("other.sqlite3")
        with closing(sqlite3.connect(other)) as connection:
            connection.execute("create table bookmarks (address text)")
            connection.execute("pragma user_version = 2")
        content = other.read_bytes()
        other.rename(place.database)
        assert record(recorder, request("b")) == [None]
        assert place.database.read_bytes() == content
        copy.rename(place.database)
        eventually(place.assets, ["a", "b"])


def test_the_files_of_a_database_that_stays_are_the_same(place):
    with place.recorder() as recorder:
        record(recorder, request("a"))
        ids = file_ids(place.database)
        assert None not in ids
        for number in range(20):
            record(recorder, request(f"b{number}"))
            with closing(connect(place.database)) as other:
                other.execute("pragma wal_checkpoint(truncate)")
            migrate(place.database)
        assert file_ids(place.database) == ids


def test_several_processes_follow_one_after_the_other(place):
    """The second must not delete the log that the first has begun in the new file."""
    with place.recorder(0, 2) as first, place.recorder(1, 2) as second:
        assert record(first, request("a")) == [None]
        assert record(second, request("b")) == [None]
        copy = copied(place, "copy.sqlite3")
        shutil.copy(copy, copy.with_name("again.sqlite3"))
        copy.rename(place.database)
        assert record(first, request("c")) == [None]
        assert record(second, request("d")) == [None]
        assert record(first, request("e")) == [None]
        assert place.assets() == ["a", "b", "c", "d", "e"]
