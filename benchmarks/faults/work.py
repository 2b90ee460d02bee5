"""Client load during faults: real programs, with a new client address for each piece of work.

A kind of work is one function in `KINDS`: it does its work once and returns what it saw. From that
alone `audit.py` derives what the rows must be.
"""

import hashlib
import itertools
import json
import os
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from benchmarks.children import ADDRESS
from tests.support.saves import mounts_json

CLIENT_SECONDS = 40  # for one download or clone
REQUEST_SECONDS = 20
PAUSE_SECONDS = 0.05
BOUNDARY = "faults"
WORDS = ("iron", "bow", "wolf", "oven", "lamp")
_SAVE: bytes = mounts_json({}, {"name": "Clover"})


@dataclass(frozen=True, slots=True)
class Seen:
    """One piece of work as its client saw it.

    `rows` are the tables in which it must have exactly one row, `maybe` those in which it may have
    one. `good`: the client was told of success; `wrong`: why that was not true.
    """

    kind: str
    client: str
    good: bool
    rows: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """The portal under test. `digests` are SHA-256 by path, `commit` is the head of /pets.git."""

    port: int
    digests: dict[str, str]
    commit: str


def download(target: Target, client: str) -> Seen:
    """curl downloads a file; its row must exist as soon as one byte has arrived."""
    path, digest = random.choice(list(target.digests.items()))  # noqa: S311 - a load
    command = ["curl", "-sS", "--fail", "--max-time", str(CLIENT_SECONDS), "--limit-rate", "20M"]
    command += ["-H", f"X-Forwarded-For: {client}", f"http://{ADDRESS}:{target.port}{path}"]
    done = subprocess.run(command, capture_output=True, check=False)
    good, wrong = done.returncode == 0, ""
    if good and hashlib.sha256(done.stdout).hexdigest() != digest:
        wrong = f"curl ended with 0 and {len(done.stdout)} wrong bytes of {path}"
    begun = ("downloads",) if done.stdout or good else ()
    return Seen("download", client, good, begun, ("downloads",), wrong)


def clone(target: Target, client: str) -> Seen:
    """git makes a full clone; its row must exist as soon as anything has arrived."""
    with tempfile.TemporaryDirectory(prefix="portal-clone-") as folder:
        command = ["git", "-c", f"http.extraHeader=X-Forwarded-For: {client}", "clone", "--quiet"]
        command += ["--bare", f"http://{ADDRESS}:{target.port}/pets.git", folder]
        environ = {"PATH": os.environ["PATH"], "HOME": folder, "GIT_TERMINAL_PROMPT": "0"}
        done = _run(command, environ)
        there, wrong = "", ""
        if done == 0:
            head = Path(folder) / "packed-refs"
            there = head.read_text() if head.exists() else ""
            if target.commit not in there:
                wrong = "git ended with 0 and without the commit"
        return Seen(
            "clone", client, done == 0, ("clones",) if done == 0 else (), ("clones",), wrong
        )


def _run(command: Sequence[str], environ: dict[str, str]) -> int:
    try:
        return subprocess.run(
            command, env=environ, capture_output=True, timeout=CLIENT_SECONDS, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return -1


def save(target: Target, client: str) -> Seen:
    """An upload to /pets and its download; each must have a row once it is answered."""
    disposition = 'Content-Disposition: form-data; name="file"; filename="Mounts.json"'
    body = f"--{BOUNDARY}\r\n{disposition}\r\n\r\n".encode()
    body += _SAVE + f"\r\n--{BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    status, said = _ask(target, "POST", "/pets", client, body, {"Content-Type": kind})
    if status != 201:
        return Seen("save", client, False, (), ("uploads",))
    status, back = _ask(target, "GET", f"/pets/{json.loads(said)['id']}/download", client)
    wrong = "another save came back" if status == 200 and back != _SAVE else ""
    rows = ("uploads", "saves") if status == 200 or back else ("uploads",)
    return Seen("save", client, status == 200, rows, ("uploads", "saves"), wrong)


def search(target: Target, client: str) -> Seen:
    """A search of the catalog; its row must exist once it is answered."""
    word = random.choice(WORDS)  # noqa: S311 - a load
    status, said = _ask(target, "GET", f"/catalog/search?q={word}", client)
    wrong = ""
    if status == 200 and json.loads(said)["query"] != word:
        wrong = "another search was answered"
    rows = ("searches",) if status == 200 or said else ()
    return Seen("search", client, status == 200, rows, ("searches",), wrong)


def _ask(
    target: Target,
    method: str,
    path: str,
    client: str,
    body: bytes = b"",
    more: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    """Request once; status and body. Status 0: the answer is incomplete, and this part came."""
    headers = {"X-Forwarded-For": client, "Accept": "application/json", **(more or {})}
    connection = HTTPConnection(ADDRESS, target.port, timeout=REQUEST_SECONDS)
    got = b""
    try:
        connection.request(method, path, body or None, headers)
        # An answer that closes its connection owns the socket, and is closed by itself.
        with connection.getresponse() as answer:
            if answer.status >= 400:
                return answer.status, b""
            while piece := answer.read(1 << 16):
                got += piece
            short = answer.length  # the number of bytes that http.client still expects
    except (OSError, HTTPException):
        return 0, got
    finally:
        connection.close()
    return (0 if short else answer.status), got


# Add a kind of work here: how many clients do it at once, and what they do.
KINDS: tuple[tuple[int, Callable[[Target, str], Seen]], ...] = (
    (4, download),
    (1, clone),
    (1, save),
    (1, search),
)


@dataclass(slots=True)
class Load:
    """All clients, in threads, until `stop`; after that `seen` is complete."""

    target: Target
    seen: list[Seen] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def start(self) -> None:
        """Start the clients."""
        for count, kind in KINDS:
            for _ in range(count):
                thread = threading.Thread(target=self._work, args=[kind], daemon=True)
                thread.start()
                self._threads.append(thread)

    def stop(self) -> None:
        """Wait until every client has finished its current work."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(2 * CLIENT_SECONDS)

    def _work(self, kind: Callable[[Target, str], Seen]) -> None:
        while not self._stopped.is_set():
            number = next(self._numbers)
            client = f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
            try:
                self.seen.append(kind(self.target, client))
            except Exception as error:  # a bug of the load itself must not go unseen
                self.broken.append(f"{kind.__name__}: {error!r}")
            time.sleep(random.uniform(0, 2 * PAUSE_SECONDS))  # noqa: S311 - a load
