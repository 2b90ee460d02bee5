"""Benchmark of /metrics over two years of events: time of the page, longest block of the event
loop, and the cost of the totals that make it fast."""

import json
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

from benchmarks import history, raw_sums
from benchmarks.children import ADDRESS, NO_GITLAB, BenchmarkError, running
from benchmarks.plan import Plan
from benchmarks.report import Outcome, at_most
from sql.database import connect
from sql.rebuild import rebuild
from sql.upkeep import Upkeep

TOKEN = "benchmark"  # noqa: S105 - on the loopback only
RATE = 500  # events per second while the lag of the distinct clients is measured

_CONFIG = (
    """
data_dir = {data_dir}
"""
    + NO_GITLAB
)
_INSERT = """
insert into downloads (project, version, asset, timestamp, ip_hash, user_agent)
values (?, ?, ?, datetime('now'), ?, ?)
"""


class Portal:
    """The client's side of `benchmarks.watched`: requests pages, reads the watch on the loop."""

    def __init__(self, child: "subprocess.Popen[str]", log: Path) -> None:
        self._child = child
        self._log = log
        self.port = int(self._read() or 0)
        if not self.port:
            raise BenchmarkError("the watched portal did not start")

    def _read(self) -> str:
        assert self._child.stdout
        return self._child.stdout.readline()

    def say(self, line: str) -> dict[str, float]:
        """Send one command line; its JSON answer."""
        assert self._child.stdin
        self._child.stdin.write(f"{line}\n")
        self._child.stdin.flush()
        answer: dict[str, float] = json.loads(self._read())
        return answer

    def get(self, query: str = "") -> bytes:
        """GET /metrics in the form that the query names."""
        connection = HTTPConnection(ADDRESS, self.port, timeout=60)
        connection.request("GET", f"/metrics{query}", headers={"X-Metrics-Token": TOKEN})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        if response.status != 200:
            raise BenchmarkError(f"/metrics answered {response.status}")
        return body

    def behind(self) -> float:
        """The lag of the distinct clients in seconds."""
        house = json.loads(self.get("?format=json"))["house"]
        return float(house["clients_behind_seconds"])

    def server_times(self, requests: int) -> list[float]:
        """Request the page so often; the milliseconds of each from the access log, sorted."""
        begin = self._log.stat().st_size
        for _ in range(requests):
            self.get()
        times = re.findall(rb"GET /metrics 200 (\d+) ms", self._log.read_bytes()[begin:])
        return sorted(map(float, times))


@contextmanager
def watched_portal(folder: Path) -> Iterator[Portal]:
    """Run a portal with its data in the folder and without a GitLab."""
    configuration = folder / "portal.toml"
    configuration.write_text(_CONFIG.format(data_dir=json.dumps(str(folder))))
    command = [sys.executable, "-m", "benchmarks.watched", configuration]
    environ = {"METRICS_TOKEN": TOKEN}
    with running("watched", command, folder, environ, piped=True) as child:
        yield Portal(child, folder / "watched.log")


