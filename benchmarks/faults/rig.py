"""A portal before a GitLab that can fail, both in processes of their own; and what they leave."""

import hashlib
import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from benchmarks.children import ADDRESS, ROOT, START_SECONDS, BenchmarkError, free_port
from benchmarks.faults.audit import audit
from benchmarks.faults.work import Load, Target
from benchmarks.procfs import PROC, tree
from demo.git import commit_of
from sql.spill import waiting
from tests.support.running import RunningPortal

TOKEN = "glpat-faults"  # noqa: S105 - on the loopback only
SETTLE_SECONDS = 15.0  # for what was spilled to be in the database, and transfers to end
RECOVER_SECONDS = 30.0
PROBE = "/downloads/pets/v2.1.0/SHA256SUMS"
ASKED = (
    "/downloads/pets",
    PROBE,
    "/pets.git/info/refs?service=git-upload-pack",
)
# A catalog whose index was damaged is made anew, which takes longer.
ALL_ASKED = (*ASKED, "/catalog/search?q=iron")
LIMITS = {"first_byte_seconds": 2, "upstream_stall_seconds": 2, "connect_seconds": 2}
# libfaketime 0.9.10 lets Python's sleep, which has an absolute end, fail or last a day.
_SLEEP = "import select, time\ntime.sleep = lambda s: select.select([], [], [], s) and None\n"
_TRACEBACK = re.compile(r"^Traceback.*\n(?:[ ].*\n|\n)*(.*)", re.MULTILINE)
# All that may lie in the portal's folder.
KNOWN = re.compile(
    r"(portal|catalog)\.sqlite3(-wal|-shm|-journal|\.lock)?|[a-z.0-9]*lock|portal\.sqlite3\.[a-z]+"
    r"|spill(/\d+\.spill)?|uploads(/[0-9a-f]{32}-[0-9a-f]{64}(-edited)?)?|lost\+found"
    r"|releases(/[a-z]+\.json)?"
)


