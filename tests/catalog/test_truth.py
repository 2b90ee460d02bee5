"""Comparisons over weeks of which every change is known, and rows that come back whole."""

import itertools
import json

import pytest

from benchmarks.versions import Versions
from portal.catalog.diffs import changed_tables
from portal.catalog.history import row_history
from tests.support.catalog.tables import TableSet

WEEKS = 12


@pytest.fixture(scope="module")
def weeks(tmp_path_factory):
    """The index, the names of the versions, and what each week did."""
    tables = TableSet(tmp_path_factory.mktemp("weeks"))
    versions = Versions(tables.root, seed=3, scale=0.04)
    did = []
    for _ in range(WEEKS):
        did.append(versions.write_next())
        tables.run()  # one by one, as they come
    return tables, versions.names, did


def changes(tables, old, new):
    """Path to the counts of what changed, and whether the head did."""

    def work(catalog):
        datasets = (catalog.dataset(catalog.version(name)) for name in (old, new))
        return {
            f"{change.entry.path}.json": (change.counts, change.head)
            for change in changed_tables(catalog, *datasets)
        }

    return tables.read(work)


def document(tables, version):
    """Path to the table, from the files themselves."""
    files = (tables.root / version).rglob("D_*.json")
    return {
        str(path.relative_to(tables.root / version)): json.loads(path.read_bytes())
        for path in files
    }


def named(table):
    """Rows by their names; a table that is not there has none."""
    return {row["Name"]: row for row in (table or {}).get("Rows", ())}


def merge(own, default):
    """A value over its default, at every depth; without the portal's code."""
    if not (isinstance(own, dict) and isinstance(default, dict)):
        return own
    keys = {*own, *default}
    return {key: merge(own.get(key, default.get(key)), default.get(key)) for key in keys}


def means(table, name):
    """A row merged with its table's defaults."""
    return merge(named(table)[name], table.get("Defaults", {}))


def test_each_week_is_what_it_did(weeks):
    tables, names, did = weeks
    for (old, new), week in zip(itertools.pairwise(names), did[1:], strict=True):
        found = changes(tables, old, new)
        assert found.keys() <= week.touched  # some are written otherwise and mean the same
        for kind in ("added", "removed"):
            total = sum(counts[kind] for counts, _ in found.values())
            assert total == getattr(week, kind), (new, kind)
        assert sum(head for _, head in found.values()) == week.new_defaults


@pytest.mark.parametrize(
    ("first", "last"), [(0, WEEKS - 1), (WEEKS - 1, 0), (2, 7), *itertools.pairwise(range(WEEKS))]
)
def test_versions_far_apart(weeks, first, last):
    tables, names, _ = weeks
    before, after = document(tables, names[first]), document(tables, names[last])
    found = changes(tables, names[first], names[last])
    for path in before.keys() | after.keys():
        old, new = named(before.get(path)), named(after.get(path))
        both = [
            (old[name] == new[name], means(before[path], name) == means(after[path], name))
            for name in old.keys() & new.keys()
        ]
        expected = {
            "added": len(new.keys() - old.keys()),
            "removed": len(old.keys() - new.keys()),
            "changed": both.count((False, False)),
            "default": both.count((True, False)),
        }
        heads = [{**each, "Rows": None} for each in (before.get(path), after.get(path)) if each]
        differs = len(heads) == 2 and heads[0] != heads[1]
        counts, head = found.get(path, (dict.fromkeys(expected, 0), False))
        assert (counts, head) == (expected, differs), path


def test_every_row_of_every_version_comes_back_whole(weeks):
    tables, names, _ = weeks
    for name in names[:: WEEKS // 3]:
        files = document(tables, name)

        def work(catalog, name=name):
            dataset = catalog.dataset(catalog.version(name))
            return {
                f"{entry.path}.json": [item.body for item in catalog.items(catalog.members(entry))]
                for entry in dataset.entries
            }

        assert tables.read(work) == {path: files[path].get("Rows", []) for path in files}


def test_the_past_of_rows_is_what_the_files_say(weeks):
    tables, names, _ = weeks
    every = [document(tables, name) for name in names]
    largest = max(every[-1], key=lambda path: len(every[-1][path].get("Rows", ())))
    category, table = largest.removesuffix(".json").rsplit("/", 1)
    rows = [named(each[largest]) for each in every]
    heads = [each[largest]["Defaults"] for each in every]
    changed = [name for name in rows[-1] if len({json.dumps(each.get(name)) for each in rows}) > 1]
    for name in changed[:40]:
        states = [
            each.get(name) and merge(each[name], head)
            for each, head in zip(rows, heads, strict=True)
        ]
        begins = [n for n in range(WEEKS) if n == 0 or states[n] != states[n - 1]]
        expected = [names[n] for n in begins if states[n] or any(states[:n])]
        steps = tables.read(lambda catalog, name=name: row_history(catalog, category, table, name))
        shown = [step.version.name for step in reversed(steps)]
        assert set(expected) <= set(shown)
        for step in steps:
            assert step.there == (states[names.index(step.version.name)] is not None)
