"""--backup: one moment, one file, while others write."""

import os
import random
import sqlite3
import stat
import time
from contextlib import closing

import pytest

from sql import backup as backups
from sql.backup import backup
from sql.database import connect
from sql.errors import UpkeepError
from tests.support.events.maintenance import House, record, today


@pytest.fixture
def house(tmp_path):
    return House(tmp_path).fill(days=40)


def count(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("select sum(count) from day_counts").fetchone()[0]


def test_a_copy_of_one_moment_while_others_write(house, tmp_path, monkeypatch):
    monkeypatch.setattr(backups, "PAGES", 4)
    target, chance, steps = tmp_path / "copy.sqlite3", random.Random(1), []  # noqa: S311
    before = count(house.database)
    with closing(connect(house.database)) as other:

        def told(what, done, of):
            if what == "copied pages":
                assert not steps or done > steps[-1], "it begins again, and would never end"
                steps.append(done)
                record(other, chance, today())
                assert not target.exists()

        size = backup(house.database, target, told)
    assert len(steps) > 10
    assert count(house.database) > before
    assert count(target) == before
    assert size == target.stat().st_size
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"copy.sqlite3", "data", "portal.toml"}
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("pragma journal_mode").fetchone() == ("delete",)
        assert copy.execute("pragma integrity_check").fetchone() == ("ok",)


def test_it_does_not_wait_for_a_writer(house, tmp_path):
    with closing(connect(house.database)) as writer:
        writer.execute("begin immediate")
        begun = time.monotonic()
        backup(house.database, tmp_path / "copy.sqlite3")
        assert time.monotonic() - begun < 5
        writer.execute("rollback")


def test_the_command_says_and_remembers_it(house, tmp_path):
    target = tmp_path / "copy.sqlite3"
    status, said, errors = house.run("--backup", str(target))
    size = target.stat().st_size
    assert (status, said, errors) == (0, f"{target}: {size:,} bytes, checked.\n", "")
    assert house.rows("select name, detail from operations") == [("backup", str(size))]
    assert house.rows("select at > datetime('now', '-1 minute') from operations") == [(1,)]


def test_what_a_kill_left_is_written_anew(house, tmp_path):
    (tmp_path / "copy.sqlite3.partial").write_bytes(b"x" * 10_000_000)
    backup(house.database, tmp_path / "copy.sqlite3")
    assert count(tmp_path / "copy.sqlite3") == count(house.database)


def test_one_that_is_being_written_is_left_alone(house, tmp_path):
    target = tmp_path / "copy.sqlite3"

    def told(*_):
        with pytest.raises(UpkeepError, match="being written by another backup"):
            backup(house.database, target)

    backup(house.database, target, told)
    assert count(target) == count(house.database)


def test_interrupted_it_leaves_nothing(house, tmp_path, monkeypatch):
    monkeypatch.setattr(backups, "PAGES", 4)

    def told(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup(house.database, tmp_path / "copy.sqlite3", told)
    assert {path.name for path in tmp_path.iterdir()} == {"data", "portal.toml"}


def test_a_damaged_database_makes_no_backup(house, tmp_path):
    with house.connect() as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
        (page,) = connection.execute(
            "select rootpage from sqlite_schema where name = 'downloads'"
        ).fetchone()
    with house.database.open("r+b") as file:
        file.seek((page - 1) * 4096 + 8)
        file.write(os.urandom(400))
    with pytest.raises(UpkeepError, match="damaged"):
        backup(house.database, tmp_path / "copy.sqlite3")
    assert {path.name for path in tmp_path.iterdir()} == {"data", "portal.toml"}


def test_a_note_that_cannot_be_written_does_not_undo_it(house, tmp_path):
    with house.connect() as connection:
        connection.execute("drop table operations")
    target = tmp_path / "copy.sqlite3"
    status, said, errors = house.run("--backup", str(target))
    assert status == 1
    assert said.endswith("bytes, checked.\n")
    assert errors.startswith("The backup is good, but /metrics will not say so:")
    assert count(target) == count(house.database)
