"""What pages of the catalog report of themselves, from the template by a browser to Umami."""

import asyncio
import json
from urllib.parse import quote

import pytest

from tests.support.catalog.tables import small_catalog
from tests.support.programs import needs
from tests.support.umami.standin import Umami, walk

pytestmark = [
    pytest.mark.long,
    needs("chromium"),
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
    ("/catalog", None),
    ("/catalog/1.9/Items/D_Items", None),
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
        # A table's page is a look at its category here; to Umami it is a page view like others.
        assert interactions() - recorded == (bool(event) or path.endswith("/D_Items"))

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


@pytest.mark.parametrize("cached", [True, False])
def test_going_back_and_loading_again_are_no_second_search(portal, umami, tmp_path, cached):
    """With and without the browser's cache of whole pages."""
    before = len(umami.stored("catalog_search"))

    async def steps(page):
        if not cached:
            script = "addEventListener('unload', () => {})"
            await page.call("Page.addScriptToEvaluateOnNewDocument", source=script)
        await page.go(f"{portal.url}/catalog/search?q=lamp")
        await asyncio.to_thread(umami.until, before + 1, "catalog_search")
        await page.go(f"{portal.url}/catalog")
        await page.evaluate("history.back()")
        await page.until("location.search == '?q=lamp' && document.readyState == 'complete'")
        await page.evaluate("location.reload()")
        await page.until("performance.getEntriesByType('navigation')[0].type == 'reload'")
        await page.until("document.readyState == 'complete' && 'umami' in window")
        await page.evaluate("umami.track('end')")
        await asyncio.to_thread(umami.until, len(umami.stored("end")) + 1, "end")

    walk(tmp_path, steps)
    assert len(umami.stored("catalog_search")) == before + 1


def test_enter_pressed_twice_is_one_search(portal, umami, tmp_path):
    events, rows = len(umami.stored("catalog_search")), searches(portal)

    async def steps(page):
        await page.go(f"{portal.url}/catalog")
        await page.fill("input[name=q]", "lamp")
        form = "document.querySelector('input[name=q]').form"
        await page.evaluate(f"{form}.requestSubmit(); {form}.requestSubmit()")
        await page.until("location.search.includes('q=lamp')")
        await asyncio.to_thread(umami.until, events + 1, "catalog_search")
        await page.evaluate("umami.track('end')")
        await asyncio.to_thread(umami.until, len(umami.stored("end")) + 1, "end")

    walk(tmp_path, steps)
    assert len(umami.stored("catalog_search")) == events + 1
    assert searches(portal) == rows + 1


def searches(portal):
    return len(portal.rows("select id from catalog_interactions where event = 'search'"))
