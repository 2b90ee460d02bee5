"""Pool of worker processes that read saves, so that no file can block or end the portal.

What a file may cost: 4 seconds, 1 GiB of address space, one of a few workers. What it may break: a
process that has nothing and is started again (`child.py`). What it may say: sentences and plain
values of limited length (`protocol.py`). All waiting for a process is done by threads, one for
each (`worker.py`).
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from portal.errors import Unavailable
from portal.jsontypes import JSON, JSONObject
from portal.saves import TOOLS, Opened, Written
from portal.saves.errors import DAMAGED, EditError, SaveError, WrongToolError
from portal.saves.rules import NO_RULES, Rules
from portal.workers.protocol import SENTENCE, WireError, read_answer
from portal.workers.worker import Frame, Worker, WorkerBroken, WorkerMissing, WorkerSlow, command

log = logging.getLogger("portal.workers")

FILE_SECONDS = 4.0  # for one file; 128 MiB, changed and read again, take 2.2
WAIT_SECONDS = 2.0  # for a worker to be free
ANSWER_SECONDS = 4.7  # for both, so that no answer takes 5
WAITING = 32
RETRY_SECONDS = 5
FIELDS = {
    "open": {"description", "name"},
    "describe": {"description"},
    "preview": {"changes"},
    "change": {"changes", "description"},
}
FAULTS = {
    "much": "There is more in the file than can be shown.",
    "memory": "Reading the file takes more memory than a save may need.",
    "failed": "The file cannot be read: it has a form that is not known here.",
}
# The type and the place of a fault of ours: what else a worker says of it stays out of the log.
_PLACE = re.compile(r"[A-Za-z_]{1,60} at [A-Za-z_]{1,60}\.py:[0-9]{1,6}")


Found = tuple[dict[str, JSON], bytes]  # what was found, by field, and a file or nothing


class WorkerPool:
    """Runs `portal.saves` in processes of their own; belongs to one event loop.

    Raises what `portal.saves` does; `SaveError` for a file that takes too long, too much memory or
    ends two workers; `Unavailable` where too many wait. `arguments` start another program, for
    tests. `close` it; what still runs is then `Unavailable`.
    """

    def __init__(self, processes: int = 2, arguments: Sequence[str] | None = None) -> None:
        self._workers = [Worker(list(arguments or command())) for _ in range(processes)]
        # The last one that was used has its memory and its code at hand, so it goes first.
        self._idle: asyncio.LifoQueue[Worker] = asyncio.LifoQueue()
        for worker in self._workers:
            self._idle.put_nowait(worker)
        self._threads = ThreadPoolExecutor(processes, "save-worker")
        self._waiting = 0
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """The numbers of the processes that run."""
        return [pid for worker in self._workers if (pid := worker.pid)]

    async def open_file(self, tool: str, content: bytes) -> Opened:
        """What is in a file that was sent: `portal.saves.open_file`."""
        found, inner = await self._run("open", tool, content)
        return Opened(_object(found, "description"), _text(found, "name"), inner)

    async def describe(self, tool: str, content: bytes) -> JSONObject:
        """What is in a file: `portal.saves.describe`."""
        found, _ = await self._run("describe", tool, content)
        return _object(found, "description")

    async def preview(
        self, tool: str, content: bytes, edits: JSON, rules: Rules = NO_RULES
    ) -> list[JSONObject]:
        """What edits would change: `portal.saves.preview`."""
        found, _ = await self._run("preview", tool, content, edits, rules)
        return _objects(found, "changes")

    async def change(
        self, tool: str, content: bytes, edits: JSON, rules: Rules = NO_RULES
    ) -> Written:
        """The changed file: `portal.saves.change`."""
        found, changed = await self._run("change", tool, content, edits, rules)
        return Written(changed, _objects(found, "changes"), _object(found, "description"))

    async def close(self) -> None:
        """Kill the processes, whatever they do, and wait for them."""
        self._closed = True
        for worker in self._workers:
            worker.close()
        await asyncio.to_thread(self._threads.shutdown)
        for worker in self._workers:
            await asyncio.to_thread(worker.end)

    async def _run(
        self, job: str, tool: str, content: bytes, edits: JSON = None, rules: Rules = NO_RULES
    ) -> Found:
        asked = {"job": job, "tool": tool, "edits": edits, "rules": rules.plain()}
        request = json.dumps(asked).encode()
        until = time.monotonic() + ANSWER_SECONDS
        worker = await self._free()
        if self._closed:
            self._idle.put_nowait(worker)
            raise _unavailable()
        loop = asyncio.get_running_loop()
        frame = Frame(request, content)
        running = loop.run_in_executor(self._threads, _answer, worker, job, frame, until)
        running.add_done_callback(lambda _: self._release(worker))
        # A thread cannot be cancelled: the worker is free when it is done, whoever still waits.
        return await asyncio.shield(running)

    async def _free(self) -> Worker:
        """A worker that is idle, now or soon."""
        if self._closed or self._waiting >= WAITING:
            raise _unavailable()
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await self._idle.get()
        except TimeoutError:
            raise _unavailable() from None
        finally:
            self._waiting -= 1

    def _release(self, worker: Worker) -> None:
        if worker.worn and not self._closed:
            ending = asyncio.get_running_loop().run_in_executor(self._threads, worker.end)
            ending.add_done_callback(lambda _: self._idle.put_nowait(worker))
        else:
            self._idle.put_nowait(worker)


def _unavailable() -> Unavailable:
    return Unavailable("Too many files are being read at the moment.", retry_after=RETRY_SECONDS)


def _answer(worker: Worker, job: str, request: Frame, until: float) -> Found:
    """Ask a worker, and a fresh one where that breaks: another file may have broken it."""
    limit = time.monotonic() + FILE_SECONDS
    for _ in range(2):
        try:
            return _checked(job, worker.ask(request, min(until, limit)))
        except WorkerSlow:
            log.warning("a worker was ended: its file took too long")
            if until < limit:  # it had waited, so that it had less than others
                raise _unavailable() from None
            sentence = f"Reading the file takes longer than {FILE_SECONDS:.0f} seconds."
            raise SaveError(sentence, DAMAGED) from None
        except WorkerMissing as error:
            log.warning("no worker can read files: %s", error)
            raise _unavailable() from None
        except (WorkerBroken, WireError) as error:
            log.warning("a worker was ended: %s", error)
            worker.end()
    raise SaveError("The file cannot be read: the program that reads it breaks down.", DAMAGED)


def _checked(job: str, answer: Frame) -> Found:
    """What a worker says was found, or the error that it says; `WireError` where it says else."""
    outcome, found = read_answer(answer.json.split(b"\n"))
    if outcome.get("outcome") != "ok":
        raise _fault(outcome)
    if found.keys() - FIELDS[job]:
        raise WireError("it found what was not asked for")
    _objects(found, "changes")
    _object(found, "description")
    _text(found, "name")
    return found, answer.content


def _object(found: Mapping[str, JSON], field: str) -> JSONObject:
    value = found.get(field, {})
    if not isinstance(value, dict):
        raise WireError("it found what was not asked for")
    return value


def _objects(found: Mapping[str, JSON], field: str) -> list[JSONObject]:
    value = found.get(field, [])
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise WireError("it found what was not asked for")
    return value


def _text(found: Mapping[str, JSON], field: str) -> str:
    value = found.get(field, "")
    if not isinstance(value, str):
        raise WireError("it found what was not asked for")
    return value


def _fault(outcome: JSONObject) -> SaveError:
    kinds = (outcome.get("outcome"), outcome.get("kind"))
    sentence, advice, tool = (outcome.get(key, "") for key in ("sentence", "advice", "tool"))
    if kinds[0] in FAULTS:
        if _PLACE.fullmatch(where := str(outcome.get("where", ""))):
            log.error("a file could not be read: %s", where)
        return SaveError(FAULTS[str(kinds[0])], DAMAGED)
    if not isinstance(sentence, str) or not isinstance(advice, str):
        raise WireError("it has a fault without a sentence")
    sentence, advice = sentence[:SENTENCE], advice[:SENTENCE]
    if kinds == ("error", "WrongToolError") and tool in TOOLS:
        return WrongToolError(sentence, str(tool))
    if kinds == ("error", "EditError"):
        return EditError(sentence, advice)
    if kinds == ("error", "SaveError"):
        return SaveError(sentence, advice)
    raise WireError("it has a fault that is unknown")
