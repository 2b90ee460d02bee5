"""The command line: runs the named benchmarks, prints their tables, then the bars."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import SubprocessError

from benchmarks import (
    catalog,
    clone,
    dashboard,
    machine,
    nginx,
    recording,
    refresh,
    saves,
    slow,
    small,
    transfer,
    umami,
)
from benchmarks.children import BenchmarkError
from benchmarks.faults import bars as faults
from benchmarks.plan import FULL, QUICK, Plan
from benchmarks.report import Bar, Outcome
from benchmarks.site import Site, running_site
from benchmarks.soak import bars as soak

# Benchmarks that need the proxies, and benchmarks that do not.
PROXIED: dict[str, Callable[[Site, Plan], list[Outcome]]] = {
    "transfer": transfer.measure,
    "small": small.measure,
    "slow": slow.measure,
    "clone": clone.measure,
}
ALONE: dict[str, Callable[[Plan], list[Outcome]]] = {
    "recorder": recording.measure,
    "metrics": dashboard.measure,
    "saves": saves.measure,
    "catalog": catalog.measure,
    "umami": umami.measure,
    "refresh": refresh.measure,
}
# Benchmarks that take long and so run only by name.
LONG: dict[str, Callable[[Plan], list[Outcome]]] = {"faults": faults.measure, "soak": soak.measure}
NAMES = (*PROXIED, *ALONE)


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="measure the portal")
    parser.add_argument(
        "names",
        nargs="*",
        help=f"of {', '.join(NAMES)}; without any, all these; {', '.join(LONG)} only by name",
    )
    parser.add_argument("--rounds", type=int, help=f"default: {FULL.rounds}")
    parser.add_argument("--minutes", type=float, help="of the soak; default: 10")
    parser.add_argument("--quick", action="store_true", help="small sizes; the figures say nothing")
    options = parser.parse_args(argv)
    if unknown := set(options.names) - {*NAMES, *LONG}:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    return options


class Run:
    """One run: prints each table as soon as it is complete; `bars` and `failed` are for the end."""

    def __init__(self, names: Sequence[str], plan: Plan) -> None:
        self._names = names
        self._plan = plan
        self.bars: list[Bar] = []
        self.failed = False

    def run(self) -> None:
        """Run the named benchmarks."""
        proxied = [name for name in PROXIED if name in self._names]
        if proxied and nginx.program() is None:
            print(f"skipped: {', '.join(proxied)}: nginx is not installed\n")
        elif proxied:
            self._attempt("the proxies", self._proxied, proxied)
        for name, measure in {**ALONE, **LONG}.items():
            if name in self._names:
                self._attempt(name, self._alone, measure)

    def _proxied(self, names: Sequence[str]) -> None:
        with (
            tempfile.TemporaryDirectory(prefix="portal-bench-") as folder,
            running_site(Path(folder), self._plan) as site,
        ):
            for skipped in site.skipped:
                print(f"skipped: {skipped}\n")
            for failed in site.failed:
                self.failed = True
                print(f"FAILED  {failed}\n")
            for name in names:
                self._attempt(name, self._one, PROXIED[name], site)

    def _one(self, measure: Callable[[Site, Plan], list[Outcome]], site: Site) -> None:
        self._report(measure(site, self._plan))

    def _alone(self, measure: Callable[[Plan], list[Outcome]]) -> None:
        self._report(measure(self._plan))

    def _attempt(self, name: str, step: Callable[..., None], *parameters: object) -> None:
        """Go on with the others where one fails."""
        try:
            step(*parameters)
        except (BenchmarkError, OSError, SubprocessError) as error:
            self.failed = True
            print(f"FAILED  {name}: {error}\n", flush=True)

    def _report(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            print(outcome.text(), flush=True)
            self.bars += outcome.bars


def main(argv: Sequence[str]) -> int:
    """0 unless something could not be measured; a bar that is missed is a finding, no failure."""
    options = arguments(argv)
    # So that what was started is ended, and the temporary folder deleted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    plan = QUICK if options.quick else FULL
    if options.minutes:
        plan = replace(plan, soak_seconds=60 * options.minutes)
    if options.rounds:
        plan = replace(plan, rounds=max(1, options.rounds))
    began = time.monotonic()
    print(f"{machine.line()}\n{plan.rounds} rounds; medians, and of each round's ratio to nginx\n")
    run = Run(options.names or NAMES, plan)
    run.run()
    for bar in run.bars:
        print(bar.line())
    print(f"\n{time.monotonic() - began:.0f} seconds")
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
