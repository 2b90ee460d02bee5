"""Content negotiation: the same rule for every kind of address, its errors included."""

import http.client
import json

import pytest

from portal.http.accept import MEDIA, choose, release_forms, takes_gzip
from tests.support.catalog.tables import small_catalog
from tests.support.running import TOKEN, ask
from tests.support.saves import mounts_json
from tests.support.tools import opened, post

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
)
RFC_9110 = (  # the example of section 12.5.1
    "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, "
    "text/plain;format=fixed;q=0.4, */*;q=0.5"
)
FORMS = {
    "h": ("html", "text/html; charset=UTF-8"),
    "j": ("json", "application/json; charset=UTF-8"),
    "t": ("text", "text/plain; charset=UTF-8"),
    "c": ("csv", "text/csv; charset=UTF-8"),
    "p": ("prometheus", "text/plain; version=0.0.4; charset=utf-8"),
    "o": (
        "openmetrics",
        "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
    ),
}
# What curl gets of: releases, a catalog page, a catalog file, metrics, readiness, an error.
TABLE = {
    "": "hhhhtt",
    "*/*": "thhhtt",
    "*": "thhhtt",
    "text/html": "hhhhth",
    "TEXT/HTML": "hhhhth",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": "hhhhth",
    "application/xhtml+xml": "hhhhth",
    "application/json": "jjjjjj",
    "Application/JSON": "jjjjjj",
    "application/json;charset=utf-8": "jjjjjj",
    "application/json;odata=verbose": "jjjjjj",
    "application/json, text/html;q=0.1": "jjjjjj",
    "text/html;q=0.1, application/json": "jjjjjj",
    "text/html, application/json": "hhhhjh",
    "application/json, text/html": "jjjjjj",
    "application/json, text/plain, */*": "jjjjjj",
    "application/*": "jjjjjj",
    "application/*;q=0.5, text/html;q=0.4": "jjjjjj",
    "text/*": "thhhtt",
    "text/*, text/html;q=0": "thcctt",
    RFC_9110: "tjjptt",
    "text/plain": "thhptt",
    "text/plain;q=0.9, text/html;q=0.9": "thhptt",
    "text/html;q=0, */*": "tjjjtt",
    "*/*, application/json;q=0.2": "thhhtt",
    "*/*;q=0": "hhhhtt",
    "text/html;q=0.001, application/json;q=0": "hhhhth",
    "image/png": "hhhhtt",
    "image/*, */*;q=0.1": "thhhtt",
    "text/csv": "hhcctt",
    "text/csv;header=present, text/html;q=0.9": "hhccth",
    "text/csv, application/json": "jjccjj",
    "text/plain;version=0.0.4": "thhptt",
    "text/plain; version=0.0.4;q=0.5,*/*;q=0.1": "thhptt",
    "application/openmetrics-text": "hhhott",
    PROMETHEUS_3: "thhott",
    "text/html;q=1.5, application/json": "hhhhjh",
    "application/json;q=high, text/html;q=0.9": "jjjjjj",
    ";;,,q=1": "hhhhtt",
    "/, text, */html, application/json/x": "hhhhtt",
    'application/json;a="x,text/html", text/html;q=0.5': "hhhhjh",
    'text/html;q=0.4, application/json;a="unclosed, text/html': "hhhhjh",
    "text/html ; Q=0.2 , application/json ; q=0.3": "jjjjjj",
    "text/html;q=, application/json;q=.5": "hhhhjh",
}
COLUMNS = {  # the column of the table, the status, and addresses of that kind
    "releases": (0, 200, ("/", "/downloads", "/downloads/pets")),
    "release": (0, None, ("/downloads/pets/v2.1.0", "/downloads/pets/latest")),
    "catalog": (1, 200, ("/catalog/1.9", "/catalog/search?q=rope", "/catalog/diff")),
    "files": (2, 200, ("/catalog/1.9/Items/D_Items", "/catalog/1.9/Items/D_Items/Rope")),
    "tool": (1, 200, ("{upload}",)),
    "metrics": (
        3,
        200,
        ("/metrics?token=" + TOKEN, "/metrics?table=clones-by-project&token=" + TOKEN),
    ),
    "readyz": (4, 200, ("/readyz",)),
    "errors": (
        5,
        None,
        (
            "/nowhere",
            "/downloads/nowhere",
            "/downloads/pets/v0",
            "/downloads/pets/v2.1.0/nothing.zip",
            "/catalog/0.0",
            "/catalog/1.9/Items/D_Items/Nothing",
            "/catalog/search?q=rope&page=none",
            "/catalog/diff/1.9/0.0?kind=none",
            "/pets/0123456789abcdef",
            "/pets/0123456789abcdef/nothing",
            "/metrics?token=wrong",
            "/feeds/nowhere.atom",
            "/static/nothing",
            "/badges/pets.svg",
        ),
    ),
}


@pytest.fixture(scope="module")
def portal(start_portal, tmp_path_factory):
    """One process, so that one connection asks it everything."""
    with small_catalog(start_portal, tmp_path_factory.mktemp("tables")) as running:
        yield running


@pytest.fixture(scope="module")
def uploaded(portal):
    """The address of a save file."""
    said = opened(portal, "pets", mounts_json({"name": "A"}), "198.51.100.77")
    return f"/pets/{said['id']}"


def asked(connection, path, accept, client="198.51.100.78"):
    fields = {"X-Forwarded-For": client, "User-Agent": "curl/8.14.1"}
    if accept is not None:
        fields["Accept"] = accept
    connection.request("GET", path, headers=fields)
    answer = connection.getresponse()
    answer.read()
    return answer


