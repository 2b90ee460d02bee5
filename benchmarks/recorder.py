"""Benchmark of the recorder: committed events per second, latency, and behaviour under a lock.

    python -m benchmarks.recorder

Every event is a download of a whole file by one of CLIENTS clients: its row, its daily total, its
verdict and its entry in the window, committed with synchronous=FULL. Each waiting task records one
event after another; all tasks share one event loop. In the last case another process holds the
write lock for LOCKED seconds.
"""

import asyncio
import hashlib
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from portal.counting import Classification
from portal.events import DownloadRequest
from sql.database import migrate
from sql.recorder import Recorder

CLIENTS = 1000
VERSIONS = 4
SECONDS = 3.0
LOCKED = 3.0
REPEATS = 5

CASES = (
    ("1 waiting", 1, 0.0),
    ("64 waiting", 64, 0.0),
    ("512 waiting", 512, 0.0),
    (f"512 waiting, {LOCKED:.0f} s locked elsewhere", 512, LOCKED),
)

_ADDRESSES = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(CLIENTS)]
_BROWSER = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 "
    "Safari/537.36"
)
_HOLD = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("begin immediate")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("rollback")
connection.close()
"""


@dataclass(frozen=True, slots=True)
class Result:
    """`rate` is events a second; `p50`, `p99` and `stall` (of the loop) are in milliseconds.

    `lost` counts events that were acknowledged and are not in the database at the end.
    """

    name: str
    rate: float
    p50: float
    p99: float
    stall: float
    lost: int


def measure(seconds: float = SECONDS, repeats: int = REPEATS) -> list[Result]:
    """Run each case so many seconds: medians of the alternating repeats, and the sum of losses."""
    runs = [[_run(*case, seconds) for case in CASES] for _ in range(repeats)]
    return [_median(list(results)) for results in zip(*runs, strict=True)]


def _median(results: list[Result]) -> Result:
    return Result(
        results[0].name,
        rate=statistics.median(result.rate for result in results),
        p50=statistics.median(result.p50 for result in results),
        p99=statistics.median(result.p99 for result in results),
        stall=statistics.median(result.stall for result in results),
        lost=sum(result.lost for result in results),
    )


def _run(name: str, waiting: int, locked: float, seconds: float) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "portal.sqlite3"
        migrate(database)
        recorder = Recorder(database, Path(folder) / "spill")
        recorder.start()
        with _held(database, locked):
            waits, stall = asyncio.run(_load(recorder, waiting, locked + seconds))
        recorder.close()
        with closing(sqlite3.connect(database)) as connection:
            (rows,) = connection.execute("select count(*) from downloads").fetchone()
    waits.sort()
    return Result(
        name,
        rate=len(waits) / (locked + seconds),
        p50=1000 * waits[len(waits) // 2],
        p99=1000 * waits[len(waits) * 99 // 100],
        stall=1000 * stall,
        lost=len(waits) - rows,
    )


async def _load(recorder: Recorder, waiting: int, seconds: float) -> tuple[list[float], float]:
    """The wait of each event and the longest block of the event loop, in seconds."""
    waits: list[float] = []
    stop = time.perf_counter() + seconds
    watch = asyncio.create_task(_longest_stall(stop))
    await asyncio.gather(*(_client(recorder, waits, stop) for _ in range(waiting)))
    return waits, await watch


async def _client(recorder: Recorder, waits: list[float], stop: float) -> None:
    while (began := time.perf_counter()) < stop:
        await recorder.record(_event())
        waits.append(time.perf_counter() - began)


async def _longest_stall(stop: float) -> float:
    longest = 0.0
    while (began := time.perf_counter()) < stop:
        await asyncio.sleep(0.001)
        longest = max(longest, time.perf_counter() - began - 0.001)
    return longest


def _event() -> DownloadRequest:
    return DownloadRequest(
        project="pets",
        version=f"v2.{random.randrange(VERSIONS)}.0",  # noqa: S311 - a load
        asset="pets-linux-x86_64.tar.gz",
        ip_hash=random.choice(_ADDRESSES),  # noqa: S311 - a load
        user_agent=_BROWSER,
        classification=Classification.WHOLE,
    )


@contextmanager
def _held(database: Path, seconds: float) -> Iterator[None]:
    """Let another process hold the write lock for so many seconds."""
    if not seconds:
        yield
        return
    command = [sys.executable, "-c", _HOLD, str(database), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        yield


def main() -> None:
    """Print the table."""
    print(f"{'':32} {'events/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'stall ms':>9} {'lost':>5}")
    for result in measure():
        print(
            f"{result.name:32} {result.rate:9,.0f} {result.p50:8.2f} {result.p99:8.2f}"
            f" {result.stall:9.1f} {result.lost:5}"
        )


if __name__ == "__main__":
    main()
