"""Benchmark of the catalog: indexing time, index size and memory, with thirty large versions."""

import itertools
import tempfile
import time
from pathlib import Path

from benchmarks import catalog_pages
from benchmarks.catalog_asking import Asking
from benchmarks.catalog_portal import Client, Meanwhile, Watch, quantile, running_portal
from benchmarks.children import BenchmarkError
from benchmarks.plan import MIB, Plan
from benchmarks.report import Outcome, at_most
from benchmarks.versions import Versions

SINGLY = 4  # versions that are added one by one; the others are added together
PATIENCE = 300.0  # seconds for one version


def measure(plan: Plan) -> list[Outcome]:
    """Time the indexing of the first version and of the others, under page load; then the pages."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as name:
        folder = Path(name)
        versions = Versions(folder / "versions", scale=plan.catalog_scale, copies=True)
        versions.write_next()
        began = time.monotonic()
        with running_portal(folder, versions.folder) as (port, pid):
            watch = Watch(pid)
            watch.start()
            try:
                outcome = _Indexing(folder, versions, port, watch).measure(plan, began)
            finally:
                watch.end()
            return [outcome, *catalog_pages.measure(folder, versions, port, pid, plan)]


class _Indexing:
    """The indexing part: seconds until a version is served, bytes on disk and in memory."""

    def __init__(self, folder: Path, versions: Versions, port: int, watch: Watch) -> None:
        self._data = folder / "data"
        self._versions = versions
        self._client = Client(port)
        self._port = port
        self._watch = watch

    def measure(self, plan: Plan, began: float) -> Outcome:
        """Return the table; `began` is the monotonic time at which the portal was started."""
        outcome = Outcome(f"a catalog of {plan.catalog_versions} versions", ("measured",))
        self._until_ready([self._versions.names[0]])
        first = time.monotonic() - began
        self._until_idle()
        one = self._bytes()
        singly = [self._single() for _ in range(min(SINGLY, plan.catalog_versions - 2))]
        asking = Asking(self._versions.tables)
        front = ["/", "/catalog", asking.queries(1)[0].path(""), asking.table_page("90")]
        meanwhile = Meanwhile(self._port, front)
        meanwhile.start()
        together = self._together(plan.catalog_versions - 1 - len(singly))
        waits = meanwhile.end()
        self._until_idle()
        all_of_them = self._bytes()
        later = max(*singly, *together)
        outcome.rows = [
            ("first version, from the portal's start: seconds", f"{first:.1f}"),
            (f"a new version, one of {len(singly)} singly: longest pass, s", f"{max(singly):.1f}"),
            (f"one of {len(together)} at once: longest, s", f"{max(together):.1f}"),
            ("index of one version, MiB", f"{one / MIB:.1f}"),
            ("index of all, MiB", f"{all_of_them / MIB:.1f}"),
            ("portal while indexing: most memory, MiB", f"{self._watch.portal / MIB:.0f}"),
            ("with the indexing process, MiB", f"{self._watch.all / MIB:.0f}"),
            (f"{len(waits)} pages while indexing: p99, ms", f"{quantile(waits, 0.99):.0f}"),
            ("pages while indexing: longest, ms", f"{max(waits):.0f}"),
        ]
        outcome.bars = [
            at_most("first version indexed", first, 20, "{:.1f}", " s"),
            at_most("each next version indexed", later, 5, "{:.1f}", " s"),
            at_most("index of all, to that of one", all_of_them / one, 3),
            at_most(
                "portal's memory while indexing", self._watch.portal / MIB, 200, "{:.0f}", " MiB"
            ),
        ]
        return outcome

    def _single(self) -> float:
        """Add one version; the seconds of the indexing pass that finds it."""
        began = time.monotonic()
        self._versions.write_next()
        self._until_ready(self._versions.names[-1:])
        self._until_idle()
        return self._watch.longest_pass(began)

    def _together(self, count: int) -> list[float]:
        """Add `count` versions at once; the seconds from each indexed version to the next."""
        for _ in range(count):
            self._versions.write_next()
        ready = sorted(self._until_ready(self._versions.names[-count:]))
        self._until_idle()
        whole = self._watch.longest_pass(ready[0] - PATIENCE)
        return [
            *(later - sooner for sooner, later in itertools.pairwise(ready)),
            whole / count,
        ]

    def _until_ready(self, names: list[str]) -> list[float]:
        """Wait until all versions are served; the monotonic time of each."""
        waiting, ready = set(names), []
        give_up = time.monotonic() + PATIENCE * len(names)
        while waiting:
            for name in sorted(waiting):
                if self._client.ask(f"/catalog/{name}")[0] == 200:
                    ready.append(time.monotonic())
                    waiting.remove(name)
            self._wait(0.05, give_up, f"not indexed: {', '.join(sorted(waiting))}")
        return ready

    def _until_idle(self) -> None:
        """Wait until no indexing process runs."""
        give_up = time.monotonic() + PATIENCE
        self._wait(0.2, give_up, "")
        while self._watch.busy:
            self._wait(0.05, give_up, "the indexing process does not end")

    def _wait(self, seconds: float, give_up: float, sentence: str) -> None:
        if time.monotonic() > give_up:
            raise BenchmarkError(sentence)
        time.sleep(seconds)

    def _bytes(self) -> int:
        """Bytes of the index on disk."""
        return sum(path.stat().st_size for path in self._data.glob("catalog.sqlite3*"))