class Gateway:
    """The GitLab; `set` makes it fail, `kill` and `start` end it and bring it back."""

    def __init__(self, content: Path) -> None:
        self._content = content
        self.ports = free_port(), free_port()
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Return when it answers."""
        command = [sys.executable, "-m", "benchmarks.faults.gateway", self._content, *self.ports]
        self._process = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "GITLAB_TOKEN": TOKEN},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._hear()

    def set(self, fault: str) -> None:
        """Fail so from now on, or not at all (`none`)."""
        assert self._process
        assert self._process.stdin
        self._process.stdin.write(f"{fault}\n")
        self._process.stdin.flush()
        self._hear()

    def _hear(self) -> None:
        assert self._process
        assert self._process.stdout
        readable, _, _ = select.select([self._process.stdout], [], [], START_SECONDS)
        if not readable or not self._process.stdout.readline():
            raise BenchmarkError("the failing GitLab does not answer")

    def kill(self) -> None:
        """By SIGKILL."""
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None


class Rig:
    """Everything, as a context. `folder` is for this run alone, `content` as `demo.content` fills
    it; `data` is where the portal writes."""

    def __init__(
        self,
        folder: Path,
        content: Path,
        processes: int = 1,
        data: Path | None = None,
        faketime: Path | None = None,
    ) -> None:
        self.gateway = Gateway(content)
        gitlab, objects = (f"{ADDRESS}:{port}" for port in self.gateway.ports)
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        environ = {"TMPDIR": str(self.temporary)}
        self._clock = folder / "clock"
        if faketime:
            self.set_clock(0)
            environ |= {
                "LD_PRELOAD": str(faketime),
                "FAKETIME_TIMESTAMP_FILE": str(self._clock),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "NO_FAKE_STAT": "1",
                "PYTHONPATH": str(folder),
            }
            (folder / "sitecustomize.py").write_text(_SLEEP)
        self.portal: Any = RunningPortal(
            folder,
            f"http://{gitlab}",
            objects,
            TOKEN,
            processes,
            environ,
            **LIMITS,
        )
        self.portal.data_dir = data or folder / "data"
        self._content = content
        self._pids: set[int] = set()
        self.load = Load(Target(0, {}, ""))

    def __enter__(self) -> "Rig":
        self.portal.start()
        digests = dict(_digests(self._content))
        commit = commit_of(self._content / "pets" / "repository.git", "HEAD") or ""
        self._digest = digests[PROBE]
        self.load = Load(Target(self.portal.port, digests, commit))
        return self

    def __exit__(self, *exc: object) -> None:
        self.load.stop()
        self.portal.__exit__(*exc)
        self.gateway.kill()

    # -- the portal --------------------------------------------------------------------------------

    def kill(self) -> None:
        """End the portal by SIGKILL, and see that all of its processes go."""
        pids = self.pids()
        self.portal.process.kill()
        self.portal.process.wait()
        _until(lambda: not any(map(_alive, pids)), 5)
        self._pids |= pids

    def kill_one(self) -> None:
        """End one of several processes."""
        self.pids()
        parent = self.portal.process.pid
        os.kill(random.choice([pid for pid in self.servers() if pid != parent]), signal.SIGKILL)  # noqa: S311

    def pids(self) -> set[int]:
        """The portal's processes, and its workers'."""
        found = set(tree(self.portal.process.pid))
        self._pids |= found
        return found

    def servers(self) -> list[int]:
        """The processes that serve, and the one that watches several; no workers."""
        return [pid for pid in tree(self.portal.process.pid) if _is(pid, b"server.py")]

    def set_clock(self, seconds: int) -> None:
        """The portal's clock, beside the machine's; where it was started for that."""
        changed = self._clock.with_suffix(".new")
        changed.write_text(f"{seconds:+d}\n")
        changed.replace(self._clock)

    def does_not_start(self) -> None:
        """See that it says why. Raises BenchmarkError where it starts, or says nothing."""
        done = subprocess.run(
            self.portal.command,
            cwd=ROOT,
            env=self.portal.environ,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
        if done.returncode != 1 or "cannot run" not in done.stderr or "Traceback" in done.stderr:
            raise BenchmarkError(f"status {done.returncode}: {done.stderr}")

    @property
    def database(self) -> Path:
        """Where the events are."""
        path: Path = self.portal.data_dir / "portal.sqlite3"
        return path

    def recovered(self, since: float, asked: Sequence[str] = ASKED) -> float:
        """Seconds from that moment until page, download and clone are answered."""
        while time.monotonic() - since < RECOVER_SECONDS:
            with suppress(OSError, HTTPException):
                if self._answers(asked):
                    return time.monotonic() - since
            time.sleep(0.01)
        return RECOVER_SECONDS

    def _answers(self, asked: Sequence[str]) -> bool:
        for path in asked:
            connection = HTTPConnection(ADDRESS, self.portal.port, timeout=1)
            try:
                connection.request("GET", path, headers={"X-Forwarded-For": "198.51.100.1"})
                answer = connection.getresponse()
                body = answer.read()
            finally:
                connection.close()
            if answer.status != 200:
                return False
            if path == PROBE and hashlib.sha256(body).hexdigest() != self._digest:
                return False
        return True

    # -- what is left --------------------------------------------------------------------------

    def check(self) -> list[str]:
        """End the load and let the portal come to rest; what is not as it must be, in sentences."""
        self.load.stop()
        faults = list(self.load.broken)
        port = self.portal.port
        spills = self.database.parent / "spill"
        if not _until(lambda: waiting(spills, self.database) == 0, SETTLE_SECONDS):
            faults.append(f"{waiting(spills, self.database)} events still wait")
        if not _until(lambda: connections(port) == 0, SETTLE_SECONDS):
            faults.append(f"{connections(port)} connections are left")
        # What a killed process leaves is cleared by the next of its slot, a second later.
        _until(lambda: not self._files(), SETTLE_SECONDS)
        faults += self._files()
        return faults + audit(self.database, self.load.seen)

    def _files(self) -> list[str]:
        found = [str(path.relative_to(self.temporary)) for path in self.temporary.rglob("*")]
        data = self.portal.data_dir
        names = (str(path.relative_to(data)) for path in data.rglob("*"))
        found += [name for name in names if not KNOWN.fullmatch(name)]
        return [f"{name} is left" for name in found]

    def end(self) -> list[str]:
        """Stop the portal; what is not as it must be then."""
        pids = self.pids()
        status = self.portal.stop()
        faults = [] if status == 0 else [f"it ended with status {status}"]
        if not _until(lambda: not any(map(_alive, pids | self._pids)), 5):
            faults.append(f"processes are left: {[pid for pid in pids if _alive(pid)]}")
        return faults + [f"a traceback: {end}" for end in _TRACEBACK.findall(self.portal.log())]


def connections(port: int) -> int:
    """How many connections are open on the portal's side."""
    local, count = f":{port:04X}", 0
    for line in (PROC / "net" / "tcp").read_text().splitlines()[1:]:
        fields = line.split()
        count += fields[1].endswith(local) and fields[3] in ("01", "08")
    return count


def _alive(pid: int) -> bool:
    return _is(pid, b"server.py", b"portal.workers.child")


def _is(pid: int, *names: bytes) -> bool:
    with suppress(OSError):
        command = (PROC / str(pid) / "cmdline").read_bytes()
        return any(name in command for name in names)
    return False


def _until(true: Any, seconds: float) -> bool:
    give_up = time.monotonic() + seconds
    while not true():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.05)
    return True


def _digests(content: Path) -> Iterator[tuple[str, str]]:
    """The files that are downloaded: those of some releases, GitLab's own and the store's."""
    for slug, versions in (("pets", ("2.0.0", "2.1.0")), ("prospects", ("1.2.0",))):
        for package in json.loads((content / slug / "packages.json").read_text()):
            if package["version"] in versions:
                for file in package["files"]:
                    path = f"/downloads/{slug}/v{package['version']}/{file['file_name']}"
                    yield path, file["file_sha256"]