def measure(plan: Plan) -> list[Outcome]:
    """Fill the database, then time rebuild, pages, lag and inserts, and Datasette's same sums."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as name:
        folder = Path(name)
        database = folder / "portal.sqlite3"
        rows = history.fill(database, plan.history_scale)
        outcome = Outcome(f"/metrics over {rows:,} rows", ("measured",))
        _rebuild(database, outcome)
        with watched_portal(folder) as portal:
            while portal.behind():
                time.sleep(1)
            _pages(portal, plan, outcome)
            _lag(portal, plan, outcome)
        _inserts(database, folder, plan, outcome)
        _datasette(folder, database, outcome)
        return [outcome]


def _rebuild(database: Path, outcome: Outcome) -> None:
    """Time what --rebuild-totals does: the totals and their sums, then the distinct clients."""
    began = time.perf_counter()
    clients_began = began

    def told(what: str, _done: int, _of: int) -> None:
        nonlocal clients_began
        if clients_began == began and what.startswith("clients"):
            clients_began = time.perf_counter()

    Upkeep(database).roll_up(datetime.now(UTC).date())
    rebuild(database, told)
    totals, clients = clients_began - began, time.perf_counter() - clients_began
    outcome.rows += [
        ("totals rebuilt, seconds", f"{totals:.1f}"),
        ("clients rebuilt, seconds", f"{clients:.1f}"),
    ]
    outcome.bars.append(at_most("totals rebuilt", totals, 60, "{:.0f}", " s"))


def _pages(portal: Portal, plan: Plan, outcome: Outcome) -> None:
    for _ in range(5):
        portal.get()
    portal.say("watch")
    times = portal.server_times(plan.pages)
    held = portal.say("report")
    p50, p95 = times[len(times) // 2], times[len(times) * 95 // 100]
    outcome.rows += [
        ("page, server time: median, ms", f"{p50:.0f}"),
        ("page, server time: p95, ms", f"{p95:.0f}"),
        ("the loop was held, longest, ms", f"{held['worst']:.1f}"),
        ("the loop was held, 99.9%, ms", f"{held['p999']:.1f}"),
    ]
    outcome.bars += [
        at_most("page, median", p50, 60, "{:.0f}", " ms"),
        at_most("page, p95", p95, 100, "{:.0f}", " ms"),
        at_most("page: longest hold of the loop", held["worst"], 10, "{:.1f}", " ms"),
    ]


def _lag(portal: Portal, plan: Plan, outcome: Outcome) -> None:
    portal.say(f"load {RATE}")
    stop = time.monotonic() + plan.lag_seconds
    worst = 0.0
    while time.monotonic() < stop:
        worst = max(worst, portal.behind())
        time.sleep(0.5)
    outcome.rows.append((f"clients behind at {RATE} events/s, longest, s", f"{worst:.1f}"))
    outcome.bars.append(
        at_most(f"distinct clients behind at {RATE} events/s", worst, 60, "{:.0f}", " s")
    )


def _inserts(database: Path, folder: Path, plan: Plan, outcome: Outcome) -> None:
    """Compare inserts into the table with its triggers and into the same table without any."""
    bare = folder / "bare.sqlite3"
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(bare)) as target:
        (schema,) = source.execute(
            "select sql from sqlite_schema where name = 'downloads'"
        ).fetchone()
        target.execute(schema)
    ratios, costs = [], []
    for _ in range(plan.rounds):
        with_totals, without = _insert_seconds(database), _insert_seconds(bare)
        ratios.append(with_totals / without)
        costs.append(with_totals)
    cost, ratio = statistics.median(costs), statistics.median(ratios)
    outcome.rows.append(("insert with daily totals, microseconds", f"{cost * 1e6:.1f}"))
    outcome.rows.append(("insert with daily totals, to a bare one", f"{ratio:.2f}"))
    outcome.bars.append(at_most("insert with daily totals, to a bare one", ratio, 3))


def _insert_seconds(database: Path, commits: int = 200) -> float:
    """CPU seconds of one row at 100 rows a commit, unsynced: the disk would hide the difference."""
    rows = [
        (f"project-{n % 20}", "v9.0", f"asset-{n % 6}.zip", f"{n:064x}", "curl/8.5.0")
        for n in range(100)
    ]
    with closing(connect(database)) as connection:
        connection.execute("pragma synchronous = off")
        began = time.process_time()
        for _ in range(commits):
            connection.execute("begin immediate")
            connection.executemany(_INSERT, rows)
            connection.execute("commit")
        return (time.process_time() - began) / commits / len(rows)


def _datasette(folder: Path, database: Path, outcome: Outcome) -> None:
    try:
        with raw_sums.datasette(folder, database) as port:
            seconds = raw_sums.seconds(port, database)
    except BenchmarkError as error:
        outcome.notes.append(f"Datasette: {error}")
        return
    outcome.rows.append(("the same sums from the rows, by Datasette, seconds", f"{seconds:.1f}"))
