"""Benchmark of page events: rate while Umami is away, losses, latency that the portal adds.

The tests' stand-in for Umami stores the events as a real one does.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.children import ADDRESS, NO_GITLAB, ROOT, BenchmarkError, free_port, listening
from benchmarks.plan import Plan
from benchmarks.report import Bar, Outcome, at_least, at_most
from sql.outbox import State, look
from tests.support.umami.rules import WEBSITE

PAGES = 64
RATE = 2000
ADDED_MS = 3
ARRIVAL_SECONDS = 600.0
STOP_SECONDS = 60.0
OUTAGE_RATE = 50
PATH = "/u/api/send"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

_CONFIG = (
    """
data_dir = {data_dir}
[listen]
port = {port}
trusted_proxies = ["127.0.0.1"]
[umami]
url = "http://127.0.0.1:{umami}"
website = "{website}"
"""
    + NO_GITLAB
)


class House:
    """A portal and an Umami, each of which can be started and ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.umami_port = free_port(), free_port()
        self.outbox = folder / "data" / "outbox.sqlite3"
        (folder / "umami").mkdir()
        values = {"port": self.port, "umami": self.umami_port, "website": WEBSITE}
        data_dir = json.dumps(str(folder / "data"))
        text = _CONFIG.format(data_dir=data_dir, **values)
        (folder / "portal.toml").write_text(text)

    @contextmanager
    def portal(self) -> Iterator[int]:
        """Run the portal in one process; its id."""
        command = [sys.executable, "server.py", "--config", self.folder / "portal.toml"]
        with listening("portal", command, self.port, self.folder) as number:
            yield number

    @contextmanager
    def umami(self) -> Iterator[int]:
        """Run the stand-in for Umami."""
        command = [sys.executable, "-m", "tests.support.umami.server", self.folder / "umami"]
        command += [str(self.umami_port)]
        with listening("umami", command, self.umami_port, self.folder) as number:
            yield number

    def stored(self) -> list[dict[str, Any]]:
        """The events that Umami has stored."""
        path = self.folder / "umami" / "stored.jsonl"
        lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def state(self) -> State:
        """The state of the outbox."""
        return look(self.outbox)


