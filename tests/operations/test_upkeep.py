"""The background pass: days that are rolled up, clients that are counted once."""

import sqlite3
import threading
from contextlib import closing
from datetime import date, timedelta

import pytest

from sql.database import connect, connect_reader, migrate
from sql.errors import UpkeepError
from sql.reader import Snapshot
from sql.upkeep import Upkeep
from tests.support.events.history import TODAY, History, span

SCOPES = {
    "downloads": ("p", "q"),
    "clones": ("p", "q"),
    "tools": ("pets upload", "pets download", "prospects upload", "prospects download"),
    "catalog": ("category_view", "search", "diff_view"),
}


@pytest.fixture
def path(tmp_path):
    """A database that was made long ago."""
    migrate(tmp_path / "portal.sqlite3")
    with closing(connect(tmp_path / "portal.sqlite3")) as database:
        database.execute("update rollup_day set day = ?", [str(TODAY - timedelta(days=200))])
    return tmp_path / "portal.sqlite3"


def rows(path, statement, *parameters):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(statement, parameters).fetchall()


def check_rollups(path):
    """Rollups are what the totals say, results apart: those of a day undone are not known."""
    columns = "section, k1, k2, k3, days_30, days_before, days_90, days_all"
    kept = rows(path, f"select {columns} from rollups")  # noqa: S608
    assert sorted(kept) == sorted(rows(path, f"select {columns} from fresh_rollups"))  # noqa: S608
    days = rows(path, "select * from day_rollups")
    assert sorted(days) == sorted(rows(path, "select * from fresh_day_rollups"))


def check_counts(path, history, today):
    """What the page's statements give is what the events say."""
    with closing(connect_reader(path)) as connection:
        snapshot = Snapshot(connection)
        for section, width in (("downloads", 1), ("downloads", 2), ("downloads", 3), ("tools", 2)):
            given = snapshot.rows(
                f"section_by_{width}", section=section, today=str(today), window="30", limit=-1
            )
            found = {row[:width]: row[width:] for row in given}
            assert found == history.windows(section, today, width)


def check_clients(path, history, today):
    with closing(connect_reader(path)) as connection:
        found = Snapshot(connection).rows(
            "clients_in_windows",
            since_30=str(today - timedelta(days=29)),
            since_90=str(today - timedelta(days=89)),
            before=str(today - timedelta(days=30)),
        )
    known = {
        (section, scope): (days_30, before or 0, days_90, ever)
        for section, scope, days_30, before, days_90, ever in found
    }
    for section, scopes in SCOPES.items():
        assert known[section, ""] == history.clients(section, today)
        for scope in scopes:
            assert known[section, scope] == history.clients(section, today, scope)


@pytest.mark.parametrize("seed", range(3))
def test_the_counts_are_those_of_the_events_whenever_the_pass_ran(path, seed):
    """Each day alone, after a pause of weeks, over a new year, and with the clock set back."""
    history, upkeep = History(path, seed), Upkeep(path, chunk=7)
    begin = TODAY - timedelta(days=130)
    history.fill(span(begin, begin + timedelta(days=60)))
    upkeep.run(begin + timedelta(days=60))
    for day in span(begin + timedelta(days=61), begin + timedelta(days=75)):
        history.fill([day])
        upkeep.run(day)
    history.fill(span(begin + timedelta(days=76), TODAY))
    upkeep.run(TODAY)
    check_rollups(path)
    check_counts(path, history, TODAY)
    check_clients(path, history, TODAY)
    for today in (TODAY - timedelta(days=1), TODAY - timedelta(days=40), TODAY):
        upkeep.run(today)
        check_rollups(path)
    check_counts(path, history, TODAY)


def test_what_comes_late_is_counted_where_it_belongs(path):
    """As from a spill file, days after: in rollups by trigger, at once."""
    history, upkeep = History(path), Upkeep(path, chunk=1)
    history.fill(span(TODAY - timedelta(days=100), TODAY), each=1)
    upkeep.run(TODAY)
    for age in (1, 29, 30, 59, 60, 89, 90, 95, 150):
        history.add("downloads", ("p", "v1", "a.zip"), TODAY - timedelta(days=age), "late")
        history.add("downloads", ("p", "v9", "new.zip"), TODAY - timedelta(days=age), "late")
        history.add("tools", ("pets", "upload"), TODAY - timedelta(days=age), "late")
    check_rollups(path)
    check_counts(path, history, TODAY)
    upkeep.run(TODAY)
    with closing(connect_reader(path)) as connection:
        (found,) = (
            row[2:]
            for row in Snapshot(connection).rows(
                "clients_in_windows",
                since_30=str(TODAY - timedelta(days=29)),
                since_90=str(TODAY - timedelta(days=89)),
                before=str(TODAY - timedelta(days=30)),
            )
            if row[:2] == ("downloads", "")
        )
    days_30, _, days_90, ever = history.clients("downloads", TODAY)
    assert (found[0], found[2], found[3]) == (days_30, days_90, ever)


