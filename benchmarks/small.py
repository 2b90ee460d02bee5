"""Small files on kept connections: requests a second, each of the portal's recorded."""

from benchmarks import content, load
from benchmarks.children import BenchmarkError
from benchmarks.plan import Plan
from benchmarks.report import Bar, Outcome, Samples, at_least
from benchmarks.site import Site

CLIENTS = 32
RATE = 1500


def measure(site: Site, plan: Plan) -> list[Outcome]:
    """Every proxy for a while, in turn; then the rows are counted."""
    rates, waits = Samples(), Samples()
    answered = 0
    recorded = site.downloads()
    for _ in range(plan.rounds):
        for target in site.proxies:
            result = load.requests(
                target.port, target.path(content.SMALL), CLIENTS, plan.small_seconds
            )
            rates.add(target.name, result["answers"] / result["seconds"])
            waits.add(target.name, result["p99"])
            if target is site.portal:
                answered += int(result["answers"])
    recorded = site.downloads() - recorded
    if not answered:
        raise BenchmarkError("no request was answered")
    outcome = Outcome(
        f"10 KiB files, {CLIENTS} connections",
        ("requests/s", "ratio", "p99 ms"),
        notes=["(The client, in Python, takes what is left of the machine: nginx could do more.)"],
    )
    for target in site.proxies:
        outcome.rows.append(
            (
                target.name,
                f"{rates.median(target.name):,.0f}",
                f"{rates.ratio(target.name, site.yardstick.name):.2f}",
                f"{waits.median(target.name):.1f}",
            )
        )
    rate = rates.median(site.portal.name)
    outcome.bars = [
        at_least("10 KiB files, one process", rate, RATE, "{:,.0f}", " requests/s"),
        Bar(
            "10 KiB files, each recorded",
            f"{recorded:,} rows",
            f"for {answered:,} answers",
            recorded == answered,
        ),
    ]
    return [outcome]
