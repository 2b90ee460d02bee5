"""The index: what is shared, what goes, how its statements are planned."""

import re
import sqlite3
from contextlib import closing

import pytest

import sql
from portal.catalog import indexing
from portal.catalog.queries import parse
from portal.catalog.search import find
from sql.catalog import QUERIES, prepare, size
from sql.catalog.writing import alone
from tests.support.catalog.tables import TableSet, document, link, text

ROWS = [(f"Row_{number}", {"Text": text("t", f"word{number}")}) for number in range(50)]


def count(tables, table):
    with closing(sqlite3.connect(tables.index)) as connection:
        return connection.execute(f"select count(*) from {table}").fetchone()[0]  # noqa: S608


def shape(tables):
    names = ("versions", "tables", "heads", "contents", "keys", "rows", "links", "files")
    return {name: count(tables, name) for name in names}


def test_what_is_equal_is_stored_once(tmp_path):
    tables = TableSet(tmp_path).put("1", A__T=document(*ROWS), A__U=document(("x", {}))).run()
    tables.put("2", A__T=document(*ROWS[1:], ("New", {})), A__U=document(("x", {}))).run()
    assert shape(tables) == {
        "versions": 2,
        "tables": 2,
        "heads": 2,
        "contents": 3,
        "keys": 52,
        "rows": 52,
        "links": 0,
        "files": 3,
    }


def test_the_order_of_fields_is_no_difference(tmp_path):
    tables = TableSet(tmp_path).put("1", A__T=document(("x", {"a": 1, "b": 2})))
    tables.put("2", A__T=document(("x", {"b": 2, "a": 1}))).run()
    assert count(tables, "rows") == 1


def test_a_pass_over_what_is_known_changes_nothing(tmp_path):
    tables = TableSet(tmp_path).put("1", A__T=document(*ROWS)).run()
    before = tables.index.read_bytes()
    tables.run()
    assert tables.index.read_bytes() == before


def search(tables, typed):
    def work(catalog):
        return len(find(catalog, catalog.dataset(catalog.version(None)), parse(typed)))

    return tables.read(work)


def test_what_no_version_has_any_more_goes_also_from_the_words(tmp_path):
    tables = TableSet(tmp_path).put("1", A__T=document(("Kept", {})))
    tables.run()
    clean = shape(tables)
    tables.put("2", A__T=document(*ROWS), B__T=document(("x", {"To": link("T", "Kept")}))).run()
    assert search(tables, "word7") == 1
    for file in (tables.root / "2").rglob("*.json"):
        file.unlink()
    tables.run()
    assert shape(tables) == clean
    with closing(sqlite3.connect(tables.index)) as connection:
        connection.execute("insert into words (words) values ('integrity-check')")
        found = connection.execute("select rowid from words where words match 'word7'").fetchall()
        assert found == []
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)


def test_a_version_that_changes_is_read_again(tmp_path):
    tables = TableSet(tmp_path).put("1", A__T=document(("a", {}))).run()
    tables.put("1", A__T=document(("b", {"v": 1}))).run()
    assert tables.read(lambda c: [v.name for v in c.versions]) == ["1"]
    entry = tables.read(lambda c: c.names(c.dataset(c.version(None)).entries[0]))
    assert entry == ["b"]
    assert count(tables, "rows") == 1


def test_a_version_that_changes_while_it_is_read_is_left_as_it_was(tmp_path, monkeypatch, capsys):
    tables = TableSet(tmp_path).put("1", A__T=document(("old", {}))).run()
    real = indexing.add_file

    def changes(*arguments):
        real(*arguments)
        tables.put("1", A__New=document(("x", {})))

    tables.put("1", A__T=document(("new", {"v": 1})))
    with monkeypatch.context() as changed:
        changed.setattr(indexing, "add_file", changes)
        tables.run()
    assert '"changing"' in capsys.readouterr().out

    def names(catalog):
        return [
            name for e in catalog.dataset(catalog.version("1")).entries for name in catalog.names(e)
        ]

    assert tables.read(names) == ["old"]
    assert sorted(tables.run().read(names)) == ["new", "x"]


def test_one_process_at_a_time(tmp_path):
    tables = TableSet(tmp_path).put("1", A__T=document(*ROWS))
    with alone(tables.index) as free:
        assert free
        tables.run()
        assert count(tables, "versions") == 0
    tables.run()
    assert count(tables, "versions") == 1


def test_an_index_that_cannot_be_used_is_made_anew(tmp_path):
    path = tmp_path / "catalog.sqlite3"
    for content in (b"no database" * 1000, b""):
        path.write_bytes(content)
        prepare(path)
        assert size(path) > 0
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 999")
    prepare(path)
    tables = TableSet(tmp_path).put("1", A__T=document(*ROWS)).run()
    assert count(tables, "versions") == 1


def test_a_name_that_cannot_be_one_of_a_version_is_said_and_not_shown(tmp_path):
    tables = TableSet(tmp_path).put("search", A__T=document(("x", {})))
    tables.put("1", A__T=document(("x", {}))).run()
    assert tables.read(lambda c: [v.name for v in c.versions]) == ["1"]
    assert tables.read(lambda c: c.problems(9)) == [("search", "cannot be the name of a version.")]


SCANS = {  # for the operator, for a sweep, or of one version's own
    *("all_members", "all_rows", "row_places", "row_count", "problems", "problem_count"),
    "version_problems",
    "complete",
    "is_complete",
    *("known_versions", "ready_versions", "unfinished_versions", "generation", "folder"),
    *("sweep_contents", "sweep_files", "sweep_heads", "sweep_keys", "sweep_tables", "sweep_links"),
    *("set_folder", "move_generation", "forget_problems", "forget_problems_but"),
    "hits_by_part",  # said in its purpose
}


@pytest.mark.parametrize("name", sorted(sql.load(QUERIES).keys() - SCANS))
def test_no_statement_scans_a_table(tmp_path, name):
    tables = TableSet(tmp_path)
    statement = sql.load(QUERIES)[name]
    parameters = dict.fromkeys(re.findall(r":(\w+)", statement))
    with closing(sqlite3.connect(tables.index)) as connection:
        plan = connection.execute(f"explain query plan {statement}", parameters).fetchall()
    steps = [step for *_, step in plan]
    found = ("VIRTUAL TABLE", "(subquery")  # what the index of words, or an inner query, has found
    assert not [s for s in steps if s.startswith("SCAN") and not any(f in s for f in found)], steps


def test_a_kill_in_the_middle_costs_nothing(tmp_path, monkeypatch):
    """The next pass goes on with what is there."""
    tables = TableSet(tmp_path).put("1", A__T=document(*ROWS), A__U=document(("x", {})))
    tables.run_halfway(monkeypatch)
    assert tables.read(lambda c: (list(c.versions), c.progress()[0].done)) == ([], 1)
    tables.run()
    assert tables.read(lambda c: (len(c.versions), c.progress())) == (1, [])
    assert count(tables, "rows") == 51
