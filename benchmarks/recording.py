"""The recorder's figures as a table with its bars; measured by `benchmarks.recorder`."""

import logging

from benchmarks import recorder
from benchmarks.plan import Plan
from benchmarks.report import Bar, Outcome, at_least, at_most

RATE = 50_000
P99_MS = 25
STALL_MS = 50


def measure(plan: Plan) -> list[Outcome]:
    """Run every case of `benchmarks.recorder`; the table."""
    # The warning that events are spilled is expected here: the lock is part of the measurement.
    logging.getLogger("sql").addHandler(logging.NullHandler())
    results = recorder.measure(plan.recorder_seconds, plan.rounds)
    outcome = Outcome(
        "recorder, synchronous=FULL", ("events/s", "p50 ms", "p99 ms", "stall ms", "lost")
    )
    for r in results:
        cells = (f"{r.rate:,.0f}", f"{r.p50:.2f}", f"{r.p99:.2f}", f"{r.stall:.1f}", str(r.lost))
        outcome.rows.append((r.name, *cells))
    free, locked = results[-2:]
    lost = sum(result.lost for result in results)
    outcome.bars = [
        at_least(f"recorder, {free.name}", free.rate, RATE, "{:,.0f}", " events/s"),
        at_most(f"recorder, {free.name}: p99", free.p99, P99_MS, "{:.1f}", " ms"),
        at_most(f"recorder, {locked.name}: stall", locked.stall, STALL_MS, "{:.0f}", " ms"),
        Bar("recorder: events lost", str(lost), "none", lost == 0),
    ]
    return [outcome]
