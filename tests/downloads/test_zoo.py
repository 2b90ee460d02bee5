"""Real clients, and exactly the rows that they must make: with one process and with three."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.http.client import ip_hash
from tests.conftest import GITLAB_TOKEN
from tests.support.clients.downloads import CLIENTS as DOWNLOADS
from tests.support.clients.git import CLIENTS as GITS
from tests.support.clients.git import add_submodule
from tests.support.clients.visits import Visit
from tests.support.metrics import as_json
from tests.support.running import ask, host, standing_in

ALL = (*DOWNLOADS, *GITS)
AT_ONCE = 4
PROCESSES = (
    pytest.param(1, id="one process"),
    pytest.param(3, id="three processes", marks=pytest.mark.long),
)


@pytest.fixture(scope="module")
def gitlab(content, tmp_path_factory):
    """A stand-in GitLab whose pets has a submodule."""
    copy = tmp_path_factory.mktemp("zoo") / "content"
    shutil.copytree(content, copy)
    add_submodule(copy)
    with standing_in(copy, GITLAB_TOKEN) as addresses:
        yield addresses


@pytest.fixture(scope="module", params=PROCESSES)
def zoo(request, gitlab, start_portal, clients, tmp_path_factory):
    """A portal that all of them have visited, some at a time; by name: the address, or a fault."""
    objects = host(gitlab["objects"])
    with start_portal(
        processes=request.param, gitlab=gitlab["gitlab"], asset_host=objects
    ) as portal:
        url = f"{portal.url}/downloads/pets/v2.1.0/SHA256SUMS"
        sums = ask(url, client=clients.new())[2].decode()
        digest = next(line.split()[0] for line in sums.splitlines() if line.endswith("soak.bin"))

        def visit(client):
            address = clients.new()
            try:
                client.does(Visit(portal, address, tmp_path_factory.mktemp("visit"), digest))
            except Exception as fault:  # the client's own test raises it
                return address, fault
            return address, None

        with ThreadPoolExecutor(AT_ONCE) as threads:
            visited = dict(zip([c.name for c in ALL], threads.map(visit, ALL), strict=True))
        yield portal, visited


@pytest.mark.parametrize("client", ALL, ids=[client.name for client in ALL])
def test_rows(zoo, client):
    portal, visited = zoo
    address, fault = visited[client.name]
    if fault:
        raise fault
    key = ip_hash(address, "")
    clones = "select count(*) from clones where ip_hash = ? and project = ?"
    downloads = "select count(*) from downloads where ip_hash = ? and asset = 'pets-2.1.0-soak.bin'"
    rows = {
        "downloads": portal.rows(downloads, key)[0][0],
        "pets": portal.rows(clones, key, "pets")[0][0],
        "prospects": portal.rows(clones, key, "prospects")[0][0],
    }
    expected = {name: getattr(client, name) for name in rows}
    assert rows == expected, client.why


def test_totals(zoo):
    portal, _ = zoo
    sums = portal.rows(
        "select project, version, asset, sum(count) from download_totals group by 1, 2, 3"
    )
    assert sorted(sums) == [
        ("pets", "v2.1.0", "SHA256SUMS", 1),
        ("pets", "v2.1.0", "pets-2.1.0-soak.bin", sum(client.downloads for client in ALL)),
    ]
    counted = "select sum(count) from request_totals where verdict = 'counted'"
    assert portal.rows(counted) == [(1 + sum(client.downloads for client in ALL),)]
    sums = portal.rows("select project, sum(count) from clone_totals group by 1 order by 1")
    pets, prospects = (sum(getattr(c, name) for c in ALL) for name in ("pets", "prospects"))
    assert sums == [("pets", pets), ("prospects", prospects)]


def test_the_operators_page(zoo):
    """Downloads, clones and who they were of, as /metrics says them."""
    portal, _ = zoo
    until = time.monotonic() + 20
    while (shown := as_json(portal))["house"]["clients_behind_seconds"]:
        assert time.monotonic() < until
        time.sleep(0.1)
    downloads, clones = shown["sections"]["downloads"], shown["sections"]["clones"]
    expected = 1 + sum(client.downloads for client in ALL)
    for window in ("days_30", "days_90", "days_all"):
        assert downloads["total"]["counts"][window] == expected
        assert clones["total"]["counts"][window] == sum(c.pets + c.prospects for c in ALL)
        downloaders = 1 + sum(client.downloads > 0 for client in ALL)
        assert downloads["total"]["clients"][window] == downloaders
        cloners = sum(client.pets + client.prospects > 0 for client in ALL)
        assert clones["total"]["clients"][window] == cloners
    by_asset = downloads["tables"]["downloads-by-asset"]["rows"]
    counts = {row["asset"]: row["counts"]["days_all"] for row in by_asset}
    assert counts == {"SHA256SUMS": 1, "pets-2.1.0-soak.bin": expected - 1}
    by_project = clones["tables"]["clones-by-project"]["rows"]
    assert {row["project"]: row["counts"]["days_all"] for row in by_project} == {
        name: sum(getattr(c, name) for c in ALL) for name in ("pets", "prospects")
    }
