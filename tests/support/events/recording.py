"""What the recorder's tests share: events, a database, its lock."""

import asyncio
import sqlite3
from contextlib import closing, contextmanager

from portal.counting import Classification
from portal.events import DownloadRequest
from sql.batch import encode, row
from sql.database import connect, migrate
from sql.recorder import Recorder
from sql.spill import Spill

NOON = 1_700_049_600  # 2023-11-15 12:00:00 UTC


def request(asset="a.zip", classification=Classification.WHOLE, time=NOON, **other):
    fields = {"project": "pets", "version": "v1", "ip_hash": "h", "user_agent": "u", **other}
    return DownloadRequest(asset=asset, classification=classification, time=time, **fields)


class Place:
    """A database and its spill folder."""

    def __init__(self, folder):
        self.database = folder / "portal.sqlite3"
        self.spills = folder / "spill"
        migrate(self.database)

    @contextmanager
    def recorder(self, slot=0, slots=1):
        recorder = Recorder(self.database, self.spills, slot, slots)
        recorder.start()
        try:
            yield recorder
        finally:
            recorder.close()

    def record(self, *events, slot=0, slots=1):
        """Record them at once and wait for all; the exceptions, None for each that succeeded."""
        with self.recorder(slot, slots) as recorder:
            return record(recorder, *events)

    @contextmanager
    def locked(self):
        with closing(connect(self.database)) as connection:
            connection.execute("begin immediate")
            yield
            connection.execute("rollback")

    def rows(self, statement):
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(statement).fetchall()

    def assets(self):
        return [asset for (asset,) in self.rows("select asset from downloads order by id")]


def record(recorder, *events):
    async def all_of_them():
        waits = (recorder.record(event) for event in events)
        return await asyncio.gather(*waits, return_exceptions=True)

    return asyncio.run(all_of_them())


def batch(*names):
    return encode([("download_request", row(request(name))) for name in names])


def fill(path, *batches):
    with closing(Spill(path)) as file:
        for names in batches:
            file.append(batch(*names))
        return file.id
