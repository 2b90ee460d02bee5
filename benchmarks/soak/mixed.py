"""Load generator of mixed work, at a given rate or at full speed, in a process of its own.

    python -m benchmarks.soak.mixed PORT SECONDS RATE REPOSITORY

A RATE of 0 means full speed with WORKERS tasks. It prints
`{"done", "seconds", "failed": {what: how often}}`.
"""

import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from benchmarks import content
from benchmarks.children import ADDRESS
from benchmarks.soak.http import Connection
from tests.support.saves import mounts_json

WORKERS = 16
FILES = f"/downloads/{content.SLUG}/{content.VERSION}"
# Paths with their weights among 100; the bytes of files are only counted.
MIX = (
    (50, f"{FILES}/{content.SMALL}"),
    (10, f"{FILES}/{content.ONE}"),
    (10, "/"),
    (15, f"/downloads/{content.SLUG}"),
    (5, f"/{content.SLUG}.git/info/refs?service=git-upload-pack"),
    (10, "/catalog/search?q=iron"),
)
CLONE_SECONDS = 2.0
SAVE_SECONDS = 1.0
BOUNDARY = "soak"


def client() -> str:
    """A random one of a million client addresses."""
    number = random.randrange(1 << 20)  # noqa: S311 - a load
    return f"100.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


class Work:
    """The work of all tasks together."""

    def __init__(self, port: int, seconds: float, rate: float, repository: str) -> None:
        self._port = port
        self._rate = rate
        self._repository = repository
        self._began = time.monotonic()
        self._ends = self._began + seconds
        self._turns = 0
        self.done = 0
        self.failed: Counter[str] = Counter()

    async def run(self) -> None:
        """Run all tasks to the end."""
        workers = [self._worker() for _ in range(4 * WORKERS if self._rate else WORKERS)]
        await asyncio.gather(
            *workers, self._every(CLONE_SECONDS, self._clone), self._every(SAVE_SECONDS, self._save)
        )

    async def _worker(self) -> None:
        connection = Connection(self._port)
        weights, paths = zip(*MIX, strict=True)
        while await self._turn():
            (path,) = random.choices(paths, weights)  # noqa: S311 - a load
            await self._ask(connection, path)
        connection.close()

    async def _turn(self) -> bool:
        """Wait for the next turn at the given rate; False when the time is over."""
        due = time.monotonic()
        if self._rate:
            self._turns += 1
            due = max(due, self._began + self._turns / self._rate)
            await asyncio.sleep(max(0.0, min(due, self._ends) - time.monotonic()))
        return due < self._ends

    async def _ask(self, connection: Connection, path: str) -> None:
        try:
            answer = await connection.ask("GET", path, client(), keep=False)
        except (OSError, EOFError, ValueError) as error:
            self.failed[f"{path}: {type(error).__name__}"] += 1
            return
        if answer.status == 200:
            self.done += 1
        else:
            self.failed[f"{path}: {answer.status}"] += 1

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while time.monotonic() < self._ends:
            began = time.monotonic()
            await work()
            await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))

    async def _clone(self) -> None:
        with tempfile.TemporaryDirectory(prefix="portal-soak-") as folder:
            address = f"http://{ADDRESS}:{self._port}{self._repository}"
            environ = {"PATH": os.environ["PATH"], "HOME": folder, "GIT_TERMINAL_PROMPT": "0"}
            git = await asyncio.create_subprocess_exec(
                *("git", "clone", "--quiet", "--bare", address, f"{folder}/clone"), env=environ
            )
            if await git.wait():
                self.failed["clone"] += 1
            else:
                self.done += 1

    async def _save(self) -> None:
        """Upload a save file, open its page, download it."""
        connection, who, save = Connection(self._port), client(), mounts_json({})
        disposition = 'Content-Disposition: form-data; name="file"; filename="Mounts.json"'
        form = f"--{BOUNDARY}\r\n{disposition}\r\n\r\n".encode() + save
        form += f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        try:
            answer = await connection.ask("POST", "/pets", who, form, kind)
            page = f"/pets/{json.loads(answer.body)['id']}" if answer.status == 201 else "/none"
            looked = await connection.ask("GET", page, who)
            back = await connection.ask("GET", f"{page}/download", who)
            good = looked.status == back.status == 200 and back.body == save
        except (OSError, EOFError, ValueError):
            good = False
        connection.close()
        self.done += 3 * good
        self.failed["save"] += not good


async def main(port: int, seconds: float, rate: float, repository: str) -> None:
    """Run for the given time, then print."""
    work = Work(port, seconds, rate, repository)
    began = time.monotonic()
    await work.run()
    took = time.monotonic() - began
    print(json.dumps({"done": work.done, "seconds": took, "failed": +work.failed}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), sys.argv[4]))
