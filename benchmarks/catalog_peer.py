"""Datasette's search over the rows of one version, with SQLite's own full-text index."""

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.catalog_asking import Query
from benchmarks.children import free_port, listening

_SCHEMA = """
create table rows (id integer primary key, category text, tablename text, name text, body text);
create virtual table rows_fts using fts5 (
    category, tablename, name, body,
    content = 'rows', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2'
);
"""
SHOWN = 50  # rows in an answer


def load(version: Path, database: Path) -> int:
    """Load the rows of a version; their number."""
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(_SCHEMA)
        for path in sorted(version.rglob("D_*.json")):
            table = json.loads(path.read_bytes())
            connection.executemany(
                "insert into rows (category, tablename, name, body) values (?, ?, ?, ?)",
                (
                    (path.parent.name, path.stem, row["Name"], json.dumps(row, ensure_ascii=False))
                    for row in table.get("Rows", ())
                ),
            )
        connection.execute("insert into rows_fts (rows_fts) values ('rebuild')")
        connection.execute("insert into rows_fts (rows_fts) values ('optimize')")
        connection.commit()
        count: int = connection.execute("select count(*) from rows").fetchone()[0]
        return count


@contextmanager
def datasette(folder: Path, database: Path) -> Iterator[int]:
    """Run Datasette; its port."""
    port = free_port()
    command = [sys.executable, "-m", "datasette", "serve", database, "--port", port]
    command += ["--setting", "suggest_facets", "off"]
    with listening("datasette", command, port, folder):
        yield port


def path(database: Path, query: Query) -> str:
    """The path of the JSON answer. A prefix search needs the raw mode, which accepts a star."""
    options = {"_search": query.text, "_size": str(SHOWN), "_shape": "objects"}
    if query.kind == "a prefix":
        options |= {"_search": f"{query.text}*", "_searchmode": "raw"}
    return f"/{database.stem}/rows.json?{urlencode(options)}"
