"""Versions that come, change and go while the portal serves; processes that die; a broken index."""

import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from benchmarks.versions import Versions
from tests.support.catalog.portals import CatalogPortal, table, write


def children(pid):
    """Processes that a process has started and that still run."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in found]


def readers(portal):
    """The processes that read tables."""
    found = []
    for pid in children(portal.process.pid):
        with suppress(OSError):
            if b"portal.catalog.indexing" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def integrity(portal):
    """What SQLite finds wrong with the index."""
    with closing(sqlite3.connect(portal.index)) as index:
        return index.execute("pragma integrity_check").fetchall()


@pytest.mark.long
@pytest.mark.parametrize("processes", [1, 3])
def test_versions_come_change_and_go(tmp_path, processes):
    folder = write(
        tmp_path / "versions",
        {f"{n}/Cat/D_A.json": table("One", f"Only_{n}") for n in (1, 2, 3)},
    )
    write(folder, {"3/Cat/D_B.json": table("Gone")})
    with CatalogPortal(tmp_path / "portal", folder, processes=processes) as portal:
        portal.ready("1", "2", "3")
        write(folder, {"10/Cat/D_A.json": table("One", "Newest")})
        write(folder, {"3/Cat/D_A.json": table("One", "Changed"), "3/Cat/D_C.json": table("New")})
        (folder / "3/Cat/D_B.json").unlink()
        (folder / "1/Cat/D_A.json").unlink()
        (folder / "1/Cat").rmdir()
        (folder / "1").rmdir()
        portal.ready("10")
        # Every process answers some of these.
        portal.until(lambda: all(portal.get("1")[0] == 404 for _ in range(10)))
        for _ in range(10):
            assert portal.names("3", "Cat", "D_A") == ["One", "Changed"]
            assert portal.names("3", "Cat", "D_B") is None
            assert portal.names("3", "Cat", "D_C") == ["New"]
            assert portal.names("2", "Cat", "D_A") == ["One", "Only_2"]
            assert portal.json()["version"] == "10"
            assert portal.json("search", q="Newest")["total"] == 1
            assert portal.json("search", q="Only_1")["total"] == 0
        assert portal.stop(seconds=10) == 0
        assert integrity(portal) == [("ok",)]
        assert "Traceback" not in portal.log()


@pytest.mark.long
def test_a_version_that_is_still_being_copied(tmp_path):
    folder = write(tmp_path / "versions", {"1/Cat/D_A.json": table("One")})
    with CatalogPortal(tmp_path / "portal", folder) as portal:
        portal.ready("1")
        whole = table(*(f"Row_{n}" for n in range(400)))
        end = time.monotonic() + 14  # longer than the portal waits between two looks
        for n in range(10_000):
            if time.monotonic() > end:
                break
            write(folder, {f"2/Cat/D_{n:04}.json": whole[: len(whole) // 2]})
            time.sleep(0.05)
            write(folder, {f"2/Cat/D_{n:04}.json": whole})
        portal.until(lambda: f"D_{n - 1:04}" in portal.get("2", "Cat")[1])
        tables = portal.json("2")["tables"]
        assert len(tables) == n
        assert {each["rows"] for each in tables} == {400}
        assert portal.problems() == []
        assert "Traceback" not in portal.log()


@pytest.fixture(scope="module")
def weeks(tmp_path_factory):
    """Versions that take some seconds to read."""
    versions = Versions(tmp_path_factory.mktemp("set") / "versions", scale=0.2)
    for _ in range(3):
        versions.write_next()
    return versions.folder, versions.names


def seen_reading(portal):
    """The process that reads, in the middle of it."""
    portal.until(lambda: readers(portal) and portal.index.with_name("catalog.sqlite3-wal").exists())
    portal.until(lambda: portal.get()[0] == 200, 10)
    return readers(portal)


@pytest.mark.long
def test_the_reader_is_killed(tmp_path, weeks):
    folder, names = weeks
    with CatalogPortal(tmp_path / "portal", folder) as portal:
        for reader in seen_reading(portal):
            os.kill(reader, signal.SIGKILL)
        portal.until(lambda: "the reader ended with -9" in portal.log())
        portal.ready(*names)  # it begins again by itself
        assert portal.stop(seconds=10) == 0
        assert integrity(portal) == [("ok",)]


@pytest.mark.long
def test_the_portal_is_killed(tmp_path, weeks):
    folder, names = weeks
    with CatalogPortal(tmp_path / "portal", folder) as portal:
        reading = seen_reading(portal)
        portal.process.kill()
        portal.process.wait(10)
        end = time.monotonic() + 10
        while any(alive(pid) for pid in reading):  # nobody goes on writing
            assert time.monotonic() < end
            time.sleep(0.05)
        portal.start().ready(*names)
        assert len(portal.json(names[0])["tables"]) > 40
        assert portal.stop(seconds=10) == 0
        assert integrity(portal) == [("ok",)]


def alive(pid):
    """Whether a process runs; one that waits to be buried does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_stop_does_not_wait_for_the_reader(tmp_path, weeks):
    folder, _ = weeks
    with CatalogPortal(tmp_path / "portal", folder) as portal:
        reading = seen_reading(portal)
        assert portal.stop(seconds=10) == 0
        assert not any(alive(pid) for pid in reading)
        assert "Traceback" not in portal.log()


