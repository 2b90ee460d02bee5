"""Spill file: where batches wait, synced, while the database cannot be written.

Once everything in it is in the database it gets a new id, by which it is empty. Until then the
database remembers, by id, how many bytes it has taken: in the transaction of the rows, so that a
kill at any moment neither doubles nor loses one.
"""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import sql
from sql.batch import Batch
from sql.database import connect_reader
from sql.errors import RecordError
from sql.locks import lock
from sql.spillformat import FIRST, SpilledBatch, begins, header, pack, read_header, scan

log = logging.getLogger(__name__)

SIZE = 8 << 20
_ZEROS = bytes(1 << 20)


class Spill:
    """One spill file, held by one process: a second `Spill` for it raises `RecordError`.

    One thread at a time may use it. The constructor raises OSError where it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _open(path)
        self._id = read_header(os.pread(self._file, FIRST, 0))
        self._reserved = False
        self._end = SIZE
        self._end = max((record.end for record in self.records(FIRST)), default=FIRST)

    @property
    def id(self) -> str:
        """What the database knows the content by; another one after each `recycle`."""
        return (self._id or b"").hex()

    @property
    def empty(self) -> bool:
        """Whether nothing was appended since the last `recycle`."""
        return self._end == FIRST

    def close(self) -> None:
        """Let another process have the file."""
        os.close(self._file)

    def reserve(self) -> None:
        """Write the file in its full size, so that a full disk can no longer stop `append`.

        (Where the file system overwrites in place; btrfs and zfs do not.) Raises OSError.
        """
        if self._reserved:
            return
        written = os.fstat(self._file).st_size if self._id else 0
        os.posix_fallocate(self._file, 0, SIZE)
        for start in range(written, SIZE, len(_ZEROS)):
            _write(self._file, _ZEROS[: SIZE - start], start)
        if not self._id:
            self._renew()
        os.fsync(self._file)
        _sync_folder(self._path.parent)
        self._reserved = True

    def append(self, batch: Batch) -> None:
        """Return once the batch is synced. Raises `RecordError` when it cannot be or has no room.

        What a failed append left behind is overwritten by the next.
        """
        try:
            self.reserve()
            record = pack(self._id or b"", batch)
            if self._end + len(record) > SIZE:
                raise RecordError(f"{self._path}: the spill file is full")
            _write(self._file, record, self._end)
            os.fdatasync(self._file)
        except OSError as error:
            raise RecordError(f"{self._path}: cannot be written: {error}") from error
        self._end += len(record)

    def records(self, start: int) -> Iterator[SpilledBatch]:
        """The records from that byte on. Bytes between two of them are damage, and logged."""
        if not self._id:
            return
        expected = start
        for record in scan(os.pread(self._file, self._end, 0), self._id, start):
            if record.start != expected:
                log.error("%s: bytes %d to %d are damaged", self._path, expected, record.start)
            expected = record.end
            yield record

    def recycle(self) -> None:
        """Void every record, once all are in the database. Raises OSError."""
        self._renew()
        os.fdatasync(self._file)

    def _renew(self) -> None:
        fresh = os.urandom(16)
        _write(self._file, header(fresh), 0)
        self._id = fresh
        self._end = FIRST


def replayed(connection: sqlite3.Connection, spill: str) -> int:
    """The byte behind the last record of that id in the database. Raises sqlite3.Error."""
    row = connection.execute(sql.load()["spill_offset"], {"spill": spill}).fetchone()
    return int(row[0]) if row else FIRST


def waiting(folder: Path, database: Path) -> int:
    """How many events wait in the spill files of all processes; any process may ask.

    Reads a few bytes where none wait, else whole files (8 MiB each): call it in a thread.
    """
    return sum(_waiting(path, database) for path in folder.glob("*.spill"))


def _waiting(path: Path, database: Path) -> int:
    with path.open("rb") as file:
        spill = read_header(file.read(FIRST))
        if not spill or not begins(file.read(len(spill)), spill):
            return 0
        file.seek(0)
        data = file.read()
    try:
        with closing(connect_reader(database)) as connection:
            start = replayed(connection, spill.hex())
    except sqlite3.Error:
        start = FIRST  # what cannot be read now cannot be written either: all of it waits
    return sum(record.events for record in scan(data, spill, start))


def _open(path: Path) -> int:
    """Open and lock the file; a damaged one is moved aside and a new one made."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if not lock(file):
        os.close(file)
        raise RecordError(f"{path}: another process records into it")
    head = os.pread(file, FIRST, 0)
    if not any(head) or read_header(head):
        return file
    aside = path.with_suffix(".damaged")
    log.error("%s has no valid header and is kept as %s", path, aside)
    path.rename(aside)
    os.close(file)
    return _open(path)


def _write(file: int, data: bytes, start: int) -> None:
    if os.pwrite(file, data, start) != len(data):
        raise OSError("short write")


def _sync_folder(folder: Path) -> None:
    """The file's name is on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
