"""Benchmark of `git clone`: a large repository, through nginx and through the portal."""

import shutil
import subprocess
import time
from pathlib import Path

from benchmarks.children import BenchmarkError
from benchmarks.plan import GIB, MIB, Plan
from benchmarks.procfs import cpu_seconds
from benchmarks.report import Outcome, Samples, at_most
from benchmarks.site import Site
from demo.git import ENVIRONMENT

WALL_RATIO = 1.10
CLONE_SECONDS = 120.0


def measure(site: Site, plan: Plan) -> list[Outcome]:
    """Clone without a proxy, through nginx and through the portal, in turn; return the table."""
    ways = {
        "no proxy": (site.git_url, None),
        site.yardstick.name: (site.yardstick.clone_url, site.yardstick.pid),
        site.portal.name: (site.portal.clone_url, site.portal.pid),
    }
    walls, costs = Samples(), Samples()
    for number in range(plan.rounds):
        for name in ways if number % 2 == 0 else reversed(ways):
            url, pid = ways[name]
            before = cpu_seconds(pid) if pid else 0.0
            walls.add(name, _clone(url, site.folder / "clone"))
            spent = cpu_seconds(pid) - before if pid else 0.0
            costs.add(name, spent * GIB / plan.pack_bytes)
    title = f"git clone, a pack of {plan.pack_bytes // MIB} MiB"
    base = site.yardstick.name
    outcome = Outcome(title, ("wall s", "ratio", "CPU s/GiB"))
    for name, (_, pid) in ways.items():
        cost = f"{costs.median(name):.2f}" if pid else "-"
        outcome.rows.append(
            (name, f"{walls.median(name):.2f}", f"{walls.ratio(name, base):.2f}", cost)
        )
    ratio = walls.ratio(site.portal.name, base)
    outcome.bars = [at_most(f"{title}: wall time to nginx's", ratio, WALL_RATIO)]
    return [outcome]


def _clone(url: str, target: Path) -> float:
    """Clone once; the seconds of wall time. Raises BenchmarkError."""
    command = ["git", "clone", "--quiet", "--bare", url, str(target)]
    began = time.perf_counter()
    try:
        subprocess.run(
            command, env=ENVIRONMENT, check=True, capture_output=True, timeout=CLONE_SECONDS
        )
        return time.perf_counter() - began
    except subprocess.TimeoutExpired:
        raise BenchmarkError(f"no clone within {CLONE_SECONDS:.0f} s") from None
    except subprocess.CalledProcessError as error:
        raise BenchmarkError(error.stderr.decode(errors="replace").strip()) from None
    finally:
        shutil.rmtree(target, ignore_errors=True)
