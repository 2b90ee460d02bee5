"""Runs the soak test; the table and its bars: memory, descriptors, latency of a page."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import content
from benchmarks.children import ROOT, BenchmarkError, running
from benchmarks.plan import MIB, Plan
from benchmarks.procfs import descriptors, resident_bytes
from benchmarks.report import Bar, Outcome, at_most
from benchmarks.site import Site, running_site

GROWTH = 1.10
PAGE_MS = 100
MINUTE = 60
SETTLE_SECONDS = 10.0  # until transfers have ended and pooled connections are closed
SPARE_DESCRIPTORS = 20  # pooled connections to the upstream
MARGIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory and descriptors of the portal and its workers at one moment."""

    memory: float  # MiB
    descriptors: int


def measure(plan: Plan) -> list[Outcome]:
    """Measure the capacity, then run at half of it for the planned time with the crowd."""
    small = replace(plan, one_bytes=MIB, many_bytes=20 * MIB, pack_bytes=MIB)
    with (
        tempfile.TemporaryDirectory(prefix="portal-bench-") as name,
        running_site(Path(name), small, peers=False) as site,
    ):
        return [Soak(site, plan.soak_seconds).run(min(15.0, plan.soak_seconds))]


class Soak:
    """One run."""

    def __init__(self, site: Site, seconds: float) -> None:
        self._site = site
        self._seconds = seconds
        self._samples: list[Sample] = []

    def run(self, capacity_seconds: float) -> Outcome:
        """Run it; the table and its bars."""
        self._mixed(2, 0)  # warm-up
        alone = self._mixed(capacity_seconds, 0)
        capacity = alone["done"] / alone["seconds"]
        time.sleep(SETTLE_SECONDS)
        before = self._sample()
        mixed, pages, crowd = self._together(capacity / 2)
        time.sleep(SETTLE_SECONDS)
        return self._outcome(capacity, before, self._sample(), mixed, pages, crowd)

    def _mixed(self, seconds: float, rate: float) -> dict[str, Any]:
        command = self._command("mixed", seconds, rate, self._site.portal.repository)
        done = subprocess.run(
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=seconds + MARGIN_SECONDS,
            check=False,
        )
        told: dict[str, Any] = _told("mixed", done.returncode, done.stdout, done.stderr)
        return told

    def _command(self, program: str, *arguments: object) -> Sequence[str]:
        port = self._site.portal.port
        return [sys.executable, "-m", f"benchmarks.soak.{program}", *map(str, (port, *arguments))]

    def _together(self, rate: float) -> list[Any]:
        """Run all three loads at once and sample the portal each second."""
        commands = {
            "mixed": self._command("mixed", self._seconds, rate, self._site.portal.repository),
            "pages": self._command("pages", self._seconds, f"/downloads/{content.SLUG}"),
            "crowd": self._command("crowd", self._seconds),
        }
        with ExitStack() as stack:
            folder = self._site.folder
            children = {
                name: stack.enter_context(running(name, command, folder, piped=True))
                for name, command in commands.items()
            }
            ends = time.monotonic() + self._seconds + MARGIN_SECONDS
            while any(child.poll() is None for child in children.values()):
                if time.monotonic() > ends:
                    raise BenchmarkError("the clients do not end")
                self._samples.append(self._sample())
                time.sleep(1)
            return [
                _told(name, child.returncode, child.stdout.read() if child.stdout else "", "")
                for name, child in children.items()
            ]

    def _sample(self) -> Sample:
        memory = sum(resident_bytes(self._site.portal.pid).values()) / MIB
        return Sample(memory, descriptors(self._site.portal.pid))

    def _outcome(
        self,
        capacity: float,
        before: Sample,
        after: Sample,
        mixed: dict[str, Any],
        pages: list[list[float]],
        crowd: dict[str, Any],
    ) -> Outcome:
        memory = [sample.memory for sample in self._samples]
        first, last = _minutes(memory)
        worst = max(p99 for p99, _ in pages)
        failed = sum(mixed["failed"].values())
        outcome = Outcome(f"a soak of {self._seconds:.0f} seconds", ("measured",))
        figures = {
            "mixed work, as fast as it goes, pieces/s": f"{capacity:,.0f}",
            "then, pieces/s": f"{mixed['done'] / mixed['seconds']:,.0f}",
            "pieces; failed": f"{mixed['done']:,}; {failed:,}",
            "read by the slow, MiB/s": f"{crowd['bytes'] / MIB / self._seconds:.1f}",
            "memory before; second minute; last minute, MiB": (
                f"{before.memory:.0f}; {first:.0f}; {last:.0f}"
            ),
            "memory after, at most, MiB": f"{after.memory:.0f}; {max(memory):.0f}",
            "descriptors before; at most; after": (
                f"{before.descriptors}; {max(s.descriptors for s in self._samples)}; "
                f"{after.descriptors}"
            ),
            "a page: p99 of 10 s, median; worst; longest wait, ms": (
                f"{statistics.median(p99 for p99, _ in pages):.0f}; {worst:.0f}; "
                f"{max(longest for _, longest in pages):.0f}"
            ),
        }
        outcome.rows = list(figures.items())
        outcome.notes = [
            "p99 of each 10 s: " + " ".join(f"{p99:.0f}" for p99, _ in pages),
            f"opened: {crowd['opened']}",
            f"failed: {mixed['failed']}",
        ]
        leaked = after.descriptors - before.descriptors
        outcome.bars = [
            at_most("soak: memory of the last minute to the second", last / first, GROWTH),
            at_most("soak: descriptors more than before", leaked, SPARE_DESCRIPTORS, "{:.0f}"),
            at_most("soak: a page, the worst p99 of 10 s", worst, PAGE_MS, "{:.0f}", " ms"),
            Bar("soak: pieces of work failed", str(failed), "none", failed == 0),
        ]
        return outcome


def _minutes(memory: Sequence[float]) -> tuple[float, float]:
    """The medians of the second and of the last minute; of the halves of a shorter run."""
    minute = min(MINUTE, len(memory) // 3)
    return statistics.median(memory[minute : 2 * minute]), statistics.median(memory[-minute:])


def _told(name: str, status: int, output: str, errors: str) -> Any:
    if status:
        raise BenchmarkError(f"{name} ended with {status}: {errors[-500:]}")
    return json.loads(output)
