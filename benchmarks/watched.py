"""A portal with a latency probe on its event loop; `benchmarks.dashboard` runs it as a child.

    python -m benchmarks.watched CONFIG

It prints its port, then answers each line of standard input with a line of JSON: `watch` begins a
measurement, `report` returns the longest block of the loop since then (milliseconds), `load N`
records N events per second from now on. It ends with its standard input.
"""

import asyncio
import contextlib
import gc
import hashlib
import json
import os
import random
import sys
import time
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from benchmarks.history import CLIENTS
from handlers import make_app
from portal.config.load import load as load_config
from portal.counting import Classification
from portal.events import DownloadRequest
from portal.gitlab.hints import Hints
from portal.metrics.access import Guesses
from portal.process import logs
from portal.process.heap import keep_heap
from portal.relay.slots import Transfers
from portal.services import Services, Shared
from portal.startup import make_services

TICK = 0.001


class Watch:
    """Measures by how much timers of the event loop are late."""

    def __init__(self) -> None:
        self.late: list[float] = []

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            began = time.perf_counter()
            await asyncio.sleep(TICK)
            self.late.append(time.perf_counter() - began - TICK)

    def report(self) -> dict[str, float]:
        """The longest delay and the 99.9th percentile, in milliseconds."""
        late = sorted(self.late)
        return {"worst": 1000 * late[-1], "p999": 1000 * late[len(late) * 999 // 1000]}


async def load(services: Services, rate: int) -> None:
    """Record so many downloads per second, by clients of the history and by new ones."""
    due = time.perf_counter()
    while True:
        for _ in range(rate // 50):
            client = random.randrange(2 * CLIENTS)  # noqa: S311 - a load
            services.events.post(
                DownloadRequest(
                    project=f"project-{client % 20}",
                    version="v9.0",
                    asset=f"asset-{client % 6}.zip",
                    ip_hash=hashlib.sha256(str(client).encode()).hexdigest(),
                    user_agent="curl/8.5.0",
                    classification=Classification.WHOLE,
                )
            )
        due += 0.02
        await asyncio.sleep(max(0.0, due - time.perf_counter()))


async def main(path: Path) -> None:
    """Serve and answer until standard input ends."""
    config = load_config(path, os.environ)
    watch = Watch()
    tasks = []
    async with contextlib.AsyncExitStack() as stack:
        services = make_services(stack, config, Shared(Transfers(10), Guesses(), Hints(1)))
        server = HTTPServer(make_app(services))
        sockets = bind_sockets(0, config.address)
        server.add_sockets(sockets)
        gc.freeze()  # as server.py does
        print(sockets[0].getsockname()[1], flush=True)
        tasks.append(asyncio.create_task(watch.run()))
        while line := await asyncio.to_thread(sys.stdin.readline):
            word, *arguments = line.split()
            if word == "watch":
                watch.late.clear()
            elif word == "load":
                tasks.append(asyncio.create_task(load(services, int(arguments[0]))))
            print(json.dumps(watch.report() if word == "report" else {}), flush=True)
        for task in tasks:
            task.cancel()
        server.stop()
        await server.close_all_connections()


if __name__ == "__main__":
    logs.setup()
    keep_heap()
    asyncio.run(main(Path(sys.argv[1])))
