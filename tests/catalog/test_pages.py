"""/catalog over a running portal: pages, files, what is said of mistakes."""

import json
import re
from html import unescape

import pytest
from markupsafe import escape

from tests.support.catalog.tables import STRANGE, get
from tests.support.running import ask


@pytest.fixture
def portal(catalog_portal):
    return catalog_portal


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/catalog", ["1.10", "5 tables", "2 categories", "Items", "Odd"]),
        ("/catalog/1.9", ["Catalog", "1.9"]),
        ("/catalog/1.9/Items", ["D_Items"]),
        ("/catalog/1.9/Items/D_Items", ["Oil lamp", "Rope", 'class="default"']),
        ("/catalog/1.9/Items/D_Items/Lamp", ["Oil lamp", "default", "its own"]),
        ("/catalog/1.9/Items/D_Items/Rope", ["Referred to by", ">Lamp</a>"]),
        ("/catalog/1.9/Odd/T_None", ["Tolle", "no rows"]),
        ("/catalog/search", ["Look something up"]),
        ("/catalog/search?q=lamp&version=1.9", ["1 row</strong> found", "<mark>lamp</mark>"]),
        ("/catalog/search?q=lamp", ["0 rows</strong> found"]),
        ("/catalog/diff", ["From 1.9 to 1.10"]),
        ("/catalog/diff?from=1.9&to=1.10", ["2 tables ", "+1", "−2", "−1", "~1"]),
        ("/catalog/diff/Items/D_Items?from=1.9&to=1.10", ["Weight", "side-old", "Oar"]),
        ("/catalog/diff?from=1.9&to=1.9", ["Choose two different versions"]),
        ("/catalog/history/Items/D_Items/Lamp", ["Removed", "There in the first version"]),
        ("/catalog/history/Old/D_Old/x", ["Removed", 'href="/catalog/1.9/Old/D_Old"']),
        ("/catalog/1.9/Odd/100%25", ["100%"]),
    ],
)
def test_pages(portal, path, shown):
    status, page = get(portal, path)
    assert status == 200
    assert not [each for each in shown if each not in page]


@pytest.mark.parametrize("name", STRANGE)
def test_rows_with_strange_names_have_pages_that_lead_to_one_another(portal, name):
    _, table = get(portal, "/catalog/1.9/Odd/T_Names")
    links = dict(re.findall(r'<th scope="row"><a href="([^"]+)">(.*?)</a>', table))
    (path,) = [href for href, shown in links.items() if unescape(shown) == name]
    status, page = get(portal, unescape(path))
    assert status == 200
    assert re.search(r"<h1>(.*?)</h1>", page)[1] == str(escape(name))
    history = re.search(r'<a href="([^"]+)">Through all versions', page)[1]
    assert get(portal, unescape(history))[0] == 200
    assert get(portal, unescape(path) + ("&" if "?" in path else "?") + "format=json")[0] == 200


@pytest.mark.parametrize(
    ("row", "before", "after"),
    [("Rope", None, "Lamp"), ("Lamp", "Rope", "Lost"), ("Lost", "Lamp", None)],
)
def test_a_row_leads_to_its_neighbours(portal, row, before, after):
    _, page = get(portal, f"/catalog/1.9/Items/D_Items/{row}")
    for way, name in (("prev", before), ("next", after)):
        links = re.findall(rf'<a rel="{way}" href="([^"]+)"', page)
        assert links == [f"/catalog/1.9/Items/D_Items/{name}"] * bool(name)


@pytest.mark.parametrize(("old", "new"), [("1.9", "1.10"), ("1.10", "1.9")])
def test_rows_that_differ_lead_to_where_they_are(portal, old, new):
    _, page = get(portal, f"/catalog/diff/Items/D_Items?from={old}&to={new}")
    links = re.findall(r'</span> <a href="(/catalog/1[^"]+)">', page)
    assert sorted(links) == sorted(
        [f"/catalog/{new}/Items/D_Items/Rope", "/catalog/1.10/Items/D_Items/Oar"]
        + [f"/catalog/1.9/Items/D_Items/{name}" for name in ("Lamp", "Lost")]
    )


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/catalog/1.11", "/catalog/1.10"),
        ("/catalog/1.9/Item", "/catalog/1.9/Items"),
        ("/catalog/1.9/Items/D_Item", "/catalog/1.9/Items/D_Items"),
        ("/catalog/1.9/Items/D_Items/Lump", "/catalog/1.9/Items/D_Items/Lamp"),
        ("/catalog/history/Items/D_Items/Lump", "/catalog/history/Items/D_Items/Lamp"),
        ("/catalog/search?q=x&version=1.8", "/catalog/1.9"),
        ("/catalog/search?q=x&category=Item", "/catalog/1.10/Items"),
        ("/catalog/diff/Items/D_Item?from=1.9&to=1.10", "/catalog/1.10/Items/D_Items"),
        ("/catalog/diff?from=1.8&to=1.10", "/catalog/1.9"),
        ("/catalog/search?q=lamp&page=2", None),
        ("/catalog/diff/Items/D_Items?with=1.8&of=1.10", "/catalog/1.9"),
        ("/catalog/search?q=r&category=Odd&version=1.9&page=7", None),
        ("/catalog/1.10/Items/D_Items?in=1.8", None),
    ],
)
def test_what_is_not_there_leads_to_what_is_near(portal, path, near):
    status, headers, body = ask(portal.url + path, Accept="application/json")
    if status == 302:
        status, headers, body = ask(portal.url + headers["location"], Accept="application/json")
    assert status == 404
    if near:
        assert f"{portal.url}{near}" in json.loads(body)["near"]


