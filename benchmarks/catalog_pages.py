"""Benchmark of an indexed catalog: searches, pages, comparisons, and Datasette's search."""

import itertools
from collections.abc import Iterable
from pathlib import Path

from benchmarks import catalog_peer, procfs
from benchmarks.catalog_asking import SEARCHES, Asking, Query, diff_pages
from benchmarks.catalog_portal import Client, quantile
from benchmarks.children import BenchmarkError
from benchmarks.plan import MIB, Plan
from benchmarks.report import Outcome, at_most
from benchmarks.versions import Versions

NEWEST = 4  # pages of the newest version for each page of an old one
PAIRS = 12  # pairs of versions to compare, as far apart as possible
Times = dict[str, list[float]]


def measure(folder: Path, versions: Versions, port: int, pid: int, plan: Plan) -> list[Outcome]:
    """Return the tables; the memory is the portal's peak over all of these requests."""
    client, asking, names = Client(port), Asking(versions.tables), versions.names
    queries = asking.queries(plan.catalog_requests)
    version = itertools.cycle([names[-1]] * NEWEST + [names[len(names) // 2]])
    pages = [
        page
        for _ in range(plan.catalog_requests // 4)
        for page in (
            ("version", f"/catalog/{next(version)}"),
            ("category", asking.category_page(names[-1])),
            ("table", asking.table_page(next(version))),
            ("row", asking.row_page(names[-1])),
            ("history of a row", asking.history_page()),
        )
    ]
    procfs.reset_peak(pid)
    used = procfs.cpu_seconds(pid)
    searches = timed(client, ((query.kind, query.path(next(version))) for query in queries))
    used = 1000 * (procfs.cpu_seconds(pid) - used) / len(queries)
    shown = timed(client, pages)
    shown |= timed(client, _diffs(versions))
    memory = procfs.peak_bytes(pid) / MIB
    outcome = _searches(folder, versions, queries, searches)
    outcome.notes.append(f"the portal's CPU time: {used:.1f} ms a search")
    return [outcome, _pages(shown, memory)]


def timed(client: Client, pages: Iterable[tuple[str, str]]) -> Times:
    """The milliseconds of each page by kind, sorted."""
    found: Times = {}
    paths = list(pages)
    taken = client.times(path for _, path in paths)
    for (kind, _), milliseconds in sorted(zip(paths, taken, strict=True), key=lambda each: each[1]):
        found.setdefault(kind, []).append(milliseconds)
    return found


def _diffs(versions: Versions) -> list[tuple[str, str]]:
    """Comparisons of pairs that are in no cache, and of one changed table each: kind and path."""
    names, tables = versions.names, sorted(versions.tables.tables, key=lambda each: -len(each.rows))
    third = max(1, len(names) // 7)
    pairs = itertools.islice(itertools.product(names[:third], names[-third:]), PAIRS)
    pages = diff_pages([table.path for table in tables], list(pairs))
    return [
        (kind, path)
        for summary, table in pages
        for kind, path in (("diff of versions", summary), ("diff of a table", table))
    ]


def _searches(folder: Path, versions: Versions, queries: list[Query], ours: Times) -> Outcome:
    outcome = Outcome(
        f"{len(queries)} searches among {versions.rows:,} rows, ms",
        ("share", "portal p50", "p95", "longest", "Datasette p50", "p95", "longest"),
    )
    theirs: Times = {}
    try:
        theirs = _datasette(folder, versions, queries)
    except BenchmarkError as error:
        outcome.notes.append(f"Datasette: {error}")
    for kind, share in SEARCHES.items():
        outcome.rows.append((kind, f"{share}%", *_figures(ours, kind), *_figures(theirs, kind)))
    ours["all"], theirs["all"] = (
        sorted(itertools.chain(*each.values())) for each in (ours, theirs)
    )
    outcome.rows.append(("all", "", *_figures(ours, "all"), *_figures(theirs, "all")))
    outcome.bars = [at_most("search, p95", quantile(ours["all"], 0.95), 30, "{:.1f}", " ms")]
    return outcome


def _pages(times: Times, memory: float) -> Outcome:
    outcome = Outcome("pages of the catalog, ms", ("p50", "p95", "longest"))
    outcome.rows = [(kind, *_figures(times, kind)) for kind in times]
    outcome.notes.append(f"memory while serving: {memory:.0f} MiB at most")
    outcome.bars = [
        *(
            at_most(f"{kind} page, p95", quantile(times[kind], 0.95), 50, "{:.1f}", " ms")
            for kind in ("table", "row")
        ),
        *(
            at_most(f"{kind}, longest", times[kind][-1], 300, "{:.0f}", " ms")
            for kind in ("diff of versions", "diff of a table")
        ),
        at_most("memory while serving", memory, 200, "{:.0f}", " MiB"),
    ]
    return outcome


def _figures(times: Times, kind: str) -> tuple[str, str, str]:
    some = times.get(kind)
    if not some:
        return ("-", "-", "-")
    return (f"{quantile(some, 0.5):.1f}", f"{quantile(some, 0.95):.1f}", f"{max(some):.1f}")


def _datasette(folder: Path, versions: Versions, queries: list[Query]) -> Times:
    database = folder / "tables.sqlite3"
    catalog_peer.load(versions.folder / versions.names[-1], database)
    with catalog_peer.datasette(folder, database) as port:
        client = Client(port)
        client.get(f"/{database.stem}/rows.json?_size=1")
        pages = [(query.kind, catalog_peer.path(database, query)) for query in queries]
        return timed(client, pages)
