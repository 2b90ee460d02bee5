"""Keeping the index up to date with the folder of versions, in one process of several."""

import asyncio
import json
import logging
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from portal.catalog.folders import versions
from portal.process.background import Background
from sql.catalog import to_be_made

log = logging.getLogger("portal.catalog")

LOOK_SECONDS = 10.0
SETTLE_SECONDS = 2.0  # a folder that is as it was so long ago is being copied no more
BUSY = 50  # a look may take so much longer until the next one: it takes no more than 2% of the time
LINE_BYTES = 1 << 20
ROOT = Path(__file__).parent.parent.parent
# No site-packages, no environment: a pass needs the library alone.
START = "import sys; sys.path.insert(0, sys.argv[1])"
START += "; from portal.catalog.indexing import main; sys.exit(main(sys.argv[2:]))"

SAID = {
    "ready": "is ready",
    "unusable": "is not shown",
    "changing": "changes while it is read, and will be read again",
    "gone": "is gone",
    "anew": "was damaged and is made anew",
}

Fingerprints = dict[str, str] | str


class RefreshTask(Background):
    """Looks at the folder, and has it read when it has changed, and at the start: for whatever has
    changed while nobody looked. Reading is done by `portal.catalog.indexing`, in a process of its
    own; a stop kills it, which the next pass makes good."""

    def __init__(self, folder: Path, index: Path) -> None:
        self._folder = folder
        self._index = index
        self._done: Fingerprints | None = None  # what has been read
        self._before: Fingerprints | None = None  # what was seen at the last look
        self._said = ""

    async def _run(self) -> None:
        while True:
            try:
                pause = await self._look()
            except Exception:
                log.exception("the catalog's folder could not be looked at")
                pause = LOOK_SECONDS
            await asyncio.sleep(pause)

    async def _look(self) -> float:
        """Look once, and have read what stays as it is; in how many seconds to look again."""
        began = time.monotonic()
        seen = await asyncio.to_thread(look, self._folder)
        pause = max(LOOK_SECONDS, BUSY * (time.monotonic() - began))
        if to_be_made(self._index):
            self._done = None
        if seen != self._done:
            if self._done is None or seen == self._before:
                # Where the folder cannot be read, the pass has said so, and that is all.
                whole = await self._pass() or isinstance(seen, str)
                self._done = seen if whole else None
            else:
                pause = SETTLE_SECONDS
        self._before = seen
        return pause

    async def _pass(self) -> bool:
        """Have the folder read; whether that came to its end."""
        arguments = [str(ROOT), str(self._folder), str(self._index), str(os.getpid())]
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-B", "-c", START, *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={},
                limit=LINE_BYTES,
            )
        except OSError as error:
            log.warning("the catalog cannot be read: %s", error)
            return False
        try:
            return await self._followed(process)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _followed(self, process: asyncio.subprocess.Process) -> bool:
        assert process.stdout  # noqa: S101 - both are pipes
        assert process.stderr  # noqa: S101
        errors = asyncio.create_task(process.stderr.read())
        whole = True
        async for line in process.stdout:
            whole = note(json.loads(line)) and whole
        said = (await errors).decode("utf-8", "replace").strip()
        code = await process.wait()
        if code and not said:
            said = f"the reader ended with {code}"
        if code and said != self._said:
            log.warning("the catalog could not be read: %s", said)
        self._said = said
        return whole and not code


def look(folder: Path) -> Fingerprints:
    """The versions that are there with their fingerprints, or why there are none."""
    try:
        return {version.name: version.fingerprint for version in versions(folder)}
    except OSError as error:
        return f"{error}"


def note(line: dict[str, object]) -> bool:
    """Tell the operator what the reader says; False for what has to be done again."""
    log.info("catalog: %s %s", line["version"], SAID[str(line["what"])])
    first = line.get("first")
    if isinstance(first, list):
        for problem in first:
            log.warning("catalog: %s", problem)
        if line["problems"] != len(first):
            log.warning("catalog: %s problems in all; /metrics shows them", line["problems"])
    return line["what"] != "changing"