@pytest.mark.parametrize(
    "path",
    [
        *("/catalog/1.9/Odd/T_Many?page=0", "/catalog/1.9/Odd/T_Many?page=x"),
        *("/catalog/search?q=a&page=-1", "/catalog/1.9/Odd/T_Many?is=nonsense"),
        *("/catalog/diff?kind=nonsense", "/catalog/1.9/Odd/T_Many?format=xml"),
        *("/catalog/search?q=a&format=csv", "/catalog/diff?format=csv", "/catalog?format=csv"),
        *("/catalog/history/Items/D_Items/Rope?format=csv", "/catalog/1.9/Items?format=xml"),
        "/catalog/1.9/Odd/T_Many?page=99999999999999999999",
    ],
)
def test_what_cannot_be_asked_gets_a_sentence(portal, path):
    status, page = get(portal, path)
    assert status == 400
    assert "<h1>" in page


@pytest.mark.parametrize(
    ("query", "first", "total"),
    [
        ("", "Row_0", 250),
        ("?page=3", "Row_200", 250),
        ("?page=99", "Row_200", 250),
        ("?sort=v&order=down", "Row_249", 250),
        ("?sort=w", "Row_249", 250),
        ("?sort=Name&order=down", "Row_99", 250),
        ("?q=Row_24", "Row_24", 11),
        ("?field=v&is=at+least&value=240&sort=v", "Row_240", 10),
        ("?field=v&is=is&value=7", "Row_7", 1),
        ("?field=v&is=is+not&value=0", "Row_1", 249),
        ("?field=w&is=at+most&value=-249", "Row_249", 1),
        ("?field=v&is=at+most&value=nonsense", None, 0),
        ("?is=is&value=-7", "Row_7", 1),
        ("?is=is+not&value=row_0", "Row_1", 249),
        ("?value=24&q=row_240", "Row_240", 1),
        ("?column=w", "Row_0", 250),
        ("?column=nonsense", "Row_0", 250),
        ("?sort=nonsense", "Row_0", 250),
    ],
)
def test_a_table_is_paged_sorted_and_filtered(portal, query, first, total):
    _, page = get(portal, f"/catalog/1.9/Odd/T_Many{query}")
    names = re.findall(r'<th scope="row"><a [^>]+>(\w+)', page)
    assert (names[0] if names else None) == first
    if total != 250:
        assert f"{total} row" in page


def test_rows_are_found_by_what_they_have_by_default(portal):
    """A page shows it, so it can be looked for there."""
    for query in ("q=1&field=Weight&is=is&value=1", "q=ROPE", "value=oil"):
        _, page = get(portal, f"/catalog/1.9/Items/D_Items?{query}")
        assert re.search(r'<th scope="row"><a [^>]+>Lamp<', page), query


def test_what_a_row_has_by_default_stands_in_its_cell(portal):
    _, page = get(portal, "/catalog/1.9/Items/D_Items")
    (row,) = re.findall(r"<tr><th[^>]*><a [^>]*>Lamp</a></th>(.*?)</tr>", page, re.DOTALL)
    assert '<td class="default" title="default">1</td>' in row
    assert "<td>" in row


def test_what_is_chosen_stays_in_every_address(portal):
    _, page = get(portal, "/catalog/1.9/Odd/T_Many?column=w&q=Row&sort=w&order=down&page=2")
    links = [unescape(href) for href in re.findall(r'href="([^"]*T_Many\?[^"]*)"', page)]
    (after,) = [href for href in links if "page=3" in href]
    assert all(part in after for part in ("column=w", "q=Row", "sort=w", "order=down"))


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("/catalog/1.9/Odd/T_Many?page=2&sort=v", "/catalog/1.9/Odd/T_Many"),
        ("/catalog/1.9/Odd/T_Names?x=y&row=..", "/catalog/1.9/Odd/T_Names?row=.."),
        ("/catalog/history/Odd/T_Names?row=.", "/catalog/history/Odd/T_Names?row=."),
        ("/catalog/diff?kind=added&to=1.10&from=1.9", "/catalog/diff?from=1.9&to=1.10"),
    ],
)
def test_a_page_names_itself(portal, path, canonical):
    _, page = get(portal, path)
    assert unescape(re.search(r'rel="canonical" href="([^"]+)"', page)[1]) == portal.url + canonical


def test_another_version_of_the_same_page_is_a_step_away(portal):
    status, headers, _ = ask(f"{portal.url}/catalog/1.10/Odd/100%25?in=1.9")
    assert (status, headers["location"]) == (302, "/catalog/1.9/Odd/100%25")
    status, headers, _ = ask(f"{portal.url}/catalog/1.10/Odd/T_Names?row=..&in=1.9")
    assert headers["location"] == "/catalog/1.9/Odd/T_Names?row=.."


@pytest.mark.parametrize(
    "query", ["with=1.9&of=1.10", "with=1.10&of=1.9", "with=1.9", "with=1.10&of=1.9&kind=added"]
)
def test_a_table_is_compared_from_the_older_to_the_newer_version(portal, query):
    status, headers, _ = ask(f"{portal.url}/catalog/diff/Items/D_Items?{query}")
    assert status == 302
    assert headers["location"] == "/catalog/diff/Items/D_Items?from=1.9&to=1.10"


def test_references_that_lead_nowhere_are_no_links(portal):
    _, page = get(portal, "/catalog/1.9/Items/D_Items/Lost")
    assert 'Gone <span class="lost">(not in D_Items)</span>' in page
    assert "D_Items/Gone" not in page


def test_no_error_was_logged(portal):
    """The last test here: nothing above has ended in a traceback."""
    assert "Traceback" not in portal.log()
    failed = [line for line in portal.log().splitlines() if re.search(r" 500 \d+ ms", line)]
    assert failed == []  # the status, and how long it took; another test here means its 503
