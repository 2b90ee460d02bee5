"""Benchmark of large files, one client and many: throughput and CPU time of the proxy."""

from benchmarks import content, load
from benchmarks.plan import GIB, MIB, Plan
from benchmarks.procfs import cpu_seconds
from benchmarks.report import Outcome, Samples, at_least, at_most
from benchmarks.site import Site, Target

CPU_RATIO = 2.5
ONE_THROUGHPUT = 0.55
MANY_THROUGHPUT = 0.5


def measure(site: Site, plan: Plan) -> list[Outcome]:
    """Measure one client with a large file, and many clients with smaller ones; the tables."""
    one, many = plan.one_bytes // MIB, plan.many_bytes // MIB
    return [
        _measure(site, plan, f"1 client, {one} MiB", content.ONE, 1, ONE_THROUGHPUT),
        _measure(
            site,
            plan,
            f"{plan.many_clients} clients, {many} MiB each",
            content.MANY,
            plan.many_clients,
            MANY_THROUGHPUT,
        ),
    ]


def _measure(
    site: Site, plan: Plan, title: str, name: str, clients: int, throughput: float
) -> Outcome:
    speeds, costs = Samples(), Samples()
    targets = [site.direct, *site.proxies]
    for number in range(plan.rounds):
        # The order alternates, so that no proxy always runs after the same one.
        for target in targets if number % 2 == 0 else reversed(targets):
            speed, cost = _transfer(target, name, clients)
            speeds.add(target.name, speed)
            costs.add(target.name, cost)
    outcome = Outcome(title, ("MiB/s", "ratio", "CPU s/GiB", "ratio"))
    base, own = site.yardstick.name, site.portal.name
    for target in targets:
        outcome.rows.append(_row(target.name, base, speeds, costs))
    outcome.bars = [
        at_most(f"{title}: CPU a GiB to nginx's", costs.ratio(own, base), CPU_RATIO),
        at_least(f"{title}: throughput to nginx's", speeds.ratio(own, base), throughput),
    ]
    return outcome


def _transfer(target: Target, name: str, clients: int) -> tuple[float, float]:
    """MiB per second, and CPU seconds per GiB."""
    before = cpu_seconds(target.pid)
    result = load.fetch(target.port, target.path(name), clients)
    spent = cpu_seconds(target.pid) - before
    return result["bytes"] / MIB / result["seconds"], spent * GIB / result["bytes"]


def _row(name: str, base: str, speeds: Samples, costs: Samples) -> tuple[str, ...]:
    return (
        name,
        f"{speeds.median(name):.0f}",
        f"{speeds.ratio(name, base):.2f}",
        f"{costs.median(name):.2f}",
        f"{costs.ratio(name, base):.2f}",
    )
