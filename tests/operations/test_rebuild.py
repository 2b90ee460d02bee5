"""--rebuild-totals: exactly what the triggers and the background pass would have kept."""

import random
import signal
import subprocess
import sys
from contextlib import closing
from datetime import timedelta

import pytest

from sql import rebuild as rebuilding
from sql.database import connect
from sql.errors import UpkeepError
from sql.locks import COMMAND, UPKEEP, locked
from sql.rebuild import Rebuilt, rebuild
from sql.upkeep import Upkeep
from tests.support.events.maintenance import ROOT, House, ago, corrupt, record, today

# Calls of `told` after which it is killed, or None for any moment.
KILLS = [1, 8, 20, 60, 90, 120, None, None, None]
PROGRAM = """
import os, random, signal, sys, threading
from pathlib import Path
from sql import prune, rebuild
from datetime import date

rebuild.ROWS, rebuild.CHANGES, prune.CHUNK = 100, 10, 20
calls = 0

def told(*_):
    global calls
    calls += 1
    if calls == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

if not int(sys.argv[3]):
    moment = random.uniform(0.001, 0.15)
    threading.Timer(moment, os.kill, (os.getpid(), signal.SIGKILL)).start()
if sys.argv[2] == "rebuild":
    rebuild.rebuild(Path(sys.argv[1]), told)
else:
    prune.prune(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), date.today(), 0, told)
"""


@pytest.fixture
def house(tmp_path, monkeypatch):
    monkeypatch.setattr(rebuilding, "ROWS", 100)
    monkeypatch.setattr(rebuilding, "CHANGES", 50)
    return House(tmp_path)


def kill(house, work, call):
    """Run it in a process of its own that is killed at the call; whether it was."""
    command = [sys.executable, "-c", PROGRAM, str(house.database), work, str(call or 0)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=30)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    return done.returncode != 0


@pytest.mark.parametrize("seed", range(4))
def test_it_gives_what_was_kept(house, seed):
    kept = house.fill(seed).kept()
    with house.connect() as connection:
        corrupt(connection, random.Random(seed))  # noqa: S311
    assert house.kept() != kept
    done = rebuild(house.database)
    assert done.totals
    assert done.sums
    assert done.clients
    assert house.kept() == kept


def test_what_is_right_is_left_alone(house):
    house.fill()
    rows = sum(
        house.rows(f"select count(*) from {table}")[0][0]  # noqa: S608
        for table in ("downloads", "clones", "tool_usage", "catalog_interactions")
    )
    assert rebuild(house.database) == Rebuilt(rows, totals=0, sums=0, clients=0, since="")
    status, said, errors = house.run("--rebuild-totals")
    assert (status, said, errors) == (0, f"{rows:,} rows read: every total was right.\n", "")
    assert house.rows("select name, detail from operations") == [("rebuild", "0 mended")]


def test_all_totals_are_lost(house):
    kept = house.fill().kept()
    with house.connect() as connection:
        for table in kept:
            if table != "request_totals":
                connection.execute(f"delete from {table}")  # noqa: S608
        connection.execute("delete from request_totals where verdict = 'counted'")
    rebuild(house.database)
    assert house.kept() == kept


def test_events_that_come_meanwhile(house):
    """At every step, another connection commits some, of today and late ones."""
    house.fill()
    chance = random.Random(3)  # noqa: S311
    with house.connect() as connection, closing(connect(house.database)) as other:
        corrupt(connection, chance)

        def told(*_):
            for days in (0, 0, 5):
                record(other, chance, ago(days))

        assert rebuild(house.database, told).totals
    Upkeep(house.database).run(today())
    kept = house.kept()
    again = rebuild(house.database)
    assert (again.totals, again.sums) == (0, 0)
    # Late ones are of days that are closed: only a rebuild counts their clients for these.
    unordered = {table: rows for table, rows in kept.items() if table != "client_days"}
    assert {table: rows for table, rows in house.kept().items() if table in unordered} == unordered


def test_the_day_ends_meanwhile(house, monkeypatch):
    """The windows move on after the sums are compared; then they are compared again."""
    monkeypatch.setattr(rebuilding, "CHANGES", 4)
    house.fill()
    tomorrow = today() + timedelta(days=1)
    with house.connect() as connection:
        corrupt(connection, random.Random(4))  # noqa: S311

    def told(what, *_):
        if what == "sums mended":
            Upkeep(house.database).roll_up(tomorrow)

    rebuild(house.database, told)
    assert house.rows("select day from rollup_day") == [(str(tomorrow),)]
    assert rebuild(house.database).sums == 0


def test_the_background_pass_waits_its_turn(house):
    house.fill()
    with house.connect() as connection:
        record(connection, random.Random(5), today())  # noqa: S311
    behind = house.rows("select sum(counted) from client_progress")
    turns = []

    def told(what, *_):
        if what.startswith("clients"):
            Upkeep(house.database).run(today())
            turns.append(house.rows("select sum(counted) from client_progress"))

    rebuild(house.database, told)
    assert turns
    assert set(map(tuple, turns)) == {tuple(behind)}
    Upkeep(house.database).run(today())
    assert house.rows("select sum(counted) from client_progress") != behind


def test_a_search_made_meanwhile_knows_its_results(house):
    house.fill()
    search = (
        "insert into catalog_interactions (event, detail, result_count, timestamp, ip_hash) "
        "values ('search', 'late', ?, datetime('now'), 'h')"
    )
    with house.connect() as connection:
        connection.execute(search, (1,))
        connection.execute("update catalog_totals set results = 5 where detail = 'late'")

        def told(what, *_):
            if what == "comparing totals":
                connection.execute(search, (7,))

        # The rows are read by then; what is compared is still of the moment it began.
        rebuild(house.database, told)
    assert house.rows("select count, results from catalog_totals where detail = 'late'") == [(2, 7)]


def test_kill(house):
    kept = house.fill().kept()
    with house.connect() as connection:
        corrupt(connection, random.Random(6))  # noqa: S311
    killed = sum(kill(house, "rebuild", call) for call in KILLS)
    assert killed > 4  # or this test shows little
    assert {path.name for path in house.data.iterdir()} <= {
        *("portal.sqlite3", "portal.sqlite3-wal", "portal.sqlite3-shm"),
        *(COMMAND, UPKEEP),
    }
    rebuild(house.database)
    assert house.kept() == kept


def test_one_at_a_time(house):
    house.fill(days=3)
    with locked(house.database.with_name(COMMAND), wait=False) as mine:
        assert mine
        with pytest.raises(UpkeepError, match="another rebuild or prune is at work"):
            rebuild(house.database)
