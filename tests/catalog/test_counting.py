"""What counts as a use of the catalog (M4), and how it is recorded."""

import json
import re
from html import unescape

import pytest

from tests.support.catalog.tables import get
from tests.support.running import TOKEN, ask


@pytest.fixture
def portal(catalog_portal):
    return catalog_portal


def interactions(portal, since=0):
    return portal.rows(
        "select event, detail, result_count from catalog_interactions where id > ? order by id",
        since,
    )


def last(portal):
    return portal.rows("select coalesce(max(id), 0) from catalog_interactions")[0][0]


COUNTED = [
    ("/catalog/1.9/Items", ("category_view", "Items", None)),
    ("/catalog/1.9/Items/D_Items", ("category_view", "Items", None)),
    ("/catalog/search?q=lamp&version=1.9", ("search", "lamp", 1)),
    ("/catalog/search?q=nothing+at+all", ("search", "nothing at all", 0)),
    (f"/catalog/search?q={'x' * 300}", ("search", "x" * 200, 0)),
    ("/catalog/search?q=%F0%9F%90%8E", ("search", "🐎", 0)),
    ("/catalog/diff?from=1.9&to=1.10", ("diff_view", "1.9..1.10", None)),
    (
        "/catalog/diff/Items/D_Items?from=1.9&to=1.10",
        ("diff_view", "Items/D_Items 1.9..1.10", None),
    ),
    ("/catalog/diff?from=1.10&to=1.9", ("diff_view", "1.10..1.9", None)),
    ("/catalog/diff?from=1.9", ("diff_view", "1.9..1.10", None)),
    ("/catalog/diff/Items/D_Items?to=1.10", ("diff_view", "Items/D_Items 1.9..1.10", None)),
    ("/catalog/diff?from=1.9&to=1.10&format=json", ("diff_view", "1.9..1.10", None)),
    ("/catalog/search?q=+lamp+&version=1.9&format=json", ("search", "lamp", 1)),
]
NOT_COUNTED = [
    *("/catalog", "/catalog/1.9", "/catalog/search", "/catalog/search?q=", "/catalog/search?q=+"),
    *("/catalog/1.9/Items/D_Items/Rope", "/catalog/history/Items/D_Items/Rope", "/catalog/diff"),
    *(
        "/catalog/1.9/Odd/T_Many?page=2",
        "/catalog/1.9/Odd/T_Many?sort=v",
        "/catalog/1.9/Odd/T_Many?q=7",
    ),
    *("/catalog/1.9/Odd/T_Many?column=v", "/catalog/1.9/Odd/T_Many?field=v&is=is&value=1"),
    *("/catalog/search?q=lamp&version=1.9&category=Items", "/catalog/diff?from=1.9&to=1.9"),
    *(
        "/catalog/diff?from=1.9&to=1.10&kind=added",
        "/catalog/diff/Items/D_Items?from=1.9&to=1.10&page=1",
    ),
    *("/catalog/1.9/Items?format=json", "/catalog/1.9/Items/D_Items?format=csv"),
    *("/catalog/1.9/None", "/catalog/1.9/Items/None", "/catalog/search?q=x&version=none"),
    *("/catalog/search?q=lamp&category=", "/catalog/search?q=lamp&page=2"),
    *("/catalog/diff?from=1.9&to=1.10&kind=", "/catalog/diff?from=1.9&to=none"),
    *("/catalog/1.9/Items?format=xml", "/catalog/search?q=x&format=csv"),
    *("/catalog/diff?from=1.9&to=1.10&format=csv", "/catalog/diff?from=1.9&to=1.10&format=xml"),
]
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"


@pytest.mark.parametrize(("path", "row"), COUNTED)
@pytest.mark.parametrize("agent", [CHROME, "curl/7.88.1", "python-requests/2.31.0", ""])
def test_what_counts(portal, path, row, agent):
    before = last(portal)
    assert get(portal, path, User_Agent=agent)[0] == 200
    assert interactions(portal, before) == [row]


@pytest.mark.parametrize("path", NOT_COUNTED)
def test_what_does_not_count(portal, path):
    before = last(portal)
    get(portal, path)
    assert interactions(portal, before) == []


