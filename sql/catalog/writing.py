"""Writing the index: one process at a time, which holds a lock on a file beside it."""

import json
import sqlite3
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import sql
from sql.catalog import QUERIES, mark_damaged
from sql.database import connect, is_damage, transaction
from sql.errors import CatalogError
from sql.locks import locked

NUMBER, DIGEST = "I", "Q"  # four bytes and eight, as `array` calls them
REMEMBERED = 4  # contents of a head whose digests are used again
BUSY_SECONDS = 30.0  # readers never make it wait; a checkpoint of another might


class Known(NamedTuple):
    """A version in the index."""

    id: int
    fingerprint: str
    ready: bool


class NewRow(NamedTuple):
    """A row as it is stored: its name, the hash of its values, its title, the values as JSON."""

    name: str
    hash: bytes
    title: str
    body: str


class Content(NamedTuple):
    """What a table holds: the number of its head, its rows with their digests in the same order,
    and in how many of them each field stands."""

    head: int
    rows: Sequence[int]
    digests: Sequence[int]
    fields: Mapping[str, int]


class Seen(NamedTuple):
    """What is known of a file that was read before."""

    content: int
    problems: list[str]


def packed(numbers: Iterable[int], width: str = NUMBER) -> bytes:
    """Row ids as `contents.members` has them; with DIGEST, digests as `contents.digests` has."""
    members = array(width, numbers)
    if sys.byteorder == "big":
        members.byteswap()
    return members.tobytes()


def unpacked(members: bytes, width: str = NUMBER) -> "array[int]":
    """The numbers again."""
    numbers = array(width, members)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def alone(path: Path) -> AbstractContextManager[bool]:
    """Lock the index for the block; its value is whether this process is the one that writes it."""
    return locked(path.with_name(f"{path.name}.lock"))


