"""A table of a hundred megabytes: shown, searched and sent while little of it is in memory."""

import json
from pathlib import Path

import pytest

from tests.support.catalog.portals import CatalogPortal, table, write

pytestmark = pytest.mark.long
ROWS = 260_000
MIB = 1 << 20
MOST = 200 * MIB


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    """A portal over it, with a small table beside, and one that is too large."""
    folder = write(tmp_path_factory.mktemp("large"), {"1/Cat/D_Small.json": table("Small")})
    rows = ",\r\n".join(
        f'\t{{"Name": "Row_{n}", "Text": "NSLOCTEXT(\\"D\\", \\"k{n}\\", \\"the {n * 7919 % 99991}'
        f' quick\\")", "Path": "/Game/{"x" * 280}", "More": {{"A": {n}, "B": [{n}, 1, 2]}}}}'
        for n in range(ROWS)
    )
    whole = f'{{"RowStruct": "x", "Defaults": {{}}, "Rows": [\r\n{rows}\r\n]}}'.encode()
    assert len(whole) > 100 * MIB
    write(folder, {"1/Cat/D_Large.json": whole, "1/Cat/D_Huge.json": whole + b" " * (30 * MIB)})
    with CatalogPortal(tmp_path_factory.mktemp("portal"), folder) as running:
        running.until(lambda: running.get("1")[0] == 200, 400)
        yield running


def peak(portal):
    """The most memory that the portal had, in bytes."""
    status = Path(f"/proc/{portal.process.pid}/status").read_text()
    (line,) = (each for each in status.splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) << 10


def test_what_is_shown(portal):
    assert portal.names("1", "Cat", "D_Small") == ["Small"]
    assert portal.get("1", "Cat", "D_Huge")[0] == 404
    assert [path for path, sentence in portal.problems() if "is larger than 128 MiB" in sentence]
    assert "Row_99" in portal.get("1", "Cat", "D_Large")[1]
    assert "Row_259999" in portal.get("1", "Cat", "D_Large", page="2600")[1]
    assert portal.json("1", "Cat", "D_Large", "Row_123456")["More"]["A"] == 123456
    assert portal.json("search", q="Row_123456")["results"][0]["name"] == "Row_123456"
    assert portal.json("search", q="quick")["total"] == ROWS
    assert peak(portal) < MOST


def test_it_is_sent_in_pieces(portal):
    status, text = portal.get("1", "Cat", "D_Large", format="json")
    assert status == 200
    assert len(json.loads(text)["Rows"]) == ROWS
    status, text = portal.get("1", "Cat", "D_Large", format="csv")
    assert text.count("\n") == ROWS + 1
    assert peak(portal) < MOST


@pytest.mark.parametrize(
    "query", [{"sort": "Text"}, {"q": "the 777"}, {"field": "Path", "value": "x"}]
)
def test_it_can_be_sorted_and_filtered(portal, query):
    assert portal.get("1", "Cat", "D_Large", **query)[0] == 200
    assert peak(portal) < 2 * MOST