def measure(plan: Plan) -> list[Outcome]:
    """Measure with Umami away, then with Umami running; the tables."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as name:
        away = _away(House(Path(name)), plan)
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as name:
        up = _up(House(Path(name)), plan)
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as name:
        return [away, up, outage(House(Path(name)), plan.outage_seconds)]


def _load(port: int, pages: int, seconds: float) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.events", port, PATH, pages, seconds]
    texts = [str(part) for part in command]
    return subprocess.Popen(texts, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _told(load: "subprocess.Popen[str]", seconds: float) -> dict[str, Any]:
    try:
        output, _ = load.communicate(timeout=seconds + STOP_SECONDS)
    except subprocess.TimeoutExpired:
        load.kill()
        raise BenchmarkError("the pages did not end") from None
    if load.returncode:
        raise BenchmarkError("the pages failed")
    told: dict[str, Any] = json.loads(output)
    return told


def _away(house: House, plan: Plan) -> Outcome:
    """Post events, kill the portal under a second load, then start and restart Umami; compare."""
    seconds = plan.page_event_seconds
    began = int(time.time())
    with house.portal() as portal:
        loads = [_told(_load(house.port, PAGES, seconds), seconds) for _ in range(plan.rounds)]
        cut_off = _load(house.port, PAGES, 3 * seconds)
        time.sleep(seconds)
        os.kill(portal, signal.SIGKILL)
        loads.append(_told(cut_off, seconds))
    ended = int(time.time())
    kept = sum(sum(load["answered"]) for load in loads)
    with house.portal():
        waiting = house.state().waiting
        with house.umami():
            _until(lambda: house.state().amount("sent") > kept // 3)
        time.sleep(1)
        with house.umami():
            _until(lambda: not house.state().waiting and not house.state().in_flight)
        state = house.state()
    stored = house.stored()
    whole = loads[:-1]
    rate = statistics.median(sum(load["answered"]) / load["seconds"] for load in whole)
    p50, p99 = (statistics.median(load[name] for load in whole) for name in ("p50", "p99"))
    outcome = Outcome(f"page events, {PAGES} pages at once, Umami away", ("measured",))
    outcome.rows = [
        ("taken, events/s", f"{rate:,.0f}"),
        ("one event: median; p99, ms", f"{p50:.1f}; {p99:.1f}"),
        ("answered in all, before a kill -9 too", f"{kept:,}"),
        ("waiting after the restart", f"{waiting:,}"),
        ("stored by Umami, which was restarted in between", f"{len(stored):,}"),
        ("uncertain", f"{state.amount('uncertain'):,}"),
    ]
    lost = _lost(stored, [load["answered"] for load in loads])
    disorder = sum(_disorder(stored, page) for page in range(PAGES))
    times = [event["timestamp"] for event in stored]
    wrong = sum(not began <= moment <= ended for moment in times)
    wrong += sum(after < before for before, after in pairwise(times))
    outcome.bars = [
        at_least("page events taken, Umami away", rate, RATE, "{:,.0f}", " events/s"),
        Bar("page events lost", str(lost), "none", lost == 0),
        Bar("page events out of order", str(disorder), "none", disorder == 0),
        Bar("page events with another time", str(wrong), "none", wrong == 0),
    ]
    return outcome


def _lost(stored: list[dict[str, Any]], answered: list[list[int]]) -> int:
    """How many answered events are missing; each load numbers its events from 0."""
    seen: dict[str, int] = {}
    for event in stored:
        seen[event["url"]] = seen.get(event["url"], 0) + 1
    return sum(
        max(0, sum(number < load[page] for load in answered) - seen.get(f"/{page}/{number}", 0))
        for page in range(PAGES)
        for number in range(max(load[page] for load in answered))
    )


def _disorder(stored: list[dict[str, Any]], page: int) -> int:
    """How often an event of a page does not follow the one before it, except for the first event of
    each further load."""
    numbers = [int(e["url"].split("/")[2]) for e in stored if e["url"].startswith(f"/{page}/")]
    breaks = sum(after != before + 1 for before, after in pairwise(numbers))
    return max(0, breaks - (numbers.count(0) - 1))


def _until(fine: Callable[[], bool]) -> None:
    give_up = time.monotonic() + ARRIVAL_SECONDS
    while not fine():
        if time.monotonic() > give_up:
            raise BenchmarkError("the events do not arrive")
        time.sleep(0.2)


def _up(house: House, plan: Plan) -> Outcome:
    """Post single events directly to Umami and through the portal, in turn; the table."""
    added, straight, through = [], [], []
    with house.umami(), house.portal():
        for _ in range(plan.rounds):
            direct = _median(house.umami_port, "/api/send", plan.page_events)
            portal = _median(house.port, PATH, plan.page_events)
            straight.append(direct)
            through.append(portal)
            added.append(portal - direct)
    outcome = Outcome("page events, one at a time, Umami up", ("median ms",))
    outcome.rows = [
        ("straight to Umami", f"{statistics.median(straight):.2f}"),
        ("through the portal", f"{statistics.median(through):.2f}"),
    ]
    value = statistics.median(added)
    outcome.bars = [at_most("the portal adds to a page event", value, ADDED_MS, "{:.2f}", " ms")]
    return outcome


def outage(house: House, seconds: float) -> Outcome:
    """Events at a steady rate; for a sixth of the time Umami answers and its database is away."""
    mode = house.folder / "umami" / "mode.json"
    partial, was_away = mode.with_suffix(".partial"), False
    answered = 0
    waits: list[float] = []
    with house.umami(), house.portal():
        began = time.monotonic()
        away = (began + seconds / 3, began + seconds / 2)
        connection = HTTPConnection(ADDRESS, house.port, timeout=10)
        while (now := time.monotonic()) < began + seconds:
            if (is_away := away[0] < now < away[1]) != was_away:
                was_away = is_away
                partial.write_text(json.dumps({"database": "away" if is_away else "there"}))
                partial.replace(mode)  # in one step: half a file would be a failure of Umami
            body = {"website": WEBSITE, "hostname": "127.0.0.1", "url": f"/{answered}"}
            text = json.dumps({"type": "event", "payload": body})
            headers = {"X-Forwarded-For": f"198.51.100.{answered % 250}", "User-Agent": AGENT}
            asked = time.perf_counter()
            connection.request("POST", PATH, text, headers)
            connection.getresponse().read()
            waits.append(time.perf_counter() - asked)
            answered += 1
            time.sleep(max(0, began + answered / OUTAGE_RATE - time.monotonic()))
        connection.close()
        _until(lambda: not house.state().waiting and not house.state().in_flight)
        state = house.state()
    urls = [event["url"] for event in house.stored()]
    uncertain = state.amount("uncertain")
    outcome = Outcome(f"page events, Umami's database away for {seconds / 6:.0f} s", ("measured",))
    outcome.rows = [
        (f"sent in {seconds:.0f} s, {OUTAGE_RATE} a second", f"{answered:,}"),
        ("one event: p99, ms", f"{1000 * sorted(waits)[len(waits) * 99 // 100]:.1f}"),
        ("stored by Umami", f"{len(urls):,}"),
    ]
    lost, twice = answered - len(set(urls)) - uncertain, len(urls) - len(set(urls))
    outcome.bars = [
        Bar("page events lost in an outage", str(max(0, lost)), "none", lost <= 0),
        Bar("page events stored twice", str(twice), "none", twice == 0),
        at_most("page events uncertain after an outage", uncertain, 5, "{:.0f}", ""),
    ]
    return outcome


def _median(port: int, path: str, count: int) -> float:
    """The median milliseconds of one event. Raises BenchmarkError."""
    body = {"website": WEBSITE, "hostname": "127.0.0.1", "url": "/", "title": "x", "referrer": ""}
    text = json.dumps({"type": "event", "payload": body})
    headers = {"Content-Type": "application/json", "User-Agent": "Mozilla/5.0 (X11) Firefox/128"}
    connection = HTTPConnection(ADDRESS, port, timeout=10)
    waits = []
    for _ in range(count):
        began = time.perf_counter()
        connection.request("POST", path, text, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        waits.append(1000 * (time.perf_counter() - began))
        if answer.status != 200:
            raise BenchmarkError(f"an event was answered with {told}")
    connection.close()
    return statistics.median(waits)
