"""Named statements: how they are read, how they are planned, what the page's ones answer."""

import asyncio
import re
from contextlib import closing
from datetime import UTC, datetime

import pytest

import sql
from sql.database import connect, migrate
from sql.errors import ReadError, StatementError
from sql.outbox import QUERIES as OUTBOX_QUERIES
from sql.outbox import SCHEMA as OUTBOX_SCHEMA
from sql.reader import Reader
from sql.rebuild import SCRATCH
from sql.sections import SECTIONS

TODAY = str(datetime.now(UTC).date())
EVENTS = "|".join(section.events for section in SECTIONS)


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
        connection.executescript(SCRATCH.read_text(encoding="utf-8"))
        plan = connection.execute(f"explain query plan {statement}", parameters).fetchall()
    assert not [step for *_, step in plan if re.match(rf"SCAN ({EVENTS})\b", step)]


@pytest.mark.parametrize("name", sql.load(OUTBOX_QUERIES))
def test_no_statement_scans_the_outbox(tmp_path, name):
    """Half a million events may wait in it; `oldest` and the next batch are its first rows."""
    migrate(tmp_path / "outbox.sqlite3", OUTBOX_SCHEMA)
    statement = sql.load(OUTBOX_QUERIES)[name]
    parameters = dict.fromkeys(re.findall(r":(\w+)", statement))
    with closing(connect(tmp_path / "outbox.sqlite3")) as connection:
        plan = connection.execute(f"explain query plan {statement}", parameters).fetchall()
    steps = [step for *_, step in plan]
    assert "USE TEMP B-TREE FOR ORDER BY" not in steps or "json_each" in statement
    first_rows = re.search(r"order by id\nlimit", statement)
    assert not [s for s in steps if re.match(r"SCAN events\b(?! USING)", s) and not first_rows]


def test_what_a_part_asks_of_the_window_is_a_search(path):
    """The plan of a statement does not show what its triggers do."""
    trigger = "select sql from sqlite_schema where name = 'decide_download'"
    with closing(connect(path)) as connection:
        (text,) = connection.execute(trigger).fetchone()
        lookup = re.search(r"exists \((.*?)\n +\) then", text, re.DOTALL)[1]
        bound = re.sub(r"new\.\w+", "1", lookup)
        plan = connection.execute(f"explain query plan {bound}").fetchall()
    assert any("SEARCH download_window USING PRIMARY KEY" in step for *_, step in plan)


def read(path, name, **parameters):
    reader = Reader(path)
    try:
        return asyncio.run(reader.rows(name, **parameters))
    finally:
        reader.close()


def clones(path):
    found = read(path, "section_by_1", section="clones", today=TODAY, window="all", limit=-1)
    return sum(row[-1] for row in found)


def test_a_reader_cannot_write(path):
    with pytest.raises(ReadError, match="readonly"):
        read(path, "forget_spill", spill="x")


def test_a_reader_of_no_database(tmp_path):
    with pytest.raises(ReadError, match="unable to open"):
        read(tmp_path / "none.sqlite3", "rolled_up_to")


def test_readers_do_not_wait_for_a_writer_and_see_only_what_is_committed(path):
    with closing(connect(path)) as writer:
        writer.execute("begin immediate")
        writer.execute("insert into clone_totals values (?, 'pets', 1)", [TODAY])
        assert clones(path) == 0
        writer.execute("commit")
    assert clones(path) == 1


def test_a_snapshot_does_not_move(path):
    def work(snapshot):
        before = snapshot.rows("operations")
        with closing(connect(path)) as writer:
            writer.execute("insert into operations values ('backup', '2026-01-01 00:00:00', '1')")
        return before, snapshot.rows("operations")

    async def ask():
        return await reader.read(work), await reader.rows("operations")

    reader = Reader(path)
    try:
        (before, within), after = asyncio.run(ask())
    finally:
        reader.close()
    assert (len(before), len(within), len(after)) == (0, 0, 1)


def test_long_answers_come_in_batches(path):
    async def ask():
        parameters = {"section": "clones", "today": TODAY, "window": "all", "limit": -1}
        batches = reader.batches("section_by_1", parameters, size=4)
        return [row[0] async for rows in batches for row in rows if len(rows) <= 4]

    with closing(connect(path)) as writer:
        for number in range(10):
            writer.execute("insert into clone_totals values (?, ?, 1)", [TODAY, f"p{number}"])
    reader = Reader(path)
    try:
        assert asyncio.run(ask()) == [f"p{number}" for number in range(10)]
    finally:
        reader.close()


def test_text_that_is_no_utf_8_is_shown_all_the_same(path):
    with closing(connect(path)) as writer:
        writer.execute("insert into clone_totals values (?, cast(x'ff41' as text), 1)", [TODAY])
    found = read(path, "section_by_1", section="clones", today=TODAY, window="all", limit=-1)
    assert found[0][0] == "\N{REPLACEMENT CHARACTER}A"


def test_a_reader_goes_on_after_an_error(path):
    async def both():
        with pytest.raises(ReadError):
            await reader.rows("forget_spill", spill="x")
        return await reader.rows("operations")

    reader = Reader(path, threads=1)
    try:
        assert asyncio.run(both()) == []
    finally:
        reader.close()