def test_what_a_clock_that_was_ahead_has_dated_holds_up_nothing(path):
    history, upkeep = History(path), Upkeep(path)
    history.add("clones", ("p",), TODAY + timedelta(days=3), "ahead")
    history.add("clones", ("p",), TODAY, "right")
    upkeep.run(TODAY)
    assert rows(path, "select count(*) from clients where scope = ''") == [(2,)]
    check_counts(path, history, TODAY)
    history.fill(span(TODAY + timedelta(days=1), TODAY + timedelta(days=4)))
    upkeep.run(TODAY + timedelta(days=4))
    check_rollups(path)
    check_counts(path, history, TODAY + timedelta(days=4))


def test_two_passes_at_once_count_each_row_once(path):
    history = History(path)
    history.fill(span(TODAY - timedelta(days=70), TODAY), each=6)
    threads = [threading.Thread(target=Upkeep(path, chunk=5).run, args=[TODAY]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    check_rollups(path)
    check_clients(path, history, TODAY)


def test_it_stops_when_told_and_goes_on_from_there(path):
    history = History(path)
    history.fill(span(TODAY - timedelta(days=70), TODAY))
    upkeep = Upkeep(path, chunk=3)
    upkeep.run(TODAY, lambda _: upkeep.stop())
    assert rows(path, "select max(last_day) from clients") < [(str(TODAY),)]
    Upkeep(path).run(TODAY)
    check_clients(path, history, TODAY)


def test_the_last_result_of_a_search_and_those_that_found_nothing(path):
    history, upkeep = History(path), Upkeep(path)
    yesterday = TODAY - timedelta(days=1)
    for day, results in ((yesterday, 0), (yesterday, 4), (TODAY, 0), (TODAY, 7)):
        history.add("catalog", ("search", "wolf"), day, "c", results)
    history.add("catalog", ("search", "bear"), yesterday, "c", 0)
    for today in (yesterday, TODAY):
        upkeep.run(today)
        parameters = {"window": "all", "limit": 9, "live": str(today), "today": str(TODAY)}
        with closing(connect_reader(path)) as connection:
            snapshot = Snapshot(connection)
            searches = snapshot.rows("catalog_top", event="search", **parameters)
            empty = snapshot.rows("catalog_top", event="empty_search", **parameters)
        assert [(row[0], row[4], row[5]) for row in searches] == [("wolf", 4, 7), ("bear", 1, 0)]
        assert [(row[0], row[4]) for row in empty] == [("wolf", 2), ("bear", 1)]


@pytest.mark.parametrize("window", ["30", "90", "all"])
def test_the_first_hundred_details_are_those_that_lead(path, window):
    """Whether they were looked at long ago, lately, or only today."""
    history, upkeep = History(path), Upkeep(path)
    pick = history.random
    with closing(connect(path)) as database:
        database.execute("begin")
        for _ in range(3000):
            detail = f"word {int(pick.paretovariate(0.4)) % 400}"
            age = pick.choice([0, 0, 1, 20, 40, 80, 100])
            keys, day = ("search", detail), TODAY - timedelta(days=age)
            database.execute(
                "insert into catalog_interactions (event, detail, result_count, timestamp, ip_hash)"
                " values (?, ?, 1, ?, 'x')",
                (*keys, f"{day} 01:00:00"),
            )
            history.events["catalog"].append((keys, day, "x"))
        database.execute("commit")
    upkeep.run(TODAY)
    place = ["30", "-", "90", "all"].index(window)
    windows = history.windows("catalog", TODAY, 2)
    order = {"30": (0, 2, 3), "90": (2, 3), "all": (3,)}[window]
    leading = sorted(windows, key=lambda keys: ([-windows[keys][n] for n in order], keys))
    with closing(connect_reader(path)) as connection:
        found = Snapshot(connection).rows(
            "catalog_top",
            event="search",
            window=window,
            limit=100,
            live=str(TODAY),
            today=str(TODAY),
        )
    assert [row[0] for row in found] == [detail for _, detail in leading[:100]]
    assert [row[1 + place] for row in found] == [windows[keys][place] for keys in leading[:100]]


def test_days_are_summed_by_section(path):
    history, upkeep = History(path), Upkeep(path)
    history.fill(span(TODAY - timedelta(days=100), TODAY))
    upkeep.run(TODAY)
    since = TODAY - timedelta(days=89)
    with closing(connect_reader(path)) as connection:
        found = Snapshot(connection).rows("days", since=str(since), today=str(TODAY))
    for section in SCOPES:
        expected = {str(day): n for day, n in history.days(section).items() if day >= since}
        assert {day: count for name, day, count in found if name == section} == expected


def test_a_database_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(UpkeepError, match="unable to open"):
        Upkeep(tmp_path / "none.sqlite3").run(date.today())
