"""What pages of the catalog report of themselves, from the template by a browser to Umami."""

import asyncio
import json
from urllib.parse import quote

import pytest

from tests.support.browser.chromium import chromium
from tests.support.catalog.tables import small_catalog
from tests.support.umami.standin import Umami, walk

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not chromium(), reason="Chromium is not installed"),
]

HOSTILE = "</template><script>alert(1)</script>\"'&amp; {{ 7*7 }} 🐎"


@pytest.fixture(scope="module")
def umami(tmp_path_factory):
    with Umami(tmp_path_factory.mktemp("umami")) as running:
        running.behave(**{"script.js": "fails"})
        yield running


@pytest.fixture(scope="module")
def portal(umami, start_portal, tmp_path_factory):
    directory = tmp_path_factory.mktemp("tables")
    with small_catalog(start_portal, directory, umami=umami.settings) as running:
        yield running


def search(query, count):
    return "catalog_search", {"query": query, "result_count": count}


ITEMS = ("catalog_category", {"category": "Items"})
CASES = [
    ("/catalog/search?q=lamp&version=1.9", search("lamp", 1)),
    ("/catalog/search?q=nothing+at+all", search("nothing at all", 0)),
    (f"/catalog/search?q={quote(HOSTILE)}", search(HOSTILE, 0)),
    ("/catalog/1.9/Items", ITEMS),
    ("/catalog/1.9/Items/D_Items", ITEMS),
    ("/catalog", None),
    ("/catalog/search", None),
    ("/catalog/search?q=lamp&version=1.9&category=Items", None),
    ("/catalog/1.9/Items/D_Items/Rope", None),
]


def test_each_page_reports_what_is_counted(portal, umami, tmp_path):
    """Umami has what the portal's own table has, no more and no less."""

    async def look(page, path, event):
        before, recorded = len(umami.stored()), interactions()
        await page.call("Page.navigate", url=portal.url + path)
        there = f"location.href.startsWith({json.dumps(portal.url + path.partition('?')[0])})"
        await page.until(f"{there} && document.readyState == 'complete' && 'umami' in window")
        await page.evaluate("umami.track('end')")
        await asyncio.to_thread(umami.until, before + 2 + bool(event))
        named = [e for e in umami.stored()[before:] if e.get("name") not in (None, "end")]
        assert [(e["name"], e["data"]) for e in named] == ([event] if event else [])
        assert interactions() - recorded == bool(event)

    def interactions():
        return len(portal.rows("select id from catalog_interactions"))

    async def steps(page):
        for path, event in CASES:
            await page.go("about:blank")
            await look(page, path, event)

    walk(tmp_path, steps)


def test_a_search_as_it_is_typed(portal, umami, tmp_path):
    async def steps(page):
        await page.go(f"{portal.url}/catalog")
        await page.fill("input[name=q]", "oar")
        await page.evaluate("document.querySelector('input[name=q]').form.requestSubmit()")
        await page.until(
            "location.pathname == '/catalog/search' && document.readyState == 'complete'"
        )
        await asyncio.to_thread(umami.until, before + 1, "catalog_search")

    before = len(umami.stored("catalog_search"))
    walk(tmp_path, steps)
    *_, searched = umami.stored("catalog_search")
    assert searched["data"]["query"] == "oar"
    assert json.loads(json.dumps(searched["data"]["result_count"])) >= 1
    assert searched["url"].startswith(f"{portal.url}/catalog/search?q=oar")
