"""Benchmark of a large save file: time from upload to page, and latency of other pages."""

import json
import tempfile
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.children import ADDRESS, BenchmarkError
from benchmarks.dashboard import watched_portal
from benchmarks.plan import Plan
from benchmarks.report import Outcome, at_most
from tests.support.largesaves import large_prospect

BOUNDARY = "benchmark"


def measure(plan: Plan) -> list[Outcome]:
    """Upload and open it repeatedly while another client requests a page; the table."""
    content: bytes = large_prospect()
    with (
        tempfile.TemporaryDirectory(prefix="portal-bench-") as name,
        watched_portal(Path(name)) as portal,
    ):
        _open(portal.port, content)  # the first upload starts the workers
        pages = Pages(portal.port)
        pages.start()
        times = sorted(_open(portal.port, content) for _ in range(max(3, plan.rounds)))
        waits = pages.end()
    median, p99 = times[len(times) // 2], 1000 * waits[len(waits) * 99 // 100]
    outcome = Outcome(f"a prospect of {len(content):,} bytes", ("measured",))
    outcome.rows = [
        ("upload and page, seconds", f"{median:.2f}"),
        ("another page meanwhile: p99, ms", f"{p99:.1f}"),
    ]
    outcome.bars = [
        at_most("a large prospect opens", max(times), 2, "{:.2f}", " s"),
        at_most("another page meanwhile: p99", p99, 50, "{:.0f}", " ms"),
    ]
    return [outcome]


class Pages(threading.Thread):
    """A client that requests one page again and again."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self._stop_asked = threading.Event()
        self._waits: list[float] = []

    def run(self) -> None:
        """Run until `end`."""
        connection = HTTPConnection(ADDRESS, self._port, timeout=60)
        while not self._stop_asked.is_set():
            began = time.perf_counter()
            connection.request("GET", "/prospects")
            connection.getresponse().read()
            self._waits.append(time.perf_counter() - began)
            time.sleep(0.002)
        connection.close()

    def end(self) -> list[float]:
        """Stop; the seconds of each page, sorted."""
        self._stop_asked.set()
        self.join()
        return sorted(self._waits)


def _open(port: int, content: bytes) -> float:
    """The seconds from the upload to the page with its content. Raises BenchmarkError."""
    head = (
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
        'name="file"; filename="prospect.json"\r\n\r\n'
    )
    body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {
        "Accept": "application/json",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    began = time.perf_counter()
    connection = HTTPConnection(ADDRESS, port, timeout=60)
    connection.request("POST", "/prospects", body, headers)
    answer = connection.getresponse()
    said = json.loads(answer.read())
    if answer.status != 201:
        raise BenchmarkError(f"the prospect was refused: {said}")
    connection.request("GET", f"/prospects/{said['id']}", headers={"Accept": "text/html"})
    page = connection.getresponse()
    page.read()
    connection.close()
    if page.status != 200:
        raise BenchmarkError(f"the page answered {page.status}")
    return time.perf_counter() - began
