"""Every reference of a generated week, held against a count that knows nothing of the portal."""

import json
from collections import defaultdict

import pytest

from benchmarks.versions import Versions
from portal.catalog.links import referrers, resolve
from portal.catalog.merging import merged
from portal.catalog.tables import defaults
from portal.catalog.values import Reference, references
from tests.support.catalog.tables import TableSet

REAL = 35 / 33  # of the generator's size: 35,000 rows


def walk(own, default, found):
    """The (table, row) of every reference of a value, merged with its default on the way."""
    if isinstance(own, dict) or (own is None and isinstance(default, dict)):
        own, default = own or {}, default if isinstance(default, dict) else {}
        whole = {**default, **own}
        row, table = whole.get("RowName", "None"), whole.get("DataTableName", "None")
        if row != "None" and table != "None":
            found.append((table, row, "DataTableName" not in own))
        for key in whole:
            walk(own.get(key), default.get(key), found)
    elif isinstance(own, list):
        for each in own:
            walk(each, None, found)


def counted(folder):
    """What the files say: the rows, and of each row what it refers to."""
    rows, links = set(), defaultdict(list)
    for path in folder.rglob("D_*.json"):
        table = json.loads(path.read_bytes())
        for row in table.get("Rows", ()):
            rows.add((path.stem, row["Name"]))
            walk(row, table["Defaults"], links[path.stem, row["Name"]])
    return rows, links


@pytest.mark.parametrize("scale", [0.05, pytest.param(REAL, marks=pytest.mark.long)])
def test_every_reference_is_linked_both_ways(tmp_path, scale):
    tables = TableSet(tmp_path)
    versions = Versions(tables.root, seed=5, scale=scale)
    versions.write_next()
    tables.run()
    rows, links = counted(tables.root / versions.names[0])
    every = [(source, *link) for source, found in links.items() for link in found]
    by_default = sum(usual for *_, usual in every)
    assert by_default > 1000
    if scale == REAL:
        assert 0.55 < by_default / len(every) < 0.7
        assert len(rows) >= 34_900
        assert len(every) >= 56_000
    wanted = {(table, row) for _, table, row, _ in every}
    expected = defaultdict(set)
    for source, table, row, _ in every:
        expected[table, row].add(source)

    def work(catalog):
        dataset = catalog.dataset(catalog.version(None))
        resolved = resolve(catalog, dataset, [Reference(*each) for each in wanted])
        forward, backward = defaultdict(set), {}
        for entry in dataset.entries:
            usual = defaults(catalog.head(entry))
            for item in catalog.items(catalog.members(entry)):
                for link in references(list(merged(item.body, usual).values())):
                    forward[link.table, link.row].add((entry.name, item.name))
                names = catalog.items(referrers(catalog, dataset, entry, item.name))
                of = [dataset.by_id[catalog.places.tables[each.id]].name for each in names]
                sources = {(table, each.name) for table, each in zip(of, names, strict=True)}
                backward[entry.name, item.name] = sources
        return {(each.table, each.row) for each in resolved}, forward, backward

    resolved, forward, backward = tables.read(work)
    assert resolved == wanted & rows  # what leads to a row is a link, and nothing else is
    assert wanted - rows, "some lead nowhere"
    assert forward == expected
    assert {key: found for key, found in backward.items() if found} == {
        key: found for key, found in expected.items() if key in rows
    }
