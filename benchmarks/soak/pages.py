"""A client that requests one page again and again, in a process of its own.

    python -m benchmarks.soak.pages PORT SECONDS PATH

It prints, for each ten seconds, the 99th percentile and the longest latency, in milliseconds.
"""

import asyncio
import json
import sys
import time

from benchmarks.soak.http import Connection

WINDOW_SECONDS = 10.0
PAUSE_SECONDS = 0.02


async def main(port: int, seconds: float, path: str) -> None:
    """Run for the given time, then print."""
    connection = Connection(port)
    windows: list[list[float]] = []
    began = time.monotonic()
    while (moment := time.monotonic()) < began + seconds:
        answer = await connection.ask("GET", path, "198.51.100.1")
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}")
        number = int((moment - began) / WINDOW_SECONDS)
        windows += [[] for _ in range(number + 1 - len(windows))]
        windows[number].append(1000 * (time.monotonic() - moment))
        await asyncio.sleep(PAUSE_SECONDS)
    whole = [sorted(window) for window in windows if len(window) > 1]
    print(json.dumps([[window[len(window) * 99 // 100], window[-1]] for window in whole]))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]))
