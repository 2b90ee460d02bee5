"""Stored files of several processes: shared limits, kills, a full disk."""

import asyncio
import signal
import subprocess
import sys
import time

from portal.uploads.store import Uploads
from tests.support.running import ROOT

CHILD = """
import asyncio, sys
from pathlib import Path
from portal.uploads.store import Uploads, UploadLimits
from portal.errors import PortalError
async def main():
    uploads = Uploads(Path(sys.argv[1]), UploadLimits(client_files=10))
    sys.stdin.readline()
    async def one():
        try:
            await uploads.keep("a" * 64, "pets", "x", b"x" * int(sys.argv[2]))
            return 1
        except PortalError as error:
            return getattr(error, "status") == 503 and -1000 or 0
    print(sum(await asyncio.gather(*(one() for _ in range(20)))))
asyncio.run(main())
"""


def child(folder, size, **options):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(size)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        **options,
    )


def test_processes_share_the_limits(tmp_path):
    children = [child(tmp_path / "uploads", 1000) for _ in range(3)]
    for process in children:
        process.stdin.write(b"\n")
        process.stdin.flush()
    assert sum(int(process.communicate(timeout=20)[0]) for process in children) == 10
    assert len(list((tmp_path / "uploads").iterdir())) == 10


def test_a_killed_process_leaves_neither_lock_nor_half_a_file(tmp_path):
    for pause in (0.0, 0.004, 0.012):
        process = child(tmp_path / "uploads", 4 << 20)
        process.stdin.write(b"\n")
        process.stdin.flush()
        until = time.monotonic() + 10
        while not (tmp_path / "uploads").exists() and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
    uploads = Uploads(tmp_path / "uploads")

    async def keep_and_read():
        kept = await uploads.keep("b" * 64, "pets", "Mounts.json", b"{}")
        await uploads.read(kept.id, "pets")

    asyncio.run(keep_and_read())
    sizes = {path.stat().st_size for path in (tmp_path / "uploads").iterdir()}
    assert all(size < 100 or size > 4 << 20 for size in sizes)


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    folder = tmp_path / "uploads"
    limit = (  # as a full disk does, it lets a part be written
        "import resource,sys,os;resource.setrlimit(resource.RLIMIT_FSIZE,(5000,5000));"
        "os.execv(sys.executable,[sys.executable,*sys.argv[1:]])"
    )
    command = [sys.executable, "-c", limit, "-c", CHILD, str(folder), "6000"]
    done = subprocess.run(command, cwd=ROOT, input=b"\n", capture_output=True, timeout=20)
    assert int(done.stdout) == -20_000, done.stderr
    assert not list(folder.iterdir())
