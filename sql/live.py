"""Schema introspection: the tables of a database, their columns, how many rows they have."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import sql
from sql.database import connect_reader
from sql.errors import ReadError

MOST = 1_000_000  # rows that are counted one by one: some 50 ms


class Column(NamedTuple):
    """A column and its declared type."""

    name: str
    kind: str


class Table(NamedTuple):
    """A table; `rows` is exact unless `more`, which says that there are at least so many."""

    name: str
    columns: tuple[Column, ...]
    rows: int
    more: bool


def tables(path: Path, most: int = MOST) -> list[Table]:
    """Every table of a database, in the order in which they were created; blocking.

    Raises `ReadError`.
    """
    try:
        with closing(connect_reader(path)) as connection:
            connection.execute("begin")
            return _tables(connection, most)
    except sqlite3.Error as error:
        raise ReadError(f"{path}: cannot be read: {error}") from error


def _tables(connection: sqlite3.Connection, most: int) -> list[Table]:
    columns: dict[str, list[Column]] = {}
    for table, name, kind in connection.execute(sql.load()["live_columns"]):
        columns.setdefault(table, []).append(Column(name, kind.lower()))
    found = []
    for table, own in columns.items():
        rows, more = _count(connection, table, most)
        found.append(Table(table, tuple(own), rows, more))
    return found


def _count(connection: sqlite3.Connection, table: str, most: int) -> tuple[int, bool]:
    """How many rows, up to `most`, and whether there are more."""
    name = '"' + table.replace('"', '""') + '"'
    # No statement can have a table's name as a parameter; this one is the schema's own.
    counting = f"select count(*) from (select 1 from {name} limit ?)"  # noqa: S608  # nosec B608
    (rows,) = connection.execute(counting, [most + 1]).fetchone()
    return min(rows, most), rows > most
