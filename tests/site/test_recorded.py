"""/privacy says everything that there is to say: no column without a sentence."""

import re
import sqlite3
from contextlib import closing

import pytest

from portal.site.recorded import OUTBOX, describe, sentences
from sql.database import migrate
from sql.errors import ReadError
from sql.live import tables
from sql.outbox import SCHEMA
from tests.support.running import ask, git

SAID = sentences()
WORDS = {"title", "intro"}


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """The tables of both databases as they are made today."""
    folder = tmp_path_factory.mktemp("live")
    migrate(folder / "main.sqlite3")
    migrate(folder / "outbox.sqlite3", SCHEMA)
    return tables(folder / "main.sqlite3"), tables(folder / "outbox.sqlite3")


def test_every_column_has_a_sentence_and_no_sentence_is_of_a_column_that_is_gone(live):
    main, outbox = live
    there = {(False, t.name, c.name) for t in main for c in t.columns}
    there |= {(True, t.name, c.name) for t in outbox for c in t.columns}
    said = {
        (part == OUTBOX, table, column)
        for part, told in SAID.items()
        for table, about in told.items()
        if table not in WORDS
        for column in about["columns"]
    }
    assert said == there


def test_every_sentence_is_one():
    for told in SAID.values():
        assert told["title"]
        assert told["intro"].endswith(".")
        for about in (about for name, about in told.items() if name not in WORDS):
            for sentence in (about["what"], about["kept"], *about["columns"].values()):
                assert sentence[0].isupper()
                assert sentence.endswith(".")


def test_what_nobody_described_is_shown_all_the_same(tmp_path):
    path = tmp_path / "x.sqlite3"
    migrate(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute('create table "odd ""name" (a text, b)')
        connection.execute('insert into "odd ""name" values (1, 2)')
        connection.execute("alter table downloads add column secret text")
        connection.commit()
    parts = describe(SAID, tables(path), [])
    assert parts[-1].title == "Other tables"
    (odd,) = parts[-1].tables
    assert (odd.table.name, odd.table.rows, odd.what) == ('odd "name', 1, "")
    downloads = next(t for part in parts for t in part.tables if t.table.name == "downloads")
    assert "secret" in [column.name for column in downloads.table.columns]


def test_counting_has_an_end(tmp_path):
    path = tmp_path / "x.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table t (a)")
        connection.executemany("insert into t values (?)", [(i,) for i in range(10)])
        connection.commit()
    assert [(t.rows, t.more) for t in tables(path)] == [(10, False)]
    assert [(t.rows, t.more) for t in tables(path, most=10)] == [(10, False)]
    assert [(t.rows, t.more) for t in tables(path, most=9)] == [(9, True)]
    with pytest.raises(ReadError):
        tables(tmp_path / "none.sqlite3")


def shown(page, table):
    """What the page says of a table."""
    found = re.search(rf"<code>{table}</code></h3>\s*<p>(.*?)</p>", page, re.DOTALL)
    return re.sub(r"<[^>]+>", "", found[1])


def test_the_page_has_every_table_with_its_rows(start_portal):
    with start_portal() as portal:
        ask(f"{portal.url}/downloads/pets/v2.1.0/pets-2.1.0-windows.zip")
        git("ls-remote", f"{portal.url}/pets.git")
        status, headers, body = ask(f"{portal.url}/privacy", Accept="text/html")
        assert (status, headers["content-type"]) == (200, "text/html; charset=UTF-8")
        page = body.decode()
        for table, columns in portal.rows(
            "select m.name, group_concat(c.name) from sqlite_schema m, pragma_table_info(m.name) c"
            " where m.type = 'table' and m.name not like 'sqlite%' group by m.name"
        ):
            assert shown(page, table)
            for column in columns.split(","):
                assert f"<code>{column}</code>" in page
        assert "1 row now" in shown(page, "downloads")
        assert "1 row now" in shown(page, "clones")
        assert "0 rows now" in shown(page, "tool_usage")
        assert "Page views are not recorded." in page
        assert "its SHA-256" in page
        assert "198.51.100.1" not in page


def test_the_page_says_what_a_prune_took(start_portal):
    with start_portal(environ={"IP_HASH_KEY": "k" * 32}) as portal:
        portal.rows("insert into operations values ('prune', '2026-01-01 00:00:00', '2025-06-01')")
        page = ask(f"{portal.url}/privacy", Accept="text/html")[2].decode()
        assert "before 2025-06-01 have been deleted" in page
        assert "a hash made with a secret key" in page


def test_page_views_on_their_way_are_described_where_there_are_any(start_portal):
    website = "3f2b1c9e-7a44-4f0a-9d57-0c1f6f1f7a11"
    with start_portal(umami={"website": website, "url": "http://127.0.0.1:9"}) as portal:
        page = ask(f"{portal.url}/privacy", Accept="text/html")[2].decode()
        assert "Page views on their way" in page
        assert "1 row now" in shown(page, "size")
        assert "Page views go to an Umami" in page