class Index:
    """The index, to be written by one thread. Every method raises `CatalogError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._statements = sql.load(QUERIES)
        with self._errors():
            self._connection = connect(path, BUSY_SECONDS)
            # It can be made again, so a power cut may cost its last commits.
            self._connection.execute("pragma synchronous = off")
            self._connection.execute("pragma cache_size = -65536")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of a block, or nothing."""
        with self._errors(), transaction(self._connection):
            yield

    def close(self) -> None:
        """Leave no log behind, if no reader needs it, and let go."""
        with self._errors():
            self._connection.execute("pragma wal_checkpoint(truncate)")
            self._connection.close()

    def known(self) -> dict[str, Known]:
        """The versions in it, by name."""
        rows = self.rows("known_versions")
        return {name: Known(key, print_, bool(ready)) for name, key, print_, ready in rows}

    def folder(self) -> str:
        """Where the versions in it come from."""
        return str(self.rows("folder")[0][0])

    def table(self, category: str, name: str) -> int:
        """The number of a table, which may be new."""
        self.run("add_table", category=category, name=name)
        return self._one("table_id", category=category, name=name)

    def seen(self, table: int, file_hash: bytes) -> Seen | None:
        """What is known of a file with these bytes."""
        found = self.rows("file_seen", table=table, hash=file_hash)
        return Seen(found[0][0], json.loads(found[0][1])) if found else None

    def add_rows(self, table: int, rows: Sequence[NewRow]) -> tuple[list[int], dict[int, int]]:
        """The numbers of a table's rows, in order, and for those that are new, by number, their
        place in it: of these the words and links are to be added."""
        keys = dict(self.rows("table_keys", table=table))
        known = {(key, digest): row for key, digest, row in self.rows("table_rows", table=table)}
        numbers, new = [], {}
        for place, row in enumerate(rows):
            key = keys.get(row.name) or self._insert("add_key", table=table, name=row.name)
            number = known.get((key, row.hash))
            if number is None:
                number = self._insert("add_row", key=key, **row._asdict())
                new[number] = place
            numbers.append(number)
        return numbers, new

    def add_words(self, row: int, words: Sequence[str]) -> None:
        """What a new row can be found by: the columns of `words`, and its spelling."""
        name, title, text, value, spelling = words
        self.run("add_spelling", row=row, spelling=spelling)
        self.run("add_words", row=row, name=name, title=title, text=text, value=value)

    def add_links(self, row: int, head: int, links: Iterable[tuple[str, str]]) -> None:
        """The tables and rows that a row refers to: by itself (`head` is 0), or by the Defaults of
        a head."""
        for to_table, to_row in links:
            self.run("add_link", to_table=to_table, to_row=to_row, row=row, head=head)

    def add_head(self, table: int, digest: bytes, body: str) -> int:
        """The number of a table's head, which may be new."""
        self.run("add_head", table=table, hash=digest, body=body)
        return self._one("head_id", table=table, hash=digest)

    def digests(self, head: int) -> dict[int, int]:
        """The digests of rows that were merged with a head before, by row."""
        found: dict[int, int] = {}
        for members, digests in self.rows("head_digests", head=head, most=REMEMBERED):
            found.update(zip(unpacked(members), unpacked(digests, DIGEST), strict=True))
        return found

    def add_content(self, table: int, digest: bytes, content: "Content") -> int:
        """The number of what a table holds, which may be new."""
        self.run(
            "add_content",
            table=table,
            hash=digest,
            head=content.head,
            row_count=len(content.rows),
            fields=json.dumps(content.fields),
            members=packed(content.rows),
            digests=packed(content.digests, DIGEST),
        )
        return self._one("content_id", table=table, hash=digest)

    def remember(self, table: int, file_hash: bytes, content: int, problems: list[str]) -> None:
        """That a file with these bytes need not be read again."""
        told = json.dumps(problems)
        self.run("add_file", table=table, hash=file_hash, content=content, problems=told)

    def start_version(self, name: str, files: int) -> int:
        """The number of a version that is about to be read."""
        return self._one("start_version", name=name, files=files)

    def finish_version(
        self,
        version: int,
        told: Mapping[str, str],
        tables: Mapping[int, int],
        problems: Iterable[tuple[str, str]],
    ) -> None:
        """Show it: `told` has its name, label, date and fingerprint, `tables` the number of what
        each holds."""
        self.run("forget_version_tables", version=version)
        for table, content in tables.items():
            self.run("add_version_table", version=version, table=table, content=content)
        self.set_problems(told["name"], problems)
        rest = {name: value for name, value in told.items() if name != "name"}
        self.run("finish_version", version=version, **rest)
        self.run("move_generation")

    def set_problems(self, version: str, problems: Iterable[tuple[str, str]]) -> None:
        """What is wrong with a version's files, instead of what was."""
        self.run("forget_problems", version=version)
        for path, sentence in problems:
            self.run("add_problem", version=version, path=path, sentence=sentence)

    def keep_problems(self, versions: Iterable[str]) -> None:
        """Forget those of all other versions."""
        self.run("forget_problems_but", versions=json.dumps(list(versions)))

    def forget_version(self, name: str, version: int) -> None:
        """A version whose folder is gone."""
        self.run("forget_version_tables", version=version)
        self.set_problems(name, [])
        self.run("forget_version", version=version)
        self.run("move_generation")

    def run(self, statement: str, **parameters: object) -> None:
        """Run a named statement."""
        with self._errors():
            self._connection.execute(self._statements[statement], parameters)

    def rows(self, statement: str, **parameters: object) -> list[tuple]:  # type: ignore[type-arg]
        """What a named statement answers."""
        with self._errors():
            return self._connection.execute(self._statements[statement], parameters).fetchall()

    def _one(self, statement: str, **parameters: object) -> int:
        ((number,),) = self.rows(statement, **parameters)
        return int(number)

    def _insert(self, statement: str, **parameters: object) -> int:
        with self._errors():
            cursor = self._connection.execute(self._statements[statement], parameters)
        return int(cursor.lastrowid or 0)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if is_damage(error):
                mark_damaged(self._path)
            raise CatalogError(f"{self._path}: {error}") from error
