"""Migrations: fresh, again, newer, broken, at once; and the connection's pragmas."""

import hashlib
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sql import catalog, outbox
from sql.database import SCHEMA, application_id, connect, connect_reader, migrate, read_migrations
from sql.errors import MigrationError

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "portal.sqlite3"


def version(path):
    with closing(connect_reader(path)) as connection:
        return connection.execute("pragma user_version").fetchone()[0]


def tables(path):
    with closing(connect_reader(path)) as connection:
        return {name for (name,) in connection.execute("select name from sqlite_schema")}


def write(folder, **migrations):
    folder.mkdir(exist_ok=True)
    for name, script in migrations.items():
        (folder / f"{name[1:]}.sql").write_text(script)
    return folder


def test_fresh_then_again(path):
    newest = int(max(SCHEMA.glob("*.sql")).name[:4])
    assert migrate(path) == migrate(path) == version(path) == newest
    assert "downloads" in tables(path)


def test_only_the_owner_can_read_it(path):
    migrate(path)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600


def test_only_what_is_new_is_applied(path, tmp_path):
    schema = write(tmp_path / "schema", _0001_a="create table a (x); -- and\n")
    assert migrate(path, schema) == 1
    write(schema, _0002_b="create table b (x);\ncreate table c (x);\n")
    assert migrate(path, schema) == 2
    assert tables(path) == {"a", "b", "c"}


def test_a_migration_of_several_files_is_one(path, tmp_path):
    schema = write(
        tmp_path / "schema",
        _0001_1_a="create table a (x);\n",
        _0001_2_b="create table b (x);\n",
        _0002_c="insert into b select 1 from a;\n",
    )
    assert migrate(path, schema) == 2
    write(schema, _0003_1_d="create table d (x);\n", _0003_2_e="insert into nonsense values (1);")
    with pytest.raises(MigrationError, match="nonsense"):
        migrate(path, schema)
    assert (version(path), tables(path)) == (2, {"a", "b"})


def test_a_migration_that_is_missing(path, tmp_path):
    schema = write(tmp_path / "schema", _0001_a="create table a (x);", _0003_c="select 1;")
    with pytest.raises(MigrationError, match="there is 0003 and no 0002"):
        migrate(path, schema)


# As released: a database must not be able to tell in how many files its migrations came.
RELEASED = "07add60ddc06c6be2d5efcd36eff2847c82592ab1318021e101a3336195da780"


def test_the_released_schema_never_changes(path):
    schema = read_migrations()[:2]
    with closing(sqlite3.connect(":memory:")) as connection:
        for script in schema:
            connection.executescript(script)
        made = connection.execute("select type, name, sql from sqlite_schema").fetchall()
    assert hashlib.sha256(repr(made).encode()).hexdigest() == RELEASED


def test_a_newer_database_is_refused_and_left_alone(path):
    migrate(path)
    with closing(connect(path)) as connection:
        connection.execute("pragma user_version = 99")
    with pytest.raises(MigrationError, match=r"at version 99 .* newer portal"):
        migrate(path)
    assert version(path) == 99


def test_a_migration_is_applied_whole_or_not_at_all(path, tmp_path):
    schema = write(
        tmp_path / "schema",
        _0001_a="create table a (x);",
        _0002_b="create table b (x);\ninsert into nonsense values (1);",
    )
    with pytest.raises(MigrationError, match="nonsense"):
        migrate(path, schema)
    assert (version(path), tables(path)) == (1, {"a"})


FOREIGN = {
    "another mark": "pragma application_id = 7; pragma user_version = 2",
    "the right version": "create table bookmarks (x); pragma user_version = 2",
    "some of the tables": "create table downloads (x); pragma user_version = 1",
    "no version": "create table bookmarks (x)",
    "a newer version": "create table bookmarks (x); pragma user_version = 99",
}


@pytest.mark.parametrize("script", FOREIGN.values(), ids=FOREIGN)
def test_a_database_of_another_program_is_refused_and_left_alone(path, script):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    content = path.read_bytes()
    with pytest.raises(MigrationError, match="database of another program"):
        migrate(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("version", [1, 2])
def test_a_database_of_an_earlier_portal_is_marked(path, version):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        for script in read_migrations()[:version]:
            connection.executescript(script)
        connection.execute(f"pragma user_version = {version}")
    for _ in range(2):
        migrate(path)
        with closing(connect_reader(path)) as connection:
            (mark,) = connection.execute("pragma application_id").fetchone()
        assert mark == application_id(read_migrations()) > 0


def test_the_three_databases_have_marks_of_their_own():
    schemas = (SCHEMA, outbox.SCHEMA, catalog.SCHEMA)
    assert len({application_id(read_migrations(schema)) for schema in schemas}) == 3


def test_what_is_no_database(path):
    path.parent.mkdir()
    path.write_text("not a database" * 100)
    with pytest.raises(MigrationError, match="not a database"):
        migrate(path)


def test_processes_at_once(path):
    program = "import sys, pathlib, sql.database as d; print(d.migrate(pathlib.Path(sys.argv[1])))"
    command = [sys.executable, "-c", program, str(path)]
    started = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(6)]
    answers = [process.communicate()[0].strip() for process in started]
    assert answers == [str(version(path)).encode()] * 6


def test_a_connection_syncs_every_commit_and_creates_nothing(path):
    migrate(path)
    with closing(connect(path)) as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
        assert connection.execute("pragma synchronous").fetchone() == (2,)
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        connect(path.with_name("other.sqlite3"))
