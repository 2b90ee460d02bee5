"""Invariants: what must be true of the database after any fault."""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from benchmarks.faults.work import Seen
from portal.http.client import ip_hash

# Queries for the rows of one client, by the table of the event.
TABLES = {
    "downloads": "select ip_hash, count(*) from downloads group by ip_hash",
    "clones": "select ip_hash, count(*) from clones group by ip_hash",
    "uploads": "select ip_hash, count(*) from tool_usage where event = 'upload' group by ip_hash",
    "saves": "select ip_hash, count(*) from tool_usage where event = 'download' group by ip_hash",
    "searches": "select ip_hash, count(*) from catalog_interactions group by ip_hash",
}

# Each total with the rows that it must be equal to.
TOTALS = {
    "download_totals": (
        "select day, project, version, asset, count from download_totals where count <> 0",
        "select date(timestamp), project, version, asset, count(*) from downloads group by 1,2,3,4",
    ),
    "clone_totals": (
        "select day, project, count from clone_totals where count <> 0",
        "select date(timestamp), project, count(*) from clones group by 1, 2",
    ),
    "tool_totals": (
        "select day, tool, event, count from tool_totals where count <> 0",
        "select date(timestamp), tool, event, count(*) from tool_usage group by 1, 2, 3",
    ),
    "catalog_totals": (
        "select day, event, detail, count from catalog_totals"
        " where count <> 0 and event <> 'empty_search'",
        "select date(timestamp), event, detail, count(*) from catalog_interactions group by 1,2,3",
    ),
    "request_totals": (
        "select day, project, count from request_totals where verdict = 'counted' and count <> 0",
        "select date(timestamp), project, count(*) from downloads group by 1, 2",
    ),
}


def audit(database: Path, seen: Iterable[Seen]) -> list[str]:
    """Return a sentence for each broken invariant. Safe while the portal runs."""
    with closing(sqlite3.connect(database, timeout=10)) as connection:
        faults = [
            f"integrity_check: {line}"
            for (line,) in connection.execute("pragma integrity_check")
            if line != "ok"
        ]
        connection.execute("begin")
        for name, statements in TOTALS.items():
            told, true = (Counter(connection.execute(statement)) for statement in statements)
            if told != true:
                faults.append(f"{name}: {(told - true) or '-'} where the rows say {true - told}")
        rows = {name: dict(connection.execute(text)) for name, text in TABLES.items()}
    return [*faults, *(fault for one in seen for fault in _faults(one, rows))]


def _faults(seen: Seen, rows: dict[str, dict[str, int]]) -> Iterable[str]:
    if seen.wrong:
        yield f"{seen.kind} of {seen.client}: {seen.wrong}"
    client = ip_hash(seen.client, "")
    for table in TABLES:
        count = rows[table].get(client, 0)
        least, most = int(table in seen.rows), int(table in (*seen.rows, *seen.maybe))
        if not least <= count <= most:
            yield f"{seen.kind} of {seen.client} has {count} rows in {table}, not {least} to {most}"
