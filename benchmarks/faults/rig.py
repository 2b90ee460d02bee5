"""The test rig: a portal and a GitLab that can fail, as processes, and the check afterwards."""

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
SETTLE_SECONDS = 15.0  # until spilled events are in the database and transfers have ended
RECOVER_SECONDS = 30.0
PROBE = "/downloads/pets/v2.1.0/SHA256SUMS"
ASKED = (
    "/downloads/pets",
    PROBE,
    "/pets.git/info/refs?service=git-upload-pack",
)
# A damaged catalog index is rebuilt, which takes longer.
ALL_ASKED = (*ASKED, "/catalog/search?q=iron")
LIMITS = {"first_byte_seconds": 2, "upstream_stall_seconds": 2, "connect_seconds": 2}
# Under libfaketime 0.9.10 Python's sleep, which waits for an absolute time, fails or lasts a day.
_SLEEP = "import select, time\ntime.sleep = lambda s: select.select([], [], [], s) and None\n"
_TRACEBACK = re.compile(r"^Traceback.*\n(?:[ ].*\n|\n)*(.*)", re.MULTILINE)
# Every file that may be in the portal's folder.
KNOWN = re.compile(
    r"(portal|catalog)\.sqlite3(-wal|-shm|-journal|\.lock)?|[a-z.0-9]*lock|portal\.sqlite3\.[a-z]+"
    r"|spill(/\d+\.spill)?|uploads(/[0-9a-f]{32}-[0-9a-f]{64}(-edited)?)?|lost\+found"
    r"|releases(/[a-z]+\.json)?"
)


class Gateway:
    """The GitLab process: `set` injects a fault, `kill` and `start` end and restart it."""

    def __init__(self, content: Path) -> None:
        self._content = content
        self.ports = free_port(), free_port()
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
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
        """Inject this fault from now on; `none` ends it."""
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
        """End it by SIGKILL."""
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None


class Rig:
    """Everything, as a context. `folder` belongs to this run alone, `content` is as `demo.content`
    fills it; the portal writes in `data`."""

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
        """End the portal by SIGKILL and wait until all of its processes are gone."""
        pids = self.pids()
        self.portal.process.kill()
        self.portal.process.wait()
        _until(lambda: not any(map(_alive, pids)), 5)
        self._pids |= pids

    def kill_one(self) -> None:
        """End one of several serving processes by SIGKILL."""
        self.pids()
        parent = self.portal.process.pid
        os.kill(random.choice([pid for pid in self.servers() if pid != parent]), signal.SIGKILL)  # noqa: S311

    def pids(self) -> set[int]:
        """The ids of the portal's processes and of their workers."""
        found = set(tree(self.portal.process.pid))
        self._pids |= found
        return found

    def servers(self) -> list[int]:
        """The ids of the serving processes and the supervisor, without workers."""
        return [pid for pid in tree(self.portal.process.pid) if _is(pid, b"server.py")]

    def set_clock(self, seconds: int) -> None:
        """Set the offset of the portal's clock; works if it was started with libfaketime."""
        changed = self._clock.with_suffix(".new")
        changed.write_text(f"{seconds:+d}\n")
        changed.replace(self._clock)

    def does_not_start(self) -> None:
        """Check that the portal refuses to start and says why. Raises BenchmarkError otherwise."""
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
        """The path of the database."""
        path: Path = self.portal.data_dir / "portal.sqlite3"
        return path

    def recovered(self, since: float, asked: Sequence[str] = ASKED) -> float:
        """The seconds from that moment until a page, a download and a clone are answered."""
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
                with connection.getresponse() as answer:
                    body = answer.read()
            finally:
                connection.close()
            if answer.status != 200:
                return False
            if path == PROBE and hashlib.sha256(body).hexdigest() != self._digest:
                return False
        return True

    # -- the check afterwards --------------------------------------------------------------------

    def check(self) -> list[str]:
        """End the load and wait until the portal is idle; a sentence for each broken invariant."""
        self.load.stop()
        faults = list(self.load.broken)
        port = self.portal.port
        spills = self.database.parent / "spill"
        if not _until(lambda: waiting(spills, self.database) == 0, SETTLE_SECONDS):
            faults.append(f"{waiting(spills, self.database)} events still wait")
        if not _until(lambda: connections(port) == 0, SETTLE_SECONDS):
            faults.append(f"{connections(port)} connections are left")
        # The next process of the same slot removes what a killed process left, a second later.
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
        """Stop the portal; a sentence for each broken invariant after the stop."""
        pids = self.pids()
        status = self.portal.stop()
        faults = [] if status == 0 else [f"it ended with status {status}"]
        if not _until(lambda: not any(map(_alive, pids | self._pids)), 5):
            faults.append(f"processes are left: {[pid for pid in pids if _alive(pid)]}")
        return faults + [f"a traceback: {end}" for end in _TRACEBACK.findall(self.portal.log())]


def connections(port: int) -> int:
    """The number of connections that are open on the portal's side."""
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
    """SHA-256 by path of the files to download: some from GitLab, some from the object store."""
    for slug, versions in (("pets", ("2.0.0", "2.1.0")), ("prospects", ("1.2.0",))):
        for package in json.loads((content / slug / "packages.json").read_text()):
            if package["version"] in versions:
                for file in package["files"]:
                    path = f"/downloads/{slug}/v{package['version']}/{file['file_name']}"
                    yield path, file["file_sha256"]
