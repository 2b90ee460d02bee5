"""Read-only queries, in threads beside the event loop."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import sql
from sql.database import connect_reader, is_damage
from sql.errors import DamagedError, ReadError
from sql.held import file_ids

Row = tuple[Any, ...]
T = TypeVar("T")


class Snapshot:
    """The database as it was at one moment; valid only in the call that it was given to."""

    def __init__(
        self, connection: sqlite3.Connection, statements: sql.Statements | None = None
    ) -> None:
        self._connection = connection
        self._statements = sql.load() if statements is None else statements

    def rows(self, name: str, **parameters: str | int | bytes) -> list[Row]:
        """The rows of a statement of `queries/*.sql`, as tuples in the order of its columns."""
        return self._connection.execute(self._statements[name], parameters).fetchall()


class Reader:
    """Runs named statements on read-only connections, in threads of its own.

    Any number of tasks may await its methods; `threads` of them run at once, each on a connection
    of its own that is opened when first needed, and the others wait their turn. A reader never
    waits for the writer. Must be created after the last fork.
    """

    def __init__(self, database: Path, threads: int = 2, queries: Path = sql.QUERIES) -> None:
        self._database = database
        self._statements = sql.load(queries)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="reader")
        self._local = threading.local()
        self._connections: set[sqlite3.Connection] = set()

    async def rows(self, name: str, **parameters: str | int) -> list[Row]:
        """The rows of a statement of `queries`, as tuples in the order of its columns.

        Raises `StatementError` for an unknown name and `ReadError` when the database cannot be
        read.
        """
        return await self.read(lambda snapshot: snapshot.rows(name, **parameters))

    async def read(self, work: Callable[[Snapshot], T]) -> T:
        """What `work` makes of one snapshot, in a thread of the reader's. Raises as `rows` does."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._read, work)

    async def batches(
        self, name: str, parameters: Mapping[str, str | int], size: int = 1000
    ) -> AsyncIterator[list[Row]]:
        """The rows of a statement, so many at a time, for answers that are too long for memory.

        They come from one snapshot, on a connection of their own. Raises as `rows` does.
        """
        connection = await asyncio.to_thread(self._connect)
        with closing(connection):
            try:
                statement = self._statements[name]
                cursor = await asyncio.to_thread(connection.execute, statement, parameters)
                while rows := await asyncio.to_thread(cursor.fetchmany, size):
                    yield rows
            except sqlite3.Error as error:
                raise self._unreadable(error) from error

    def close(self) -> None:
        """Wait for what runs, then close the connections. Nothing can be read afterwards."""
        self._threads.shutdown()
        while self._connections:
            self._connections.pop().close()

    def _read(self, work: Callable[[Snapshot], T]) -> T:
        try:
            connection = self._connection()
            connection.execute("begin")
            try:
                return work(Snapshot(connection, self._statements))
            finally:
                connection.execute("rollback")
        except sqlite3.Error as error:
            self._forget()
            raise self._unreadable(error) from error

    def _unreadable(self, error: sqlite3.Error) -> ReadError:
        kind = DamagedError if is_damage(error) else ReadError
        return kind(f"{self._database}: cannot be read: {error}")

    def _connect(self) -> sqlite3.Connection:
        try:
            return connect_reader(self._database)
        except sqlite3.Error as error:
            raise self._unreadable(error) from error

    def _connection(self) -> sqlite3.Connection:
        # An open connection would go on with a file that was replaced, or with its log.
        ids = file_ids(self._database)
        if ids != getattr(self._local, "ids", None):
            self._forget()
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
            self._local.ids = ids
            self._connections.add(connection)
        return connection

    def _forget(self) -> None:
        """The next statement of this thread opens anew."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            self._local.connection = None
            self._connections.discard(connection)
            connection.close()
