"""One fault under load: what clients saw, the time to recover, the broken invariants."""

import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.faults.injected import FAKETIME, Fault, Plan
from benchmarks.faults.rig import ALL_ASKED, Rig
from benchmarks.faults.work import Seen

BEFORE_SECONDS = 1.0
AFTER_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Trial:
    """The result. `recoveries` in seconds, one for each end of the fault; `work` counts by kind and
    outcome; `faults` has a sentence for each broken invariant."""

    name: str
    recoveries: Sequence[float]
    work: Counter[tuple[str, bool]]
    faults: Sequence[str]


def tried(fault: Fault, plan: Plan, content: Path) -> Trial:
    """Run one fault in a new folder."""
    with tempfile.TemporaryDirectory(prefix="portal-faults-") as name:
        folder = Path(name)
        with fault.place(folder) as data:
            clock = FAKETIME if fault.clock else None
            with Rig(folder, content, fault.processes, data, clock) as rig:
                return _tried(fault, plan, rig)


def _uncounted(seen: Seen) -> Seen:
    """Allow catalog views without a row; no other work may lack one."""
    return replace(seen, rows=(), maybe=seen.rows) if seen.kind == "search" else seen


def _tried(fault: Fault, plan: Plan, rig: Rig) -> Trial:
    rig.recovered(time.monotonic(), ALL_ASKED)  # the portal has just been started
    rig.load.start()
    time.sleep(BEFORE_SECONDS)
    recoveries = [rig.recovered(since) for since in fault.inject(rig, plan)]
    rig.recovered(time.monotonic(), ALL_ASKED)
    time.sleep(AFTER_SECONDS)
    rig.load.stop()
    if fault.unwritable:
        rig.load.seen = [_uncounted(seen) for seen in rig.load.seen]
    faults = rig.check()
    faults += rig.end()
    work = Counter((seen.kind, seen.good) for seen in rig.load.seen)
    return Trial(fault.name, recoveries, work, faults)
