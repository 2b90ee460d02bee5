"""What the tests of the operator's commands share: a house with some months of events."""

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

from sql.database import connect, migrate
from sql.upkeep import Upkeep
from tests.support.running import ROOT

DAYS = 140
_FILLED: dict[tuple[int, int, int], bytes] = {}

# What rows give, each without what stands for nothing: a count of 0 is as good as no row.
KEPT = {
    "download_totals": "count <> 0",
    "clone_totals": "count <> 0",
    "tool_totals": "count <> 0",
    "catalog_totals": "count <> 0",
    "request_totals": "count <> 0",
    "rollups": "days_all <> 0",
    "day_rollups": "count <> 0",
    "clients": "true",
    "client_totals": "count <> 0",
    "client_sums": "count <> 0",
    "client_days": "(count <> 0 or days_30 <> 0) and day > date('now', '-90 days')",
}


def today():
    return datetime.now(UTC).date()


def ago(days):
    return today() - timedelta(days=days)


class House:
    """A configuration, a database under it, and the commands on both."""

    def __init__(self, folder):
        self.folder = folder
        self.data = folder / "data"
        self.database = self.data / "portal.sqlite3"
        self.config = folder / "portal.toml"
        self.config.write_text(
            f'data_dir = "{self.data}"\n[gitlab]\nurl = "http://gitlab.invalid"\n'
            '[[projects]]\nslug = "pets"\ngitlab = "icarus/pets"\n'
        )

    def run(self, *arguments, **options):
        """Run server.py to its end; status, output, errors."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "server.py"), "--config", str(self.config), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            env={"PYTHONWARNINGS": "error"},
            **options,
        )
        return done.returncode, done.stdout, done.stderr

    def connect(self):
        return closing(connect(self.database))

    def rows(self, statement, *parameters):
        with closing(sqlite3.connect(self.database)) as connection:
            rows = connection.execute(statement, parameters).fetchall()
            connection.commit()
            return rows

    def kept(self):
        """All totals, sums and clients, to be compared."""
        return {
            table: sorted(self.rows(f"select * from {table} where {there}"), key=repr)  # noqa: S608
            for table, there in KEPT.items()
        }

    def fill(self, seed=1, days=DAYS, a_day=20):
        """Events of so many days up to today, all counted; the same bytes each time."""
        asked = seed, days, a_day
        if asked not in _FILLED:
            self._make(*asked)
            with self.connect() as connection:
                connection.execute("pragma wal_checkpoint(truncate)")
            _FILLED[asked] = self.database.read_bytes()
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.database.write_bytes(_FILLED[asked])
        self.database.chmod(0o600)
        return self

    def _make(self, seed, days, a_day):
        migrate(self.database)
        chance = random.Random(seed)  # noqa: S311
        with self.connect() as connection:
            connection.execute("begin")
            connection.execute("update rollup_day set day = ?", (str(ago(days)),))
            for number in range(days):
                for _ in range(chance.randint(0, 2 * a_day)):
                    record(connection, chance, ago(days - 1 - number))
            connection.execute("commit")
        Upkeep(self.database).run(today())


def record(connection, chance, day: date):
    """One event of that day, of one of forty clients."""
    client = f"h{chance.randint(1, 40)}"
    time = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())
    kind = chance.randint(1, 6)
    if kind <= 2:
        connection.execute(
            "insert into download_requests values (?, ?, 'a.zip', ?, 'u', ?, ?)",
            (
                chance.choice(["pets", "prospects"]),
                chance.choice(["v1", "v2"]),
                client,
                chance.choice(["whole", "whole", "head"]),
                time,
            ),
        )
    elif kind == 3:
        connection.execute(
            "insert into clones (project, timestamp, ip_hash, user_agent) values (?, ?, ?, 'g')",
            (chance.choice(["pets", "prospects"]), f"{day} 12:00:00", client),
        )
    elif kind == 4:
        connection.execute(
            "insert into tool_usage (tool, event, timestamp, ip_hash, user_agent) "
            "values ('pets', ?, ?, ?, 'u')",
            (chance.choice(["upload", "download"]), f"{day} 12:00:00", client),
        )
    else:
        event = chance.choice(["search", "search", "category_view"])
        connection.execute(
            "insert into catalog_interactions (event, detail, result_count, timestamp, ip_hash) "
            "values (?, ?, ?, ?, ?)",
            (
                event,
                chance.choice(["rex", "tom", "ada"]),
                chance.randint(0, 3) if event == "search" else None,
                f"{day} 12:00:00",
                client,
            ),
        )


def corrupt(connection, chance):
    """Damage of every kind, in every table that is kept."""
    for table, column in [
        *((name, "count") for name in KEPT if name.endswith("_totals") and name[:2] != "re"),
        *((name, "count") for name in ("day_rollups", "client_sums")),
        *(("rollups", name) for name in ("days_30", "days_before", "days_90", "days_all")),
    ]:
        more = f"update {table} set {column} = {column} + 3"  # noqa: S608
        _some(connection, more, "abs(random()) % 5 = 0")
        _some(connection, f"delete from {table}", "abs(random()) % 7 = 0")  # noqa: S608
    _some(connection, "update request_totals set count = count + 2", "verdict = 'counted'")
    _some(connection, "update catalog_totals set results = 99", "abs(random()) % 3 = 0")
    _some(connection, "update rollups set results = 98", "section = 'catalog'")
    _some(connection, "update clients set last_day = '2020-01-01'", "abs(random()) % 9 = 0")
    _some(connection, "delete from clients", "abs(random()) % 9 = 0")
    _some(connection, "update client_days set count = 77, days_30 = 78", f"day >= '{ago(89)}'")
    _some(connection, "delete from client_days", f"day >= '{ago(80)}' and abs(random()) % 3 = 0")
    for table, row in (
        ("download_totals", (f"{ago(chance.randint(0, 9))}", "none", "v0", "b.zip", 4)),
        ("catalog_totals", (f"{ago(3)}", "search", "nobody", 4, 1)),
        ("rollups", ("clones", "none", "", "", 1, 2, 3, 4, None)),
        ("day_rollups", ("clones", f"{ago(3)}", "none", 4)),
        ("clients", ("h-none", "clones", "none", f"{ago(3)}")),
        ("client_days", ("clones", "none", f"{ago(8)}", 3, 3)),
    ):
        marks = ", ".join("?" * len(row))
        connection.execute(f"insert into {table} values ({marks})", row)  # noqa: S608


def _some(connection, statement, where):
    connection.execute(f"{statement} where {where}")
