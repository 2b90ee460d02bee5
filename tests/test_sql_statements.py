"""Named statements: how they are read, how they are planned, what the page's ones answer."""

import asyncio
import re
from contextlib import closing

import pytest

import sql
from sql.database import connect, migrate
from sql.errors import ReadError, StatementError
from sql.reader import Reader

EVENTS = "downloads|clones|tool_usage|catalog_interactions"


@pytest.fixture
def path(tmp_path):
    migrate(tmp_path / "portal.sqlite3")
    return tmp_path / "portal.sqlite3"


@pytest.mark.parametrize(
    ("texts", "fault"),
    [
        (["-- name: a\n-- Why.\nselect 1", "-- name: a\n-- Why.\nselect 2"], "two .* named a"),
        (["select 1"], "not under a name"),
        (["-- name: a\nselect 1"], "not under a name"),
        (["-- name: a\n-- Why.\nselect 1\n-- name: b\nselect 2"], "after a has no"),
    ],
)
def test_faults_are_errors(texts, fault):
    with pytest.raises(StatementError, match=fault):
        sql.parse(texts)


def test_an_unknown_name_is_an_error():
    with pytest.raises(StatementError, match="no statement is named nonsense"):
        sql.load()["nonsense"]


@pytest.mark.parametrize("name", sql.load())
def test_no_statement_scans_a_table_of_events(path, name):
    statement = sql.load()[name]
    parameters = dict.fromkeys(re.findall(r":(\w+)", statement))
    with closing(connect(path)) as connection:
        plan = connection.execute(f"explain query plan {statement}", parameters).fetchall()
    assert not [step for *_, step in plan if re.match(rf"SCAN ({EVENTS})\b", step)]


def test_what_a_part_asks_of_the_window_is_a_search(path):
    """The plan of a statement does not show what its triggers do."""
    trigger = "select sql from sqlite_schema where name = 'decide_download'"
    with closing(connect(path)) as connection:
        (text,) = connection.execute(trigger).fetchone()
        lookup = re.search(r"exists \((.*?)\n +\) then", text, re.DOTALL)[1]
        bound = re.sub(r"new\.\w+", "1", lookup)
        plan = connection.execute(f"explain query plan {bound}").fetchall()
    assert any("SEARCH download_window USING PRIMARY KEY" in step for *_, step in plan)


WINDOWS = {"today": "2024-03-31", "since_30": "2024-03-02", "since_90": "2024-01-02"}
# The day of each count, and in which of 30, 90 and all days it is.
DAYS = {
    "2024-03-31": (1, 1, 1),
    "2024-03-02": (1, 1, 1),
    "2024-03-01": (0, 1, 1),
    "2024-01-02": (0, 1, 1),
    "2024-01-01": (0, 0, 1),
    "2021-06-01": (0, 0, 1),
}
PAGE = {
    "downloads_total": [(20, 40, 60)],
    "downloads_by_project": [("pets", 14, 28, 42), ("prospects", 6, 12, 18)],
    "downloads_by_version": [
        ("pets", "v2", 8, 16, 24),
        ("pets", "v1", 6, 12, 18),
        ("prospects", "v1", 6, 12, 18),
    ],
    "clones_total": [(4, 8, 12)],
    "clones_by_project": [("pets", 2, 4, 6), ("prospects", 2, 4, 6)],
    "requests_by_verdict": [("counted", 10, 20, 30), ("probe", 2, 4, 6)],
}
EMPTY = {name: [(0, 0, 0)] if "total" in name else [] for name in PAGE}


def fill(path):
    with closing(connect(path)) as connection:
        for day in DAYS:
            connection.executemany(
                "insert into download_totals values (?, ?, ?, ?, ?)",
                [
                    (day, "pets", "v1", "a.zip", 1),
                    (day, "pets", "v1", "b.zip", 2),
                    (day, "pets", "v2", "a.zip", 4),
                    (day, "prospects", "v1", "a.zip", 3),
                ],
            )
            connection.executemany(
                "insert into clone_totals values (?, ?, 1)", [(day, "pets"), (day, "prospects")]
            )
            connection.executemany(
                "insert into request_totals values (?, 'pets', ?, ?)",
                [(day, "counted", 5), (day, "probe", 1)],
            )


def read(path, name):
    reader = Reader(path)
    try:
        return asyncio.run(reader.rows(name, **WINDOWS))
    finally:
        reader.close()


@pytest.mark.parametrize("name", PAGE)
def test_the_page_before_any_event(path, name):
    assert read(path, name) == EMPTY[name]


@pytest.mark.parametrize("name", PAGE)
def test_windows_are_whole_days_that_end_today(path, name):
    fill(path)
    assert read(path, name) == PAGE[name]


def test_days_to_come_are_in_no_window_but_in_all(path):
    with closing(connect(path)) as connection:
        connection.execute("insert into clone_totals values ('2024-04-01', 'pets', 1)")
    assert read(path, "clones_total") == [(0, 0, 1)]


def test_only_the_hundred_most_downloaded_versions(path):
    with closing(connect(path)) as connection:
        connection.executemany(
            "insert into download_totals values ('2024-03-31', 'pets', ?, 'a.zip', ?)",
            [(f"v{number}", number) for number in range(1, 151)],
        )
    versions = [row[1] for row in read(path, "downloads_by_version")]
    assert versions == [f"v{number}" for number in range(150, 50, -1)]


def test_a_reader_cannot_write(path):
    with pytest.raises(ReadError, match="readonly"):
        read_with(path, "forget_spill", spill="x")


def test_a_reader_of_no_database(tmp_path):
    with pytest.raises(ReadError, match="unable to open"):
        read_with(tmp_path / "none.sqlite3", "clones_total", **WINDOWS)


def read_with(path, name, **parameters):
    reader = Reader(path)
    try:
        return asyncio.run(reader.rows(name, **parameters))
    finally:
        reader.close()


def test_readers_do_not_wait_for_a_writer_and_see_only_what_is_committed(path):
    with closing(connect(path)) as writer:
        writer.execute("begin immediate")
        writer.execute("insert into clone_totals values ('2024-03-31', 'pets', 1)")
        assert read(path, "clones_total") == [(0, 0, 0)]
        writer.execute("commit")
    assert read(path, "clones_total") == [(1, 1, 1)]


def test_a_reader_goes_on_after_an_error(path):
    async def both():
        with pytest.raises(ReadError):
            await reader.rows("forget_spill", spill="x")
        return await reader.rows("clones_total", **WINDOWS)

    reader = Reader(path, threads=1)
    try:
        assert asyncio.run(both()) == [(0, 0, 0)]
    finally:
        reader.close()
