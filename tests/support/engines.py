"""Worker processes for tests: real ones, changed ones, and what a stranger wrote."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

from portal.workers.pool import WorkerPool
from tests.support.running import ROOT

HARDER = [{"edit": "difficulty", "difficulty": "Hard"}]
SECRET = "Secretname"
OK = {"outcome": "ok"}


def using(test, **options):
    """Run `await test(workers)`, then see that no process and no descriptor is left."""

    async def main():
        await asyncio.to_thread(int)  # what the loop itself opens
        before, others = descriptors(), children()
        engine = WorkerPool(**options)
        try:
            return await test(engine)
        finally:
            await engine.close()
            assert children() == others
            assert descriptors() == before

    return asyncio.run(main())


def descriptors():
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def children():
    """Processes of ours, dead ones that nobody waited for as well."""
    stats = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            stats.append((path.parent.name, path.read_text().rpartition(")")[2].split()[1]))
    return {pid for pid, parent in stats if parent == str(os.getpid())}


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def status(pid, name):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))


def script(tmp_path, body):
    """A worker that a stranger wrote; `ask()` takes a request, `tell()` answers one."""
    path = tmp_path / "worker.py"
    path.write_text(
        "import os, struct, sys, time, json\n"
        "H = struct.Struct('!8sII')\n"
        "def take(n):\n"
        "    whole = b''\n"
        "    while len(whole) < n:\n"
        "        whole += os.read(0, n - len(whole)) or sys.exit()\n"
        "    return whole\n"
        "def ask():\n"
        "    name, m, n = H.unpack(take(16)); return name, take(m), take(n)\n"
        "def tell(name, lines, content=b''):\n"
        "    out = lines if isinstance(lines, bytes)"
        " else b'\\n'.join(json.dumps(x).encode() for x in lines)\n"
        "    whole = H.pack(name, len(out), len(content)) + out + content\n"
        "    while whole: whole = whole[os.write(1, whole):]\n"
        "os.write(1, b'ready\\n')\n" + body
    )
    return [sys.executable, "-S", str(path)]


def changed(*lines):
    """A real worker with some lines run before it begins."""
    start = f"import os, sys, time; sys.path.insert(0, {str(ROOT)!r})"
    body = ["from portal import saves; from portal.workers import child", *lines]
    code = "\n".join([start, *body, "child.main(os.getppid())\n"])
    return [sys.executable, "-I", "-S", "-c", code]
