"""The set of tables that the benchmark of the catalog makes: as large and clustered as real."""

import itertools
import json
import re
import statistics
from pathlib import Path

import pytest

from benchmarks.tables import Tables
from benchmarks.versions import Versions

SCALE = 0.04
WEEKS = 15


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small set: the folder, and what each week says that it did."""
    folder = tmp_path_factory.mktemp("set") / "versions"
    versions = Versions(folder, seed=7, scale=SCALE)
    return folder, [versions.write_next() for _ in range(WEEKS)], versions.names


def read(version):
    """Path to the parsed table."""
    files = version.rglob("D_*.json")
    return {str(path.relative_to(version)): json.loads(path.read_bytes()) for path in files}


def rows(tables):
    """(path, name) to the row."""
    return {
        (path, row["Name"]): row for path, table in tables.items() for row in table.get("Rows", ())
    }


def test_real_size():
    tables = Tables(1).tables
    sizes = sorted(len(table.rows) for table in tables)
    assert len(tables) == 281
    assert len({table.category for table in tables}) == 76
    assert sum(sizes) == pytest.approx(33_000, rel=0.01)
    assert sum(len(table.text().encode()) for table in tables) == pytest.approx(26e6, rel=0.05)
    assert sizes[-1] > 2_000
    assert 15 < statistics.median(sizes) < 60
    assert [table.bare for table in tables].count(True) == 1


def test_a_seed_makes_the_same_bytes(made, tmp_path):
    folder, _, names = made
    again, other = (
        Versions(tmp_path / name, seed=seed, scale=SCALE) for name, seed in (("7", 7), ("8", 8))
    )
    for name in names[:3]:
        again.write_next()
        other.write_next()
        for path in (folder / name).rglob("*.json"):
            within = path.relative_to(folder)
            assert (again.folder / within).read_bytes() == path.read_bytes()
        assert read(other.folder / name) != read(folder / name)


def test_a_week_did_what_it_says(made):
    folder, weeks, names = made
    whole = [read(folder / name) for name in names]
    for (before, after), week in zip(itertools.pairwise(whole), weeks[1:], strict=True):
        old, new = rows(before), rows(after)
        assert len(new.keys() - old.keys()) == week.added
        assert len(old.keys() - new.keys()) == week.removed
        assert sum(old[key] != new[key] for key in old.keys() & new.keys()) == week.changed
        assert {path for path in after if before.get(path) != after[path]} == week.touched
        shared = before.keys() & after.keys()
        assert len(after.keys() - before.keys()) == week.new_tables
        defaults = sum(before[path]["Defaults"] != after[path]["Defaults"] for path in shared)
        assert defaults == week.new_defaults
    assert weeks[0].added == len(rows(whole[0]))
    for what in ("added", "removed", "changed", "new_defaults", "new_tables"):
        assert sum(getattr(week, what) for week in weeks[1:]), what


def test_text_is_as_the_game_writes_it(made):
    folder, _, names = made
    texts = [path.read_bytes().decode() for path in (folder / names[0]).rglob("D_*.json")]
    whole = "".join(texts)
    assert "\n" not in whole.replace("\r\n", "")
    assert '\r\n\t\t{\r\n\t\t\t"Name": "' in whole
    for expression in (
        r'"NSLOCTEXT\(\\"D_\w+\\", \\"\w+-DisplayName\\", \\"[^"]+\\"\)"',
        r'\{\r\n\t+"RowName": "\w+",\r\n\t+"DataTableName": "D_\w+"\r\n\t+\}',
        r'"GenerateEnum": true',
        "“sharp”|crème|naïve|🔥|Æ",
    ):
        assert re.search(expression, whole), expression
    assert sum('"Rows"' not in text for text in texts) == 1


def test_references_lead_to_rows(made):
    folder, _, names = made
    tables = read(folder / names[0])
    known = {(Path(path).stem, name) for path, name in rows(tables)}
    pairs = re.findall(r'"RowName": "(\w+)", "DataTableName": "(\w+)"', json.dumps(tables))
    found = [(table, row) in known for row, table in pairs if row != "None"]
    assert len(found) > 200
    assert all(found)


@pytest.mark.parametrize("copies", [False, True])
def test_what_a_week_left_alone_is_the_same_file(tmp_path, copies):
    versions = Versions(tmp_path / "versions", scale=SCALE, copies=copies)
    versions.write_next()
    week = versions.write_next()
    first, second = (versions.folder / name for name in versions.names)
    alone = [path for path in read(second) if path not in week.touched]
    assert alone
    for path in alone:
        assert (first / path).samefile(second / path) != copies
        assert (first / path).read_bytes() == (second / path).read_bytes()
    assert sorted(path.name for path in tmp_path.rglob("*") if path.name.startswith(".")) == []


def test_versions_are_labelled_and_in_order(made):
    folder, _, names = made
    told = [json.loads((folder / name / "version.json").read_text()) for name in names]
    assert names == [str(90 + n) for n in range(WEEKS)]
    assert [each["label"] for each in told] == [f"Week {name}" for name in names]
    dates = [each["date"] for each in told]
    assert dates == sorted(set(dates))
