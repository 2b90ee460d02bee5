"""The cost of refreshing a project's list of releases, and how long it holds the event loop."""

import asyncio
import logging
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.plan import Plan
from benchmarks.report import Outcome, at_most
from portal.config.model import GitLab, Limits, Project
from portal.gitlab.api import GitLabApi
from portal.relay.curl import CurlClient

SIZES = ((100, 8), (2000, 8), (100, 1000))
HOLD_MS = 10
UNCHANGED_CPU_MS = 25  # of 2,000 x 8: twenty requests that are answered with 304
STEPS = ("first", "unchanged", "unchanged, no ETag", "changed")


def measure(plan: Plan) -> list[Outcome]:
    """Refresh lists of several sizes; the table. Each figure is the median of all rounds."""
    logging.getLogger("portal.gitlab").addHandler(logging.NullHandler())
    outcome = Outcome("refresh of a list", ("ms", "CPU ms", "longest hold ms"))
    with _gitlab() as url:
        for releases, links in SIZES:
            rounds = [asyncio.run(_refreshed(url, releases, links)) for _ in range(plan.rounds)]
            for step in STEPS:
                took, cpu, hold = (
                    sorted(one[step][i] for one in rounds)[len(rounds) // 2] for i in range(3)
                )
                name = f"{releases:,} releases x {links:,} links, {step}"
                outcome.rows.append((name, f"{took:.0f}", f"{cpu:.0f}", f"{hold:.1f}"))
                bar = f"refresh, {name}: longest hold"
                outcome.bars.append(at_most(bar, hold, HOLD_MS, "{:.1f}", " ms"))
                if step == "unchanged":
                    bar = f"refresh, {name}: CPU"
                    outcome.bars.append(at_most(bar, cpu, UNCHANGED_CPU_MS, "{:.0f}", " ms"))
    return [outcome]


@contextmanager
def _gitlab() -> Iterator[str]:
    """The address of a GitLab with generated lists, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.release_lists"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


async def _refreshed(url: str, releases: int, links: int) -> dict[str, tuple[float, float, float]]:
    """Milliseconds, CPU milliseconds and the longest hold of each step."""
    client = CurlClient(force_instance=True)
    limits = Limits(10, 60, 60, 60, 60, 60)
    api = GitLabApi(GitLab(url, frozenset(), (), 30), client, limits)
    project = Project("tool", f"{releases}x{links}", "Tool", "")
    found = {}
    try:
        for step in STEPS:
            change = {"unchanged, no ETag": "/etags?0", "changed": "/change"}.get(step, "/etags?1")
            await asyncio.to_thread(_post, url + change)
            if step == "unchanged, no ETag":
                await api.releases(project)
            found[step] = await _measured(api, project)
    finally:
        client.close()
    return found


async def _measured(api: GitLabApi, project: Project) -> tuple[float, float, float]:
    holds = [0.0]
    ticking = asyncio.create_task(_tick(holds))
    await asyncio.sleep(0.01)
    begun, cpu = time.perf_counter(), time.process_time()
    await api.releases(project)
    took, used = time.perf_counter() - begun, time.process_time() - cpu
    ticking.cancel()
    return took * 1000, used * 1000, max(holds) * 1000


async def _tick(holds: list[float]) -> None:
    """Note how much later than asked for the loop comes back, each millisecond."""
    while True:
        begun = time.perf_counter()
        await asyncio.sleep(0.001)
        holds.append(time.perf_counter() - begun - 0.001)


def _post(url: str) -> None:
    request = urllib.request.Request(url, data=b"", method="POST")
    with urllib.request.urlopen(request) as answer:  # nosec B310
        answer.read()
