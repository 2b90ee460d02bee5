"""Generator of two years of events, for the benchmark of /metrics.

    python -m benchmarks.history FILE [SCALE]

The rows are made in SQL, ordered by time: downloads of 20 projects with 10 versions of 6 assets
each, mostly of the newest version; searches with the frequencies of Zipf's law among 20,000 words,
and one in twenty that was never made before. SCALE is a fraction of the full numbers (default: 1).
"""

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sql.database import connect, migrate
from sql.sections import SECTIONS

DAYS = 730
CLIENTS = 2_000_000
FULL = {
    "downloads": 10_000_000,
    "clones": 2_000_000,
    "tool_usage": 500_000,
    "catalog_interactions": 1_000_000,
}
STEP = 250_000  # rows in one transaction

# 64 hexadecimal digits that look like a hash and are the same for the same client. The factors are
# odd and below 2^32, so that no product overflows.
_FACTORS = (2654435761, 2246822519, 3266489917, 668265263, 374761393, 4282663147, 1640531527)
_DIGITS = ", ".join(f"client * {factor} % 4294967296" for factor in _FACTORS)
# `n` runs from :first to :last; two rows are :seconds apart.
_NUMBERS = """
with recursive numbers (n) as (
    select :first
    union all
    select n + 1 from numbers where n < :last
),
draws as materialized (
    select
        n,
        abs(random()) as r1,
        abs(random()) as r2,
        abs(random()) % :clients as client,
        :began + cast(n * :seconds as integer) as time
    from numbers
),
events as (
    select
        n,
        r1,
        r2,
        -- Four in five stay with the project that they came for.
        'project-' || case r2 / 16 % 5 when 0 then r1 % 20 else client % 20 end as project,
        datetime(time, 'unixepoch') as timestamp,
        printf('FORMAT', client, DIGITS) as ip_hash,
        case r2 % 4
            when 0 then 'curl/8.5.0'
            when 1 then 'Wget/1.21.3'
            else 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126'
        end as user_agent
    from draws
)
""".replace("FORMAT", "%08x" * 8).replace("DIGITS", _DIGITS)

_ROWS = {
    "downloads": """
        insert into downloads (project, version, asset, timestamp, ip_hash, user_agent)
        select
            project,
            'v' || max(0, n * 10 / :rows - (r1 / 32 % 8 = 0) * (r1 / 256 % 5)) || '.0',
            'asset-' || (r1 / 2048 % 6) || '.zip',
            timestamp,
            ip_hash,
            user_agent
        from events
    """,
    "clones": """
        insert into clones (project, timestamp, ip_hash, user_agent)
        select
            project,
            timestamp,
            ip_hash,
            'git/2.' || (30 + r2 % 20)
        from events
    """,
    "tool_usage": """
        insert into tool_usage (tool, event, timestamp, ip_hash, user_agent)
        select
            case r1 % 2 when 0 then 'pets' else 'prospects' end,
            case r2 % 5 when 0 then 'download' else 'upload' end,
            timestamp,
            ip_hash,
            user_agent
        from events
    """,
    "catalog_interactions": """
        insert into catalog_interactions (event, detail, result_count, timestamp, ip_hash)
        select
            case when r1 % 10 < 4 then 'category_view' when r1 % 10 < 9 then 'search'
                else 'diff_view' end,
            case
                when r1 % 10 < 4 then 'Category ' || (r2 % 60)
                when r1 % 10 = 4 and r2 % 10 < 5 then 'never asked before ' || n
                when r1 % 10 < 9
                    then 'word ' || cast(exp((r2 % 1000000) / 1000000.0 * ln(20000)) as integer)
                else 'v' || (r2 % 50) || '..v' || (r2 / 64 % 50)
            end,
            case when r1 % 10 between 4 and 8 then max(0, r2 / 4096 % 40 - 3) end,
            timestamp,
            ip_hash
        from events
    """,
}


def fill(path: Path, scale: float = 1, told: Callable[[int], object] = int) -> int:
    """Create the database and its rows; their number. `rebuild` then makes totals and clients.

    The last rows have the date of today. `told` is called with the number of rows of each step.
    """
    migrate(path)
    with closing(connect(path)) as connection:
        connection.execute("pragma synchronous = off")
        triggers = connection.execute(
            "select name, sql from sqlite_schema where type = 'trigger' and tbl_name in "
            "('downloads', 'clones', 'tool_usage', 'catalog_interactions')"
        ).fetchall()
        for name, _ in triggers:
            connection.execute(f"drop trigger {name}")
        for table, full in FULL.items():
            _fill_table(connection, table, int(full * scale), scale, told)
        for _, text in triggers:
            connection.execute(text)
        # Pretend that the background pass has counted the clients; `rebuild` then finds none.
        for section, table in zip(SECTIONS, FULL, strict=True):
            connection.execute(
                f"update client_progress set counted = (select max(id) from {table})"  # noqa: S608
                " where section = ?",
                [section.id],
            )
        connection.execute("update client_day set day = date('now')")
    return sum(int(full * scale) for full in FULL.values())


def _fill_table(
    connection: sqlite3.Connection,
    table: str,
    rows: int,
    scale: float,
    told: Callable[[int], object],
) -> None:
    now = datetime.now(UTC)
    began = now.replace(hour=0, minute=0, second=0) - timedelta(days=DAYS - 1)
    for first in range(0, rows, STEP):
        last = min(first + STEP, rows) - 1
        parameters = {
            "first": first,
            "last": last,
            "rows": rows,
            "clients": max(1, int(CLIENTS * scale)),
            "began": int(began.timestamp()),
            "seconds": (now - began).total_seconds() / rows,
        }
        connection.execute(_NUMBERS + _ROWS[table], parameters)
        told(last - first + 1)


if __name__ == "__main__":
    file, *scales = sys.argv[1:]
    print(f"{fill(Path(file), float(scales[0]) if scales else 1):,} rows")