def overwritten(index):
    index.write_bytes(b"This is no database. " * 1000)


def cut(index):
    index.write_bytes(index.read_bytes()[:5000])


def zeroes_within(index):
    with index.open("r+b") as file:
        size = index.stat().st_size
        file.seek(4096)
        file.write(bytes(size - 2 * 4096))


def nothing(index):
    index.write_bytes(b"")


def of_the_future(index):
    with closing(sqlite3.connect(index)) as connection:
        connection.execute("pragma user_version = 999")


def of_another_program(index):
    index.unlink()
    with closing(sqlite3.connect(index)) as connection:
        connection.execute("create table versions (something integer)")
        connection.execute("pragma user_version = 1")


def a_table_less(index):
    with closing(sqlite3.connect(index)) as connection:
        connection.execute("drop table words")
        connection.execute("drop table links")


def a_folder(index):
    index.unlink()
    index.mkdir()
    (index / "file").write_text("x")


@pytest.mark.parametrize(
    "damage",
    [
        zeroes_within,
        of_another_program,
        *(
            pytest.param(each, marks=pytest.mark.long)
            for each in (overwritten, cut, nothing, of_the_future, a_table_less)
        ),
    ],
)
def test_a_broken_index_is_made_anew(tmp_path, damage):
    folder = write(
        tmp_path / "versions",
        {"1/Cat/D_A.json": table(*(f"Row_{n}" for n in range(300))), "2/Cat/D_A.json": table("B")},
    )
    with CatalogPortal(tmp_path / "portal", folder) as portal:
        portal.ready("1", "2")
        assert portal.stop(seconds=10) == 0
        damage(portal.index)
        portal.start().ready("1", "2")
        portal.until(lambda: len(portal.names("1", "Cat", "D_A") or ()) == 300)
        portal.until(lambda: portal.json("search", q="Row_7", version="1")["total"] >= 1)
        assert portal.get("1", "Cat", "D_A", "Row_7")[0] == 200
        assert portal.stop(seconds=10) == 0
        assert integrity(portal) == [("ok",)]


def deleted(index):
    for path in index.parent.glob("catalog.sqlite3*"):
        path.unlink()


@pytest.mark.long
@pytest.mark.parametrize("damage", [deleted, zeroes_within])
def test_an_index_that_breaks_while_it_is_used(tmp_path, damage):
    folder = write(tmp_path / "versions", {"1/Cat/D_A.json": table("One")})
    with CatalogPortal(tmp_path / "portal", folder, processes=2) as portal:
        portal.ready("1")
        damage(portal.index)
        write(folder, {"2/Cat/D_A.json": table("One", "Two")})
        portal.ready("2")
        for _ in range(10):  # by every thread of every process
            assert portal.names("2", "Cat", "D_A") == ["One", "Two"]
            assert portal.json("search", q="Two")["total"] == 1
        assert portal.get()[0] == 200
        assert portal.stop(seconds=10) == 0
        assert integrity(portal) == [("ok",)]


def test_other_pages_stand_without_an_index(tmp_path):
    folder = write(tmp_path / "versions", {"1/Cat/D_A.json": table("One")})
    with CatalogPortal(tmp_path / "portal", folder) as portal:
        portal.ready("1")
        assert portal.stop(seconds=10) == 0
        a_folder(portal.index)
        done = subprocess.run(portal.command, env=portal.environ, capture_output=True, timeout=20)
        assert done.returncode != 0
        assert b"catalog.sqlite3" in done.stderr
        assert b"Traceback" not in done.stderr