@pytest.mark.long
@pytest.mark.parametrize("kind", COLUMNS)
def test_every_kind_of_address_answers_by_one_table(portal, uploaded, clients, kind):
    column, status, paths = COLUMNS[kind]
    connection = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=30)
    for path in (path.format(upload=uploaded) for path in paths):
        for accept, expected in TABLE.items():
            answer = asked(connection, path, accept, clients.new())
            what = (path, accept, answer.status)
            if kind == "release" and answer.status == 302:
                assert expected[column] == "h", what
            else:
                assert answer.headers["Content-Type"] == FORMS[expected[column]][1], what
            assert status in (None, answer.status), what
            if kind == "errors":
                assert answer.status >= 400, what
            assert "Accept" in answer.headers["Vary"].split(", "), what
    connection.close()


def test_the_table_holds_for_the_function_itself():
    offered = (
        None,
        ("html", "json"),
        ("html", "json", "csv"),
        ("html", "json", "csv", "prometheus", "openmetrics"),
        ("text", "json"),
        ("text", "html", "json"),
    )
    assert len(TABLE) >= 40
    for accept, row in TABLE.items():
        for forms, expected in zip(offered, row, strict=True):
            chosen = choose(accept, forms or release_forms(accept, "curl/8.14.1"))
            assert chosen == FORMS[expected][0], (accept, forms)


@pytest.mark.parametrize(
    ("path", "forms"),
    [
        ("/", "hjt"),
        ("/downloads", "hjt"),
        ("/downloads/pets", "hjt"),
        ("/downloads/pets/v2.1.0", "jt"),
        ("/catalog/1.9", "hj"),
        ("/catalog/1.9/Items/D_Items", "hjc"),
        ("/catalog/search?q=rope", "hj"),
        ("/readyz", "jt"),
        ("/metrics?table=days&token=" + TOKEN, "hjcpo"),
        ("/nowhere", "hjt"),
        ("/downloads/pets/v0", "hjt"),
        ("/catalog/0.0", "hj"),
        ("/pets/0123456789abcdef", "hj"),
        ("/metrics?token=wrong", "hj"),
    ],
)
def test_a_format_in_the_address_decides_whatever_accept_says(portal, clients, path, forms):
    mark = "&" if "?" in path else "?"
    for letter in forms:
        name, media = FORMS[letter]
        for accept in ("text/html", "application/json", "text/csv;q=0.5"):
            address = f"{portal.url}{path}{mark}format={name}"
            headers = ask(address, clients.new(), Accept=accept)[1]
            assert headers["content-type"] == media, (path, name, accept)


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/", "html, text, json"),
        ("/downloads", "html, text, json"),
        ("/downloads/pets", "html, text, json"),
        ("/downloads/pets/v2.1.0", "html, text, json"),
        ("/catalog", "html, json"),
        ("/catalog/1.9/Items/D_Items", "html, json, csv"),
        ("/readyz", "text, json"),
        ("/metrics?token=" + TOKEN, "html, json, csv, prometheus, openmetrics"),
        ("{upload}", "html, json"),
    ],
)
def test_an_unknown_format_is_refused_with_those_that_exist(portal, uploaded, path, known):
    path = path.format(upload=uploaded)
    mark = "&" if "?" in path else "?"
    for name in ("xml", "HTML", "html,json", "%3Cscript%3E"):
        status, _, body = ask(f"{portal.url}{path}{mark}format={name}", Accept="application/json")
        said = json.loads(body)
        assert (status, said["advice"]) == (400, f"There is: {known}."), (path, name)
        assert said["error"].startswith('There is no format "')


def test_an_unknown_format_of_an_upload_is_refused_before_anything_is_counted(portal, clients):
    client = clients.new()
    before = portal.rows("select count(*) from tool_usage")
    status, _, body = post(portal, "/pets?format=xml", "-F", "file=@/dev/null", client=client)
    assert (status, b"html, json" in body) == (400, True)
    assert portal.rows("select count(*) from tool_usage") == before


def test_a_program_that_posts_json_is_answered_in_json_unless_it_asks_for_a_page(portal, uploaded):
    for accept, media in (("*/*", "j"), ("", "j"), ("text/html", "h"), ("image/png", "j")):
        answer = post(
            portal,
            f"{uploaded}/preview",
            "--data-binary",
            json.dumps({"edits": []}),
            client="198.51.100.77",
            Content_Type="application/json",
            Accept=accept,
        )
        assert answer[1]["content-type"] in (FORMS[media][1], FORMS["t"][1]), (accept, answer)


def test_a_browser_gets_pages_where_it_accepts_anything():
    assert choose("*/*", release_forms("*/*", FIREFOX)) == "html"
    assert choose("text/html;q=0, */*", release_forms("text/html;q=0, */*", FIREFOX)) == "text"


def test_no_header_is_too_much_for_it():
    for accept in ('"' * 60_000, "\\" * 60_000, '"\\' * 30_000, "a/b;" * 15_000, "*/*," * 15_000):
        assert choose(accept, tuple(MEDIA)) in MEDIA


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("gzip", True),
        ("GZIP;q=0.1", True),
        ("x-gzip", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip;q=0, *", False),
        ("identity", False),
        ("br", False),
        ("", False),
    ],
)
def test_whether_gzip_is_accepted(header, taken):
    assert takes_gzip(header) == taken
