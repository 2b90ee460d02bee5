"""A portal with a catalog, as one client sees it: how long pages take, how much memory it has."""

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
    """One connection that is kept."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection(ADDRESS, port, timeout=120)

    def get(self, path: str) -> bytes:
        """A page. Raises BenchmarkError where there is none."""
        status, body = self.ask(path)
        if status != 200:
            raise BenchmarkError(f"{path} answered {status}")
        return body

    def ask(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def times(self, paths: Iterable[str]) -> list[float]:
        """The milliseconds that each page took."""
        taken = []
        gc.disable()  # this process has all the tables in its memory
        try:
            for path in paths:
                began = time.perf_counter()
                self.get(path)
                taken.append(1000 * (time.perf_counter() - began))
        finally:
            gc.enable()
        return taken


def quantile(times: Sequence[float], part: float) -> float:
    """The time that so many of all do not exceed."""
    return sorted(times)[min(len(times) - 1, int(len(times) * part))]


class Watch(threading.Thread):
    """Looks at the memory of the portal and of its children again and again.

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
        """Begin anew."""
        self.portal = self.all = 0

    def run(self) -> None:
        """Until `end`."""
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
        """Seconds of the longest child that began after a moment and has ended."""
        return max((end - began for began, end in self.passes if began >= since), default=0.0)

    @property
    def busy(self) -> bool:
        """Whether a child runs."""
        return bool(self._began)

    def end(self) -> None:
        """Look no more."""
        self._stop_asked.set()
        self.join()


class Meanwhile(threading.Thread):
    """Somebody who looks at pages, again and again, while the portal has other work."""

    def __init__(self, port: int, paths: Sequence[str]) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._paths = paths
        self._stop_asked = threading.Event()
        self.waits: list[float] = []

    def run(self) -> None:
        """Until `end`."""
        client = Client(self._port)
        while not self._stop_asked.wait(0.01):
            for path in self._paths:
                began = time.perf_counter()
                client.ask(path)
                self.waits.append(1000 * (time.perf_counter() - began))

    def end(self) -> list[float]:
        """The milliseconds that each page took."""
        self._stop_asked.set()
        self.join()
        return self.waits


@contextmanager
def running_portal(folder: Path, catalog: Path) -> Iterator[tuple[int, int]]:
    """Port and id of the real server, which keeps its data in `folder`/data."""
    port = free_port()
    configuration = folder / "portal.toml"
    configuration.write_text(
        _CONFIG.format(data_dir=json.dumps(str(folder / "data")), port=port), encoding="utf-8"
    )
    command = [sys.executable, ROOT / "server.py", "--config", configuration]
    with listening("portal", command, port, folder, {"CATALOG_DIR": str(catalog)}) as pid:
        yield port, pid
