"""Connections, their pragmas, and migrations."""

import random
import re
import sqlite3
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path

from sql.errors import MigrationError
from sql.locks import locked_folder

_TABLE = re.compile(r"^create table (\w+)", re.MULTILINE)
SCHEMA = Path(__file__).parent / "schema"


def connect(path: Path, busy_seconds: float = 5) -> sqlite3.Connection:
    """A connection that writes to a database that exists.

    Transactions begin only where they are written out. The connection may change hands but serves
    one thread at a time. Raises sqlite3.Error.
    """
    connection = _open(path, "rw", busy_seconds)
    # Readers and the writer do not wait for one another.
    connection.execute("pragma journal_mode = wal")
    # A commit is on the disk when it returns. NORMAL would lose the last ones in a power cut.
    connection.execute("pragma synchronous = full")
    # In pages (4 MiB). With 4,000 a busy writer commits a twentieth more, but the longest waits,
    # while pages are copied into the database, grow by a third.
    connection.execute("pragma wal_autocheckpoint = 1000")
    # A burst must not leave a log behind that is never made shorter.
    connection.execute("pragma journal_size_limit = 67108864")
    # In KiB if negative: the pages of a day's totals and of the window stay in memory.
    connection.execute("pragma cache_size = -16384")
    # What a statement needs for itself is small, and must not depend on a free disk.
    connection.execute("pragma temp_store = memory")
    return connection


def connect_whole(path: Path, busy_seconds: float = 5) -> sqlite3.Connection:
    """The same to a database that is whole as far as its length tells.

    A restore may be copying it just now, and what is written to it then would damage it. Raises
    sqlite3.Error, or OSError.
    """
    check_whole(path)
    return connect(path, busy_seconds)


def check_whole(path: Path) -> None:
    """Raise sqlite3.OperationalError where a database is empty or shorter than it should be."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size > 0:
        return  # it is in use, and its last pages may be in the log alone
    # SQLite reads the header: to close a descriptor besides its own would drop its locks.
    with closing(connect_reader(path)) as connection:
        (pages,) = connection.execute("pragma page_count").fetchone()
        (size,) = connection.execute("pragma page_size").fetchone()
    if not 0 < pages * size <= path.stat().st_size:
        raise sqlite3.OperationalError("the file is empty or incomplete")


def connect_reader(path: Path, busy_seconds: float = 5) -> sqlite3.Connection:
    """A connection that cannot write. Same threads and errors as `connect`."""
    connection = _open(path, "ro", busy_seconds)
    connection.execute("pragma temp_store = memory")
    # What is read is mostly what was read before: sums and indexes, not rows. In KiB.
    connection.execute("pragma cache_size = -32768")
    # A row that was damaged, or put in by hand, is still shown.
    connection.text_factory = _text
    return connection


def patiently(
    connection: sqlite3.Connection,
    deadline: float,
    statement: str,
    parameters: Mapping[str, str | int],
) -> None:
    """Run what takes the write lock, again until the monotonic deadline while another has it.

    Processes that wait by the same schedule, as with SQLite's busy timeout, can starve one another:
    so chance decides. The connection's own `busy_seconds` should be short. Raises sqlite3.Error.
    """
    while True:
        try:
            connection.execute(statement, parameters)
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() >= deadline:
                raise
        else:
            return
        time.sleep(random.uniform(0.0005, 0.004))  # noqa: S311 - a pause  # nosec B311


@contextmanager
def transaction(connection: sqlite3.Connection, deadline: float | None = None) -> Iterator[None]:
    """Commit all of the block or nothing of it, with the write lock from its start.

    With a monotonic `deadline` the lock is waited for as in `patiently`, else as long as the
    connection's `busy_seconds`. Raises sqlite3.Error.
    """
    if deadline is None:
        connection.execute("begin immediate")
    else:
        patiently(connection, deadline, "begin immediate", {})
    try:
        yield
        connection.execute("commit")
    except BaseException:
        # SQLite may have rolled back by itself, and the first error is the one that tells more.
        with suppress(sqlite3.Error):
            connection.execute("rollback")
        raise


def is_busy(error: Exception) -> bool:
    """Whether another connection has a lock, and nothing else is wrong."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def migrate(path: Path, schema: Path = SCHEMA) -> int:
    """Create the database or bring it up to date; return its version.

    The files `schema/0001_*.sql` are the first migration, and so on; each is applied in a
    transaction of its own, which also sets `pragma user_version`. Any number of processes may call
    this at once. Raises `MigrationError` when the database is newer than this code or a migration
    fails.
    """
    migrations = read_migrations(schema)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite's busy timeout does not cover the change to WAL. The folder is locked and not the
        # database: closing a second descriptor of that would drop SQLite's own locks.
        with locked_folder(path.parent):
            path.touch(mode=0o600)
            check_owner(path, migrations)
            with closing(connect(path, busy_seconds=30)) as connection:
                return _apply(connection, migrations)
    except (sqlite3.Error, OSError) as error:
        raise MigrationError(f"{path}: cannot be migrated: {error}") from error


