"""Clocks that are set, in either direction: no count is lost, and nobody waits."""

import random
import sqlite3
import time
from contextlib import closing
from datetime import date, timedelta

import pytest

from sql.database import connect, migrate
from sql.upkeep import Upkeep
from tests.support.events.history import TODAY

DAYS_30 = "select count(distinct ip_hash) from clones where date(timestamp) between ? and ?"


@pytest.fixture
def path(tmp_path):
    migrate(tmp_path / "portal.sqlite3")
    with closing(connect(tmp_path / "portal.sqlite3")) as database:
        database.execute("update rollup_day set day = ?", [str(TODAY - timedelta(days=200))])
    return tmp_path / "portal.sqlite3"


def rows(path, statement, *parameters):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(statement, parameters).fetchall()


def clone(path, day, *clients):
    with closing(sqlite3.connect(path)) as database, database:
        for client in clients:
            database.execute(
                "insert into clones values (null, 'pets', ?, ?, 'git')", (f"{day} 12:00:00", client)
            )


def counted(path, today):
    """What is stored as the distinct clients of the 30 days that ended on each closed day."""
    statement = (
        "select day, coalesce(days_30, 0) from client_days"
        " where section = 'clones' and scope = '' and day < ?"
    )
    return dict(rows(path, statement, str(today)))


def check(path, today, first):
    """Every closed day against a recount from the rows; rollups against the totals."""
    stored = counted(path, today)
    for number in range((today - first).days):
        day = first + timedelta(days=number)
        ((expected,),) = rows(path, DAYS_30, str(day - timedelta(days=29)), str(day))
        assert stored.get(str(day), 0) == expected, day
    columns = "section, k1, k2, k3, days_30, days_before, days_90, days_all"
    kept = rows(path, f"select {columns} from rollups order by k1")  # noqa: S608
    assert kept == rows(path, f"select {columns} from fresh_rollups order by k1")  # noqa: S608


def test_one_pass_a_day_back_leaves_the_clients_of_closed_days(path):
    upkeep, yesterday = Upkeep(path), TODAY - timedelta(days=1)
    clients = [f"h{number}" for number in range(200)]
    clone(path, yesterday, *clients)
    upkeep.run(yesterday)
    upkeep.run(TODAY)
    clone(path, TODAY, *clients)
    upkeep.run(TODAY)
    assert counted(path, TODAY)[str(yesterday)] == 200
    for today in (yesterday, TODAY):
        upkeep.run(today)
    assert counted(path, TODAY)[str(yesterday)] == 200


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_clocks_that_walk_both_ways(path, seed):
    """A day's events come once, in the order of days; passes see any clock, and at last the right
    one, as every real clock does once it is set."""
    chance = random.Random(seed)  # noqa: S311
    upkeep, first = Upkeep(path), TODAY - timedelta(days=35)
    for number in range(36):
        day = first + timedelta(days=number)
        clone(path, day, *{f"h{chance.randint(1, 25)}" for _ in range(chance.randint(0, 4))})
        if chance.random() < 0.4:
            upkeep.run(day + timedelta(days=chance.choice([-40, -2, -1, 0, 0, 1, 3, 50])))
        upkeep.run(day)
    check(path, TODAY, first)


@pytest.mark.parametrize("year", [1970, 2000])
def test_a_clock_that_was_not_set_yet_moves_nothing(path, year, caplog):
    clone(path, TODAY, "h")
    upkeep = Upkeep(path)
    upkeep.run(TODAY)
    before = rows(path, "select * from rollup_day, client_day")
    for _ in range(2):
        upkeep.run(date(year, 1, 1))
        upkeep.roll_up(date(year, 1, 1))
    assert rows(path, "select * from rollup_day, client_day") == before
    assert caplog.text.count("was never set") == 1
    upkeep.run(TODAY)
    check(path, TODAY, TODAY - timedelta(days=40))


@pytest.mark.parametrize("year", [2106, 9000])
def test_a_clock_far_ahead_and_its_way_back_are_few_steps(path, year, caplog):
    """Steps are as many as days with events, and not as the calendar has."""
    first = TODAY - timedelta(days=40)
    for number in range(41):
        clone(path, first + timedelta(days=number), f"h{number % 7}")
    upkeep = Upkeep(path)
    upkeep.run(TODAY)
    begun = time.monotonic()
    upkeep.run(date(year, 1, 1))
    upkeep.run(TODAY)
    assert time.monotonic() - begun < 5
    assert "set back" in caplog.text
    check(path, TODAY, first)
