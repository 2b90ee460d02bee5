"""Benchmark of many slow readers: peak memory, and whether a second round needs more."""

import time

from benchmarks import content, load
from benchmarks.children import BenchmarkError
from benchmarks.plan import KIB, MIB, Plan
from benchmarks.procfs import peak_bytes, reset_peak
from benchmarks.report import Outcome, at_most
from benchmarks.site import Site, Target

PEAK_MIB = 256
GROWTH = 1.1
SETTLE_SECONDS = 1.0  # from the end of the last client until its transfer has ended
LEAST_RATE = 50 * KIB  # a reader that gets less was slowed by the proxy


def measure(site: Site, plan: Plan) -> list[Outcome]:
    """Run two rounds for nginx and two for the portal; the table."""
    outcome = Outcome(
        f"{plan.slow_clients} clients that read 100 KiB/s",
        ("before MiB", "1st peak MiB", "2nd peak MiB", "growth"),
    )
    for target in (site.yardstick, site.portal):
        reset_peak(target.pid)
        before = peak_bytes(target.pid) / MIB
        first, second = (_round(target, plan) for _ in range(2))
        numbers = (f"{value:.0f}" for value in (before, first, second))
        outcome.rows.append((target.name, *numbers, f"{second / first:.2f}"))
    title = f"{plan.slow_clients} slow readers"
    outcome.bars = [
        at_most(f"{title}: peak memory", max(first, second), PEAK_MIB, "{:.0f}", " MiB"),
        at_most(f"{title}: second round to the first", second / first, GROWTH),
    ]
    return [outcome]


def _round(target: Target, plan: Plan) -> float:
    """Run one round; the peak of memory in MiB."""
    reset_peak(target.pid)
    result = load.slow(target.port, target.path(content.MANY), plan.slow_clients, plan.slow_seconds)
    peak = peak_bytes(target.pid) / MIB
    if result["rate"] < LEAST_RATE:
        raise BenchmarkError(f"{target.name}: a reader got {result['rate'] / KIB:.0f} KiB/s only")
    time.sleep(SETTLE_SECONDS)
    return peak