def read_migrations(schema: Path = SCHEMA) -> list[str]:
    """The scripts that make a database, from version 1 on.

    A migration may have several files, which share the number that their names begin with and are
    applied in the order of their names. Raises `MigrationError` where a number is missing.
    """
    scripts: dict[str, str] = {}
    for path in sorted(schema.glob("[0-9]*.sql")):
        number = path.name[:4]
        scripts[number] = scripts.get(number, "") + path.read_text(encoding="utf-8")
    for version, number in enumerate(scripts, start=1):
        if number != f"{version:04}":
            raise MigrationError(f"{schema}: there is {number} and no {version:04}")
    return list(scripts.values())


def application_id(migrations: list[str]) -> int:
    """SQLite's mark of whose file a database is: a number of its own for each kind of database.

    It is made from the names of the tables that the first migration makes, which never change.
    """
    return zlib.crc32(" ".join(_TABLE.findall(migrations[0])).encode()) & 0x7FFFFFFF


def check_owner(path: Path, migrations: list[str]) -> None:
    """Raise `MigrationError` where a file is a database, and not one that these migrations made.

    Nothing is written. An empty file is nobody's, and may be made one.
    """
    with closing(connect_reader(path, busy_seconds=30)) as connection:
        owner = _owner(connection)
        if owner == application_id(migrations):
            return
        (version,) = connection.execute("pragma user_version").fetchone()
        found = _tables(connection)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for script in migrations[:version]:
            connection.executescript(script)
        made = _tables(connection)
    # Databases that earlier versions of the portal made have no mark, but all of their tables.
    if owner != 0 or (found and not made) or not made <= found:
        raise MigrationError(f"{path} is a database of another program; it is left as it is")


def schema_of(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """The names of all that a database is made of, each with the statement that made it."""
    return connection.execute(
        "select name, sql from sqlite_schema where sql is not null order by name"
    ).fetchall()


@cache
def migrated_schema(schema: Path) -> list[tuple[str, str]]:
    """What `schema_of` says of a database that these migrations have made."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _apply(connection, read_migrations(schema))
        return schema_of(connection)


def is_damage(error: Exception) -> bool:
    """Whether a file holds something that no database has."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _owner(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma application_id").fetchone()[0])


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("select name from sqlite_schema where type = 'table'")
    return {name for (name,) in rows}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _open(path: Path, mode: str, busy_seconds: float) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )


def _apply(connection: sqlite3.Connection, migrations: list[str]) -> int:
    (version,) = connection.execute("pragma user_version").fetchone()
    if version > len(migrations):
        raise MigrationError(
            f"The database is at version {version} and this code knows {len(migrations)}: "
            "it was used by a newer portal. Install that one, or restore an older backup."
        )
    for number, migration in enumerate(migrations[version:], start=version + 1):
        with transaction(connection):
            for statement in _statements(migration):
                connection.execute(statement)
            connection.execute(f"pragma user_version = {number}")
    if _owner(connection) == 0:
        # Databases of earlier versions of the portal have none.
        connection.execute(f"pragma application_id = {application_id(migrations)}")
    return len(migrations)


def _statements(script: str) -> Iterator[str]:
    """One at a time, since `executescript` would commit the transaction it is called in."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement
