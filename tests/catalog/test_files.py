"""What programs get of /catalog: tables as files, pages as JSON."""

import csv
import io
import json

import pytest

from tests.support.catalog.tables import SMALL
from tests.support.running import ask
from tests.support.wire import exchange


@pytest.fixture
def portal(catalog_portal):
    return catalog_portal


def test_files_of_a_table(portal):
    status, headers, body = ask(f"{portal.url}/catalog/1.9/Items/D_Items?format=json")
    assert (status, headers["content-type"]) == (200, "application/json; charset=UTF-8")
    assert 'filename="D_Items-1.9.json"' in headers["content-disposition"]
    assert json.loads(body) == SMALL["Items__D_Items"]
    _, _, body = ask(f"{portal.url}/catalog/1.9/Items/D_Items?format=csv")
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    assert rows[0] == ["Name", "Title", "Weight", "Needs"]
    assert rows[2] == ["Lamp", "Oil lamp", "1", "Rope"]  # a default is a value


@pytest.mark.parametrize(
    "path", ["/catalog/1.9/Items/D_Items?format=csv", "/catalog/1.9/Odd?format=json"]
)
def test_the_head_of_a_file_does_not_call_it_empty(portal, path):
    status, head, body = ask(portal.url + path, method="HEAD")
    assert (status, body) == (200, b"")
    assert not {"content-length", "etag"} & set(head)
    looked = ask(portal.url + path)[1]
    assert head["content-disposition"] == looked["content-disposition"]


def test_files_of_a_category_and_a_row(portal):
    _, _, body = ask(f"{portal.url}/catalog/1.9/Odd?format=json")
    assert json.loads(body) == {
        path.partition("__")[2]: {**content, "Rows": content.get("Rows", [])}
        for path, content in SMALL.items()
        if path.startswith("Odd__")
    }
    _, _, body = ask(f"{portal.url}/catalog/1.9/Odd?format=csv")
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    assert ["T_Many", "Row_7", "w", "'-7"] in rows
    assert ["T_Names", "'=1+1", "v", "7"] in rows  # no spreadsheet takes it for a formula
    _, _, body = ask(f"{portal.url}/catalog/1.9/Items/D_Items/Rope?format=csv")
    assert list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))[2:] == [
        ["Weight", "2", "own"],
        ["Needs", "", "default"],
    ]


def test_programs_get_json(portal):
    def told(path):
        return json.loads(ask(portal.url + path, Accept="application/json")[2])

    assert told("/catalog")["version"] == "1.10"
    found = told("/catalog/search?q=lamp&version=1.9")
    assert (found["total"], found["results"][0]["name"]) == (1, "Lamp")
    table, _ = told("/catalog/diff?from=1.9&to=1.10")["tables"]
    assert (table["added"], table["removed"], table["changed"]) == (1, 2, 1)
    rows = told("/catalog/diff/Items/D_Items?from=1.9&to=1.10")["rows"]
    assert {"path": "Weight", "old": 2, "new": 3} in rows[0]["fields"]


def test_programs_get_the_past_of_a_row(portal):
    past = json.loads(ask(f"{portal.url}/catalog/history/Items/D_Items/Lamp?format=json")[2])
    new, old = past["steps"]
    assert (old["version"], old["there"]) == ("1.9", True)
    assert (new["version"], new["kind"], new["there"]) == ("1.10", "removed", False)
    assert {"path": "Title", "old": SMALL["Items__D_Items"]["Rows"][1]["Title"]} in new["fields"]


@pytest.mark.parametrize(
    "path",
    ["/catalog", "/catalog/1.9/Items", "/catalog/search?q=a", "/catalog/diff?from=1.9&to=1.10"],
)
def test_no_cache_takes_one_form_for_the_other(portal, path):
    for accept in ("text/html", "application/json"):
        headers = ask(portal.url + path, Accept=accept)[1]
        assert "Accept" in headers["vary"].split(", ")
        assert headers["cache-control"] == "no-cache"


def test_a_file_over_http_1_0_ends_with_its_connection(portal):
    """Nothing else says where it ends; a program that would keep the connection would wait."""
    lines = ("GET /catalog/1.9/Odd/T_Many?format=csv HTTP/1.0", f"Host: {portal.url[7:]}")
    answer = exchange(portal, "\r\n".join([*lines, "Connection: keep-alive", "", ""]))
    assert answer.endswith(b"Row_249,249,'-249\r\n")
