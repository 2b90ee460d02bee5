"""Sandboxed worker process that parses save files; `portal.workers.pool` starts it.

It has standard input and output, which are one socket, and nothing else: no other descriptor, no
environment, no right to write a file; little memory, little CPU time and a low priority. It ends
when its input does, when its parent dies, or when one file takes it far too long.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import traceback
from io import FileIO
from pathlib import Path

from portal import saves
from portal.jsontypes import JSON, JSONObject
from portal.saves.errors import EditError, SaveError, WrongToolError
from portal.saves.limits import FILE_BYTES
from portal.saves.rules import read_rules
from portal.workers.protocol import HEAD, NAME, READY, SENTENCE, answer_lines

MEMORY_BYTES = 1 << 30  # of address space; 128 MiB changed and read again took 0.5 GB
CPU_SECONDS = 6  # for one file; the portal ends a worker after 4 s by the clock
LIFE_SECONDS = 900  # of CPU, in all
DESCRIPTORS = 16  # an import opens one or two
PRIORITY = 10
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38  # linux/prctl.h


def main(parent: int) -> None:
    """Serve the portal whose process has this number until it is gone."""
    confine(parent)
    # What anything prints must not reach the portal.
    channel, nowhere = os.dup(0), os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    with FileIO(channel, "r+") as stream:
        _write(stream, READY)
        serve(stream)


def confine(parent: int) -> None:
    """Give up what reading a save does not need."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # systemd signals all; the portal decides when
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:  # it died before it was watched
        sys.exit()
    with contextlib.suppress(OSError):  # where memory runs out, the kernel takes this one first
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    os.nice(PRIORITY)
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, LIFE_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, DESCRIPTORS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        new = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (new, new))


def serve(stream: FileIO) -> None:
    """Answer one request after the other until the input ends."""
    while head := _read(stream, HEAD.size):
        name, json_size, size = HEAD.unpack(head)
        request, content = _read(stream, json_size), _read(stream, size)
        # Kills this process even inside a C function, and where the parent is stopped.
        signal.alarm(CPU_SECONDS)
        life = resource.getrlimit(resource.RLIMIT_CPU)[1]
        used = resource.getrusage(resource.RUSAGE_SELF)
        most = int(used.ru_utime + used.ru_stime) + CPU_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (min(most, life), life))
        lines, changed = answer(request, content)
        signal.alarm(0)
        answered = b"\n".join(lines)
        _write(stream, HEAD.pack(name, len(answered), len(changed)))
        _write(stream, answered)
        _write(stream, changed)


def answer(request: bytes, content: bytes) -> tuple[list[bytes], bytes]:
    """The lines and the content of an answer; every fault is one of its outcomes."""
    try:
        found, changed = _run(request, content)
        return answer_lines({"outcome": "ok"}, found), changed
    except SaveError as error:
        return answer_lines(_fault(error), {}), b""
    except OverflowError:
        return answer_lines({"outcome": "much"}, {}), b""
    except MemoryError:
        return answer_lines({"outcome": "memory"}, {}), b""
    except Exception as error:  # a fault of ours; its message may quote the file
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
        return answer_lines({"outcome": "failed", "where": where}, {}), b""


def _run(request: bytes, content: bytes) -> tuple[dict[str, JSON], bytes]:
    """What was found, by field, and the changed file, if one was asked for."""
    asked = json.loads(request)
    job, tool, edits = asked["job"], asked["tool"], asked["edits"]
    if job == "open":
        opened = saves.open_file(tool, content)
        return {"description": opened.description, "name": opened.name[:NAME]}, opened.content
    rules = read_rules(asked["rules"])
    if job == "describe":
        return {"description": saves.describe(tool, content)}, b""
    if job == "preview":
        return {"changes": saves.preview(tool, content, edits, rules)}, b""
    written = saves.change(tool, content, edits, rules)
    if len(written.content) > FILE_BYTES:
        sentence = f"The changed file would have more than {FILE_BYTES >> 20} MiB."
        raise EditError(sentence)
    return {"changes": written.changes, "description": written.description}, written.content


def _fault(error: SaveError) -> JSONObject:
    """A fault of the file or of the edits, to be raised again by the portal."""
    kind = "WrongToolError" if isinstance(error, WrongToolError) else "SaveError"
    return {
        "outcome": "error",
        "kind": "EditError" if isinstance(error, EditError) else kind,
        "sentence": error.sentence[:SENTENCE],
        "advice": error.advice[:SENTENCE],
        "tool": getattr(error, "tool", ""),
    }


def _read(stream: FileIO, size: int) -> bytes:
    """Exactly so many bytes; the process ends where the input does."""
    whole = bytearray(size)
    view, got = memoryview(whole), 0
    while got < size:
        count = stream.readinto(view[got:])
        if not count:
            sys.exit()
        got += count
    return bytes(whole)


def _write(stream: FileIO, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[stream.write(view) :]
