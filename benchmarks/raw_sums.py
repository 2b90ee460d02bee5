"""The sums of /metrics from the raw rows, served by Datasette: the cost of the page without totals.

Datasette is a well-known server for SQLite databases, and can only add up the rows.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.children import ADDRESS, BenchmarkError, free_port, listening

_WINDOWS = """
    sum(date(timestamp) >= date('now', '-29 days')) as days_30,
    sum(date(timestamp) between date('now', '-59 days') and date('now', '-30 days')) as days_before,
    sum(date(timestamp) >= date('now', '-89 days')) as days_90,
    count(*) as days_all
"""
QUERIES = (
    "select project, WINDOWS from downloads group by 1",
    "select project, version, WINDOWS from downloads group by 1, 2 order by 3 desc limit 100",
    "select project, WINDOWS from clones group by 1",
    "select tool, event, WINDOWS from tool_usage group by 1, 2",
    "select detail, WINDOWS from catalog_interactions where event = 'search' group by 1"
    " order by 2 desc limit 100",
    "select count(distinct ip_hash) from downloads"
    " where date(timestamp) >= date('now', '-29 days')",
)


@contextmanager
def datasette(folder: Path, database: Path) -> Iterator[int]:
    """Run Datasette; its port."""
    port = free_port()
    command = [sys.executable, "-m", "datasette", "serve", database, "--port", port]
    command += ["--setting", "sql_time_limit_ms", "600000"]
    with listening("datasette", command, port, folder):
        yield port


def seconds(port: int, database: Path) -> float:
    """The seconds of all queries, one after another. Raises BenchmarkError."""
    began = time.perf_counter()
    for query in QUERIES:
        connection = HTTPConnection(ADDRESS, port, timeout=600)
        connection.request(
            "GET", f"/{database.stem}.json?{urlencode({'sql': query.replace('WINDOWS', _WINDOWS)})}"
        )
        answer = json.loads(connection.getresponse().read())
        connection.close()
        if not answer.get("ok", True) or "rows" not in answer:
            raise BenchmarkError(f"Datasette: {answer.get('error', answer)}")
    return time.perf_counter() - began
