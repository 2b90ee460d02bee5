"""Sets of data tables, written and indexed for tests."""

import asyncio
import json
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from portal.catalog import indexing
from portal.catalog.library import Library
from sql.catalog import prepare
from tests.support.running import ask


def text(key, shown):
    """A text as tables have it."""
    return f'NSLOCTEXT("T","{key}","{shown}")'


def link(table, row):
    """A reference."""
    return {"RowName": row, "DataTableName": table}


def document(*rows, **head):
    """A table's file; each row is its name and its values."""
    listed = [{"Name": name, **values} for name, values in rows]
    return {"RowStruct": "/Script/T.Row", "Defaults": {}, **head, "Rows": listed}


class TableSet:
    """Versions in a folder, and their index beside it."""

    def __init__(self, directory):
        self.root = Path(directory) / "versions"
        self.root.mkdir(parents=True, exist_ok=True)
        self.index = Path(directory) / "catalog.sqlite3"
        prepare(self.index)

    def put(self, version, **tables):
        """Write tables of a version, each named as Category__Table."""
        for path, content in tables.items():
            category, name = path.split("__")
            file = self.root / version / category / f"{name}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            whole = content if isinstance(content, bytes) else json.dumps(content).encode()
            file.write_bytes(whole)
        return self

    def run(self):
        """Bring the index up to date."""
        indexing.run(self.root, self.index)
        return self

    @contextmanager
    def served(self, start_portal, oldest, **options):
        """A portal with all of them; the oldest version is read last."""
        with start_portal(environ={"CATALOG_DIR": str(self.root)}, **options) as running:
            until = time.monotonic() + 20
            while f">{oldest}<" not in get(running, "/catalog")[1]:
                assert time.monotonic() < until, running.log()
                time.sleep(0.05)
            yield running

    def read(self, work):
        """What `work` makes of the catalog."""
        library = Library(self.index)
        try:
            return asyncio.run(library.read(work))
        finally:
            library.close()

    def run_halfway(self, monkeypatch):
        """Begin to bring it up to date; that is killed when the first file is in the index."""
        real, begun = indexing.add_file, []

        def dies(*arguments):
            begun.append(arguments)
            if len(begun) == 2:
                raise KeyboardInterrupt
            real(*arguments)

        with monkeypatch.context() as changed, pytest.raises(KeyboardInterrupt):
            changed.setattr(indexing, "EVERY", 1)
            changed.setattr(indexing, "add_file", dies)
            self.run()


STRANGE = ("a/b", "..", ".", "50%", "?q=#x", "<i>&\"'", "Größe 44", "=1+1", "東京", " space ")
SMALL = {
    "Items__D_Items": document(
        ("Rope", {"Title": text("r", "Rope"), "Weight": 2}),
        ("Lamp", {"Title": text("l", "Oil lamp"), "Needs": [link("D_Items", "Rope")]}),
        ("Lost", {"Needs": [link("D_Items", "Gone")]}),
        Defaults={"Title": "", "Weight": 1, "Needs": []},
    ),
    "Odd__T_Names": document(*((name, {"v": number}) for number, name in enumerate(STRANGE))),
    "Odd__T_Many": document(*((f"Row_{n}", {"v": n, "w": -n}) for n in range(250))),
    "Odd__T_None": {"RowStruct": "x", "Defaults": {"Moon": "Tolle"}},
    "Odd__100%": document(("x", {})),
}
OLD = document(("x", {"v": 1}))  # a table that only a first version has


@contextmanager
def small_catalog(start_portal, directory, first=SMALL, **options):
    """A portal with two versions of a small set, of which the second has other items."""
    tables = TableSet(directory)
    tables.put("1.9", **first)
    items = document(("Rope", {"Title": text("r", "Rope"), "Weight": 3}), ("Oar", {}))
    tables.put("1.10", **{**SMALL, "Items__D_Items": items})
    with tables.served(start_portal, "1.9", **options) as running:
        yield running


def get(portal, path, client="198.51.100.9", **headers):
    """Status and HTML of a page as a browser asks for it."""
    status, _, body = ask(portal.url + path, client, **{"Accept": "text/html", **headers})
    return status, body.decode()
