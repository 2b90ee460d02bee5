"""Reads, off the event loop."""

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import sql
from sql.database import connect_reader
from sql.errors import ReadError

Row = tuple[Any, ...]


class Reader:
    """Runs named statements on read-only connections, in threads of its own.

    `rows` may be awaited by any number of tasks; `threads` of them run at once, each on a
    connection of its own that is opened when first needed, and the others wait their turn. A
    reader never waits for the writer. Must be created after the last fork.
    """

    def __init__(self, database: Path, threads: int = 2) -> None:
        self._database = database
        self._statements = sql.load()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="reader")
        self._local = threading.local()
        self._connections: set[sqlite3.Connection] = set()

    async def rows(self, name: str, **parameters: str | int) -> list[Row]:
        """The rows of a statement of `queries/*.sql`, as tuples in the order of its columns.

        Raises `StatementError` for an unknown name and `ReadError` when the database cannot be
        read.
        """
        statement = self._statements[name]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._rows, statement, parameters)

    def close(self) -> None:
        """Wait for what runs, then close the connections. Nothing can be read afterwards."""
        self._threads.shutdown()
        while self._connections:
            self._connections.pop().close()

    def _rows(self, statement: str, parameters: dict[str, str | int]) -> list[Row]:
        try:
            return self._connection().execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            self._forget()
            raise ReadError(f"{self._database}: cannot be read: {error}") from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect_reader(self._database)
            self._connections.add(connection)
        return connection

    def _forget(self) -> None:
        """The next statement of this thread opens anew: the file may have been replaced."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            self._local.connection = None
            self._connections.discard(connection)
            connection.close()
