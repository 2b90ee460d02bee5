"""A portal with a catalog under measurement: time of pages, memory of the processes."""

import gc
import json
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from benchmarks import procfs
from benchmarks.children import ADDRESS, NO_GITLAB, ROOT, BenchmarkError, free_port, listening

_CONFIG = (
    """
data_dir = {data_dir}
[listen]
port = {port}
"""
    + NO_GITLAB
)
SAMPLE_SECONDS = 0.05


class Client:
    """An HTTP client with one keep-alive connection."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection(ADDRESS, port, timeout=120)

    def get(self, path: str) -> bytes:
        """GET a page. Raises BenchmarkError if the status is not 200."""
        status, body = self.ask(path)
        if status != 200:
            raise BenchmarkError(f"{path} answered {status}")
        return body

    def ask(self, path: str) -> tuple[int, bytes]:
        """GET a page; its status and body."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def times(self, paths: Iterable[str]) -> list[float]:
        """The milliseconds of each page."""
        taken = []
        gc.disable()  # a collection would walk over all tables in this process
        try:
            for path in paths:
                began = time.perf_counter()
                self.get(path)
                taken.append(1000 * (time.perf_counter() - began))
        finally:
            gc.enable()
        return taken


def quantile(times: Sequence[float], part: float) -> float:
    """The value at this share of the sorted times: 0.99 is the 99th percentile."""
    return sorted(times)[min(len(times) - 1, int(len(times) * part))]


class Watch(threading.Thread):
    """Samples the memory of the portal and of its children.

    `portal` and `all` are the most bytes that were resident since `reset`; `passes` tells when a
    child of another program began and ended, on the monotonic clock.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._stop_asked = threading.Event()
        self._began: dict[int, float] = {}
        self.passes: list[tuple[float, float]] = []
        self.reset()

    def reset(self) -> None:
        """Forget the peaks and passes so far."""
        self.portal = self.all = 0

    def run(self) -> None:
        """Run until `end`."""
        while not self._stop_asked.wait(SAMPLE_SECONDS):
            memory = procfs.resident_bytes(self._pid)
            self.portal = max(self.portal, memory.get(self._pid, 0))
            self.all = max(self.all, sum(memory.values()))
            now = time.monotonic()
            for child in memory.keys() - {self._pid}:
                self._began.setdefault(child, now)
            for child in self._began.keys() - memory.keys():
                self.passes.append((self._began.pop(child), now))

    def longest_pass(self, since: float) -> float:
        """Seconds of the longest indexing pass that began after this moment and has ended."""
        return max((end - began for began, end in self.passes if began >= since), default=0.0)

    @property
    def busy(self) -> bool:
        """Whether an indexing process runs."""
        return bool(self._began)

    def end(self) -> None:
        """Stop the sampling."""
        self._stop_asked.set()
        self.join()


class Meanwhile(threading.Thread):
    """A client that requests pages in turn while the portal has other work."""

    def __init__(self, port: int, paths: Sequence[str]) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._paths = paths
        self._stop_asked = threading.Event()
        self.waits: list[float] = []

    def run(self) -> None:
        """Run until `end`."""
        client = Client(self._port)
        while not self._stop_asked.wait(0.01):
            for path in self._paths:
                began = time.perf_counter()
                client.ask(path)
                self.waits.append(1000 * (time.perf_counter() - began))

    def end(self) -> list[float]:
        """The milliseconds of each page."""
        self._stop_asked.set()
        self.join()
        return self.waits


@contextmanager
def running_portal(folder: Path, catalog: Path) -> Iterator[tuple[int, int]]:
    """Run the real server with its data in `folder`/data; its port and process id."""
    port = free_port()
    configuration = folder / "portal.toml"
    configuration.write_text(
        _CONFIG.format(data_dir=json.dumps(str(folder / "data")), port=port), encoding="utf-8"
    )
    command = [sys.executable, ROOT / "server.py", "--config", configuration]
    with listening("portal", command, port, folder, {"CATALOG_DIR": str(catalog)}) as pid:
        yield port, pid