ONE_OF_EACH = [
    "/catalog/1.9/Items",
    "/catalog/1.9/Items/D_Items",
    *(COUNTED[n][0] for n in (2, 6, 7)),
]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
    ],
)
@pytest.mark.parametrize("path", ONE_OF_EACH)
def test_a_page_that_is_fetched_ahead_of_time_counts_when_it_is_shown(portal, path, headers):
    """The browser asks again then, since it was refused."""
    before = last(portal)
    status, said, _ = ask(portal.url + path, **headers)
    assert (status, said["cache-control"], interactions(portal, before)) == (503, "no-store", [])
    assert ask(portal.url + path)[0] == 200
    assert len(interactions(portal, before)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        {"User-Agent": "Mozilla/5.0 (compatible; bingbot/2.0)"},
        {"User-Agent": "Bytespider"},
        {"User-Agent": "facebookexternalhit/1.1"},
    ],
)
@pytest.mark.parametrize("path", ONE_OF_EACH)
def test_crawlers_do_not_count(portal, path, headers):
    before = last(portal)
    assert ask(portal.url + path, **headers)[0] == 200
    assert interactions(portal, before) == []


@pytest.mark.parametrize("path", ONE_OF_EACH)
def test_a_head_is_no_look_and_has_the_headers_of_one(portal, path):
    before = last(portal)
    _, head, _ = ask(portal.url + path, method="HEAD", Accept="text/html")
    assert interactions(portal, before) == []
    _, looked, _ = ask(portal.url + path, Accept="text/html")
    assert len(interactions(portal, before)) == 1
    same = ("etag", "content-length", "vary", "cache-control")
    assert [head[name] for name in same] == [looked[name] for name in same]


@pytest.mark.parametrize(("path", "row"), COUNTED[:8])
def test_who_comes_back_is_counted_also_where_nothing_has_changed(portal, path, row):
    tag = ask(portal.url + path, Accept="text/html")[1]["etag"]
    before = last(portal)
    status, _, body = ask(portal.url + path, Accept="text/html", If_None_Match=tag)
    assert (status, body) == (304, b"")
    assert interactions(portal, before) == [row]


LINKS = [  # a page, and those of its links that show another part of what has been counted
    ("/catalog/search?q=r&version=1.9", r'<a href="(/catalog/search[^"]*)"', 4),
    ("/catalog/diff?from=1.9&to=1.10", r'<a href="(/catalog/diff[?][^"]*kind[^"]*)"', 5),
    ("/catalog/diff/Items/D_Items?from=1.9&to=1.10", r'<a href="([^"]*kind[^"]*)"', 5),
    ("/catalog/1.9/Odd/T_Many?q=7", r'<a href="([^"]*T_Many[?][^"]*)"', 4),
]


@pytest.mark.parametrize(("path", "pattern", "count"), LINKS)
def test_no_link_of_a_page_counts_it_again(portal, path, pattern, count):
    _, page = get(portal, path)
    links = [unescape(link) for link in re.findall(pattern, page) if "format" not in link]
    assert len(links) == count, links
    before = last(portal)
    for link in links:
        assert get(portal, link)[0] == 200
    assert interactions(portal, before) == []


def test_a_table_that_is_opened_from_a_filtered_comparison_is_counted(portal):
    _, page = get(portal, "/catalog/diff?from=1.9&to=1.10&kind=added")
    (link,) = re.findall(r'<th scope="row"><a href="([^"]+)"', page)
    before = last(portal)
    get(portal, unescape(link))
    assert interactions(portal, before) == [("diff_view", "Items/D_Items 1.9..1.10", None)]


def test_the_row_is_there_before_the_answer(portal):
    """In ten tries of ten: nothing is waited for between the answer and the look."""
    for number in range(10):
        before = last(portal)
        get(portal, f"/catalog/search?q=try{number}")
        assert interactions(portal, before) == [("search", f"try{number}", 0)]


def test_the_operator_sees_it(portal):
    get(portal, "/catalog/search?q=seen+by+the+operator")
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
    seen = json.loads(ask(f"{portal.url}/metrics", **headers)[2])
    assert seen["house"]["catalog"]["versions"] == ["1.9", "1.10"]
    tables = seen["sections"]["catalog"]["tables"]
    assert "seen by the operator" in [row["search"] for row in tables["searches"]["rows"]]
    assert "Items" in [row["category"] for row in tables["categories"]["rows"]]
    assert "1.9..1.10" in [row["diff"] for row in tables["diffs"]["rows"]]
