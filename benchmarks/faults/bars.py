"""Runs every fault in turn; the table and its bars."""

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.faults import disk
from benchmarks.faults.injected import ALL, FAKETIME, Fault
from benchmarks.faults.injected import Plan as Times
from benchmarks.faults.trial import Trial, tried
from benchmarks.plan import MIB, Plan
from benchmarks.report import Bar, Outcome, at_most
from demo.content import fill

RECOVERY_SECONDS = 1.0
LARGE_BYTES = 8 * MIB
SHOWN = 5  # broken invariants that are printed for one fault


def measure(plan: Plan) -> list[Outcome]:
    """Run every fault that this machine can make."""
    times = Times(
        kills=plan.kills,
        process_kills=max(2, plan.kills // 4),
        gitlab_kills=max(2, plan.kills // 10),
        lock_seconds=plan.lock_seconds,
        seconds=min(10, plan.lock_seconds),
    )
    outcome = Outcome(
        "faults under load", ("ends", "answers again, s", "worst", "done", "refused", "untrue")
    )
    trials = []
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as name:
        content = Path(name) / "content"
        fill(content, large_bytes=LARGE_BYTES)
        for fault in ALL:
            if why := missing(fault):
                outcome.notes.append(f"skipped: {fault.name}: {why}")
                continue
            trial = tried(fault, times, content)
            trials.append(trial)
            outcome.rows.append(_row(trial))
            print("  ".join(_row(trial)), flush=True)  # the whole run takes 15 minutes
            outcome.notes += [f"{fault.name}: {line}" for line in trial.faults[:SHOWN]]
    outcome.bars = _bars(trials)
    return [outcome]


def missing(fault: Fault) -> str:
    """What this machine lacks for a fault; empty if nothing is missing."""
    if fault.place is not disk.plain:
        return disk.missing()
    return f"no {FAKETIME}" if fault.clock and not FAKETIME.exists() else ""


def _row(trial: Trial) -> Sequence[str]:
    good = sum(count for (_, good), count in trial.work.items() if good)
    return (
        trial.name,
        str(len(trial.recoveries)),
        f"{statistics.median(trial.recoveries):.2f}",
        f"{max(trial.recoveries):.2f}",
        f"{good:,}",
        f"{trial.work.total() - good:,}",
        str(len(trial.faults)),
    )


def _bars(trials: Sequence[Trial]) -> list[Bar]:
    bars = []
    for trial in trials:
        worst, late = max(trial.recoveries), sum(r > RECOVERY_SECONDS for r in trial.recoveries)
        what = f"{trial.name}: answers again, at worst ({late} of {len(trial.recoveries)} late)"
        bars.append(at_most(what, worst, RECOVERY_SECONDS, "{:.2f}", " s"))
    untrue = sum(len(trial.faults) for trial in trials)
    work = sum(trial.work.total() for trial in trials)
    what = f"rows, totals, files, processes, SHA-256 over {work:,} pieces of work: untrue"
    return [*bars, Bar(what, str(untrue), "none", untrue == 0)]
