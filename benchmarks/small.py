"""Benchmark of small files over keep-alive connections: requests per second, each recorded."""

from benchmarks import content, load
from benchmarks.plan import Plan
from benchmarks.report import Bar, Outcome, Samples, at_least
from benchmarks.site import Site

CLIENTS = 32
RATE = 1500


def measure(site: Site, plan: Plan) -> list[Outcome]:
    """Load every proxy in turn, then compare the portal's rows with its answers; the table."""
    rates, waits = Samples(), Samples()
    answered, recorded = 0, site.downloads()
    for _ in range(plan.rounds):
        for target in site.proxies:
            path = target.path(content.SMALL)
            result = load.requests(target.port, path, CLIENTS, plan.small_seconds)
            rates.add(target.name, result["answers"] / result["seconds"])
            waits.add(target.name, result["p99"])
            if target is site.portal:
                answered += int(result["answers"])
    recorded = site.downloads() - recorded
    outcome = Outcome(
        f"10 KiB files, {CLIENTS} connections",
        ("requests/s", "ratio", "p99 ms"),
        [_row(target.name, site.yardstick.name, rates, waits) for target in site.proxies],
        notes=["(The client, in Python, takes what is left of the machine: nginx could do more.)"],
    )
    rate, rows = rates.median(site.portal.name), f"{recorded:,} rows"
    outcome.bars = [
        at_least("10 KiB files, one process", rate, RATE, "{:,.0f}", " requests/s"),
        Bar("10 KiB files, each recorded", rows, f"{answered:,} answers", recorded == answered),
    ]
    return [outcome]


def _row(name: str, base: str, rates: Samples, waits: Samples) -> tuple[str, ...]:
    return (
        name,
        f"{rates.median(name):,.0f}",
        f"{rates.ratio(name, base):.2f}",
        f"{waits.median(name):.1f}",
    )
