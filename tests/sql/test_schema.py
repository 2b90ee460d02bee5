"""The specification's tables to the letter, the triggers, and the rule for ONE download."""

import sqlite3
from contextlib import closing

import pytest

from sql.database import connect, migrate

SPECIFIED = {
    "downloads": "id project version asset timestamp ip_hash user_agent",
    "clones": "id project timestamp ip_hash user_agent",
    "tool_usage": "id tool event timestamp ip_hash user_agent",
    "catalog_interactions": "id event detail result_count timestamp ip_hash",
}
TYPES = {"id": "INTEGER", "result_count": "INTEGER", "timestamp": "DATETIME"}

NOON = 1_700_049_600  # 2023-11-15 12:00:00 UTC


@pytest.fixture
def database(tmp_path):
    migrate(tmp_path / "portal.sqlite3")
    with closing(connect(tmp_path / "portal.sqlite3")) as connection:
        yield connection


def rows(connection, table):
    return connection.execute(f"select * from {table}").fetchall()  # noqa: S608


@pytest.mark.parametrize(("table", "columns"), SPECIFIED.items())
def test_columns_are_the_specifications(database, table, columns):
    found = database.execute(f"pragma table_info({table})").fetchall()
    assert [name for _, name, *_ in found] == columns.split()
    assert [type_.upper() for _, _, type_, *_ in found] == [
        TYPES.get(name, "TEXT") for name in columns.split()
    ]
    assert [name for _, name, _, _, _, key in found if key] == ["id"]


@pytest.mark.parametrize("table", SPECIFIED)
def test_ids_are_never_used_again(database, table):
    (statement,) = database.execute(
        "select sql from sqlite_schema where name = ?", [table]
    ).fetchone()
    assert "id integer primary key autoincrement" in statement.lower()


TIME = "2023-11-15 12:00:00"
TOTALS = [
    (
        "insert into downloads values (null, 'pets', 'v1', 'a.zip', ?, 'h', 'u')",
        "downloads",
        "download_totals",
        ("2023-11-15", "pets", "v1", "a.zip", 2),
    ),
    (
        "insert into clones values (null, 'pets', ?, 'h', 'git/2.40.0')",
        "clones",
        "clone_totals",
        ("2023-11-15", "pets", 2),
    ),
    (
        "insert into tool_usage values (null, 'pets', 'upload', ?, 'h', 'u')",
        "tool_usage",
        "tool_totals",
        ("2023-11-15", "pets", "upload", 2),
    ),
    (
        "insert into catalog_interactions values (null, 'search', 'cat', 7, ?, 'h')",
        "catalog_interactions",
        "catalog_totals",
        ("2023-11-15", "search", "cat", 2, 7),
    ),
]


@pytest.mark.parametrize(("insert", "table", "totals", "expected"), TOTALS)
def test_totals_are_kept_with_the_row_and_survive_it(database, insert, table, totals, expected):
    for _ in range(2):
        database.execute(insert, [TIME])
    assert rows(database, totals) == [expected]
    database.execute(f"delete from {table}")  # noqa: S608
    assert rows(database, totals) == [expected]


@pytest.mark.parametrize(("insert", "table", "totals", "expected"), TOTALS)
def test_each_day_has_its_own_total(database, insert, table, totals, expected):
    for time in ("2023-11-15 23:59:59", "2023-11-16 00:00:00"):
        database.execute(insert, [time])
    assert [row[0] for row in rows(database, totals)] == ["2023-11-15", "2023-11-16"]


# A request is (seconds after NOON, classification, what is not as in KEY); then the verdicts of
# all, in order. None is a renewal's: it has none.
KEY = {"project": "pets", "version": "v1", "asset": "a.zip", "ip_hash": "h", "user_agent": "u"}
C, K = "counted", "continued"
DECISIONS = {
    "two wholes are two people": [(0, "whole", C), (0, "whole", C)],
    "a part alone counts": [(0, "part", C)],
    "parts at once are one": [(0, "part", C), (0, "part", K), (0, "part", K)],
    "parts after a whole continue it": [(0, "whole", C), (1, "part", K), (600, "part", K)],
    "a whole after a part counts": [(0, "part", C), (1, "whole", C)],
    "the window's last second": [(0, "part", C), (600, "part", K)],
    "after the window": [(0, "part", C), (601, "part", C)],
    "the window slides": [(0, "part", C), (600, "part", K), (1200, "part", K)],
    "it slides from the last": [(0, "part", C), (500, "part", K), (1101, "part", C)],
    "a transfer that runs": [(0, "part", C), (590, "renewal", None), (1190, "part", K)],
    "a renewal alone opens it": [(0, "renewal", None), (5, "part", K)],
    "the clock goes back": [(1000, "part", C), (900, "part", K), (1550, "part", K)],
    "far back": [(9000, "part", C), (0, "part", C), (10, "part", K), (9000, "part", C)],
    "back by a whole window": [(601, "part", C), (0, "part", C)],
    "a probe opens nothing": [(0, "probe", "probe"), (1, "part", C)],
    "nor does anything else": [
        (0, "head", "head"),
        (0, "not_modified", "not_modified"),
        (0, "failed", "failed"),
        (1, "part", C),
    ],
    "nor renews": [(0, "part", C), (500, "head", "head"), (601, "part", C)],
}
DECISIONS |= {
    f"another {name} is another download": [(0, "part", C), (0, "part", C, {name: "other"})]
    for name in KEY
}


def ask(database, after, classification, **different):
    database.execute(
        "insert into download_requests values"
        " (:project, :version, :asset, :ip_hash, :user_agent, :classification, :time)",
        {**KEY, **different, "classification": classification, "time": NOON + after},
    )


def verdict_totals(database):
    return dict(database.execute("select verdict, sum(count) from request_totals group by verdict"))


@pytest.mark.parametrize("requests", DECISIONS.values(), ids=DECISIONS)
def test_one_download(database, requests):
    verdicts = []
    for after, classification, _, *different in requests:
        before = verdict_totals(database)
        ask(database, after, classification, **(different[0] if different else {}))
        new = {v for v, count in verdict_totals(database).items() if count != before.get(v, 0)}
        verdicts.append(new.pop() if new else None)
    assert verdicts == [verdict for _, _, verdict, *_ in requests]
    assert len(rows(database, "downloads")) == verdicts.count(C)
    assert sum(row[-1] for row in rows(database, "download_totals")) == verdicts.count(C)


def test_a_download_is_written_as_specified(database):
    ask(database, 0, "whole")
    assert rows(database, "downloads") == [(1, "pets", "v1", "a.zip", TIME, "h", "u")]
    assert rows(database, "request_totals") == [("2023-11-15", "pets", "counted", 1)]


def test_a_long_user_agent_is_cut_and_still_the_same_client(database):
    ask(database, 0, "part", user_agent="x" * 1025)
    ask(database, 1, "part", user_agent="x" * 2000)
    assert [row[-1] for row in rows(database, "downloads")] == ["x" * 1024]


def test_nothing_is_null(database):
    for name in KEY:
        with pytest.raises(sqlite3.IntegrityError, match="NOT NULL"):
            ask(database, 0, "whole", **{name: None})
