"""The tracker in a real browser: what it reports, where it asks, what it never holds up."""

import asyncio
import contextlib

import pytest

from portal.analytics.tracker import OWN
from tests.support.programs import needs
from tests.support.running import TOKEN
from tests.support.saves import mounts_json
from tests.support.umami.standin import PHONE, Umami, eventually, outbox, walk

pytestmark = [
    pytest.mark.long,
    needs("chromium"),
]

OPEN = "/[0-9a-f]{32}$/.test(location.pathname) && document.readyState == 'complete'"
TRACKER = "document.querySelector('script[data-website-id]')"


@pytest.fixture(scope="module")
def umami(tmp_path_factory):
    """One that gives no tracker: ours is what is tried."""
    with Umami(tmp_path_factory.mktemp("umami"), "/umami") as running:
        running.behave(**{"script.js": "fails"})
        yield running


@pytest.fixture(scope="module")
def portal(umami, start_portal):
    with start_portal(umami=umami.settings) as running:
        yield running


@pytest.fixture
def fresh(umami):
    """How to wait for events that come from now on: `await fresh(count)`."""
    before = len(umami.stored())

    async def events(count):
        stored = await asyncio.to_thread(umami.until, before + count)
        return stored[before:]

    return events


def asked(page):
    """Every address that the browser asked for."""
    return [p["request"]["url"] for name, p in page.events if name == "Network.requestWillBeSent"]


def test_page_views_as_they_come(portal, fresh, tmp_path):
    async def steps(page):
        await page.go(f"{portal.url}/?token=secret&x=1#fragment")
        (first,) = await fresh(1)
        assert first["url"] == f"{portal.url}/?x=1"
        assert first["title"] == await page.evaluate("document.title")
        assert (first["hostname"], first["language"]) == ("127.0.0.1", "en-US")
        assert "name" not in first
        await page.click("nav a[href='/downloads']")
        await page.until("location.pathname == '/downloads' && document.readyState == 'complete'")
        *_, second = await fresh(2)
        assert (second["url"], second["referrer"]) == (f"{portal.url}/downloads", "")
        # Within the page: by history, both ways.
        await page.evaluate("history.pushState({}, '', '/downloads?page=2')")
        *_, third = await fresh(3)
        assert third["url"] == f"{portal.url}/downloads?page=2"
        assert third["referrer"] == f"{portal.url}/downloads"
        await page.evaluate("history.back()")
        *_, fourth = await fresh(4)
        assert fourth["url"] == f"{portal.url}/downloads"
        await page.evaluate("history.replaceState({}, '')")
        await page.evaluate("umami.track('catalog_category', {category: 'Items'})")
        *_, fifth = await fresh(5)
        assert (fifth["name"], fifth["data"]) == ("catalog_category", {"category": "Items"})
        assert len({event["session"] for event in await fresh(5)}) == 1
        # One answer's cache goes along with the next event.
        assert all(url.startswith(portal.url) for url in asked(page)), asked(page)
        assert (await page.call("Storage.getCookies"))["cookies"] == []
        kept = "localStorage.length + sessionStorage.length"
        assert await page.evaluate(kept) == 0

    walk(tmp_path, steps)


def test_what_a_page_can_tell_it(portal, fresh, tmp_path):
    async def steps(page):
        await page.go(f"{portal.url}/downloads")
        await fresh(1)
        await page.evaluate("umami.track(view => ({...view, title: 'other'}))")
        await page.evaluate("umami.track({website: umamiTag(), url: '/bare'})".replace(
            "umamiTag()", f"{TRACKER}.dataset.websiteId"))  # fmt: skip
        await page.evaluate("umami.identify('me', {plan: 'x'})")
        await page.evaluate("umami.track()")
        _, changed, bare, identified, after = sorted(
            await fresh(5), key=lambda e: e["arrived"]
        )  # each was awaited before the next
        assert changed["title"] == "other"
        assert bare["url"] == "/bare"
        assert (identified["type"], identified["id"]) == ("identify", "me")
        assert identified["data"] == {"plan": "x"}
        assert after["id"] == "me"

    walk(tmp_path, steps)


def test_a_save_file_from_upload_to_download(portal, fresh, tmp_path):
    """The upload arrives although the page goes on; nothing of the file's own pages does."""
    saved = tmp_path / "Mounts.json"
    saved.write_bytes(mounts_json({"name": "Clover"}))

    async def steps(page):
        await page.go(f"{portal.url}/pets")
        await fresh(1)
        # The event has not left the browser yet when the page goes on.
        await page.call("Fetch.enable", patterns=[{"urlPattern": "*/u/api/send"}])
        await page.drop(saved)
        await page.until(OPEN)
        held = [p["requestId"] for name, p in page.events if name == "Fetch.requestPaused"]
        for request in held:
            await page.call("Fetch.continueRequest", requestId=request)
        await page.call("Fetch.disable")
        *_, uploaded = await fresh(2)
        assert (uploaded["name"], uploaded["data"]) == ("save_uploaded", {"tool": "pets"})
        assert uploaded["url"].removeprefix(portal.url) == "/pets"
        assert not await page.evaluate(f"!!{TRACKER} || 'umami' in window")
        number = (await page.path()).rpartition("/")[2]
        await page.evaluate(f"location.assign('/pets/{number}/download')")
        await page.downloaded()
        *_, downloaded = await fresh(3)
        assert (downloaded["name"], downloaded["url"]) == ("save_downloaded", "/pets")
        assert downloaded["session"] == uploaded["session"]
        assert number not in str(await fresh(3))
        # Whoever comes from there brings nothing of it.
        await page.go(f"{portal.url}/downloads")
        *_, view = await fresh(4)
        assert view["referrer"] == ""

    walk(tmp_path, steps)


def test_an_upload_where_the_tracker_is_blocked(portal, fresh, tmp_path):
    """The portal reports it, since the page cannot."""
    saved = tmp_path / "Mounts.json"
    saved.write_bytes(mounts_json({"name": "Clover"}))

    async def steps(page):
        await page.call("Network.setBlockedURLs", urls=["*/static/umami/*"])
        await page.go(f"{portal.url}/pets")
        await page.drop(saved)
        await page.until(OPEN)
        (uploaded,) = await fresh(1)
        assert uploaded["name"] == "save_uploaded"

    walk(tmp_path, steps)


def test_an_upload_where_the_collector_is_blocked(portal, fresh, tmp_path):
    """The tracker runs, and what it posts never arrives: the portal knows of the upload itself."""
    saved = tmp_path / "Mounts.json"
    saved.write_bytes(mounts_json({"name": "Clover"}))

    async def steps(page):
        await page.call("Network.setBlockedURLs", urls=["*/u/api/send"])
        await page.go(f"{portal.url}/pets")
        assert await page.evaluate("'umami' in window")
        await page.drop(saved)
        await page.until(OPEN)
        (uploaded,) = await fresh(1)
        assert (uploaded["name"], uploaded["data"]) == ("save_uploaded", {"tool": "pets"})
        page.events.clear()  # the browser's complaint about what it blocked

    walk(tmp_path, steps)


@pytest.mark.parametrize("cached", [True, False])
def test_the_same_file_again_after_going_back(portal, fresh, tmp_path, cached):
    """With and without the browser's cache of whole pages."""
    saved = tmp_path / "Mounts.json"
    saved.write_bytes(mounts_json({"name": "Clover"}))

    async def steps(page):
        if not cached:
            await page.call("Network.setCacheDisabled", cacheDisabled=True)
            script = "addEventListener('unload', () => {})"
            await page.call("Page.addScriptToEvaluateOnNewDocument", source=script)
        await page.go(f"{portal.url}/pets")
        await page.choose("input[type=file]", saved)
        await page.until(OPEN)
        first = await page.path()
        await page.evaluate("history.back()")
        await page.until("location.pathname == '/pets' && document.readyState == 'complete'")
        await page.choose("input[type=file]", saved)
        await page.until(OPEN)
        assert await page.path() != first

    walk(tmp_path, steps)


def test_web_vitals_are_sent_once_when_the_page_is_hidden(portal, umami, tmp_path):
    """Hidden by script: a page that is really left posts under the browser's own name, which Umami
    takes for a robot's."""
    before = len(umami.vitals())
    hide = """
        Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
        document.dispatchEvent(new Event("visibilitychange"));
    """

    async def steps(page):
        await page.go(f"{portal.url}/downloads?token=secret")
        await page.until("performance.getEntriesByType('paint').length == 2")
        await page.evaluate(hide)
        await page.evaluate(hide.partition(";")[2])
        await page.evaluate("umami.track('end')")
        await asyncio.to_thread(umami.until, len(umami.stored("end")) + 1, "end")
        (vitals,) = umami.vitals()[before:]
        assert vitals["url"] == f"{portal.url}/downloads"
        assert 0 < vitals["ttfb"] <= vitals["fcp"] < 60_000
        assert "secret" not in str(vitals)

    walk(tmp_path, steps)


@pytest.mark.parametrize("signal", ["doNotTrack", "globalPrivacyControl"])
def test_who_asks_not_to_be_counted(portal, umami, tmp_path, signal):
    """The tracker sends nothing at all then."""
    value = {"doNotTrack": "'1'", "globalPrivacyControl": "true"}[signal]
    define = f"Object.defineProperty(Navigator.prototype, '{signal}', {{get: () => {value}}})"
    before = len(umami.stored())

    async def steps(page):
        await page.call("Page.addScriptToEvaluateOnNewDocument", source=define)
        await page.go(f"{portal.url}/downloads")
        await page.evaluate("umami.track('catalog_search', {query: 'x', result_count: 0})")
        assert not [url for url in asked(page) if url.endswith("/api/send")]

    walk(tmp_path, steps)
    assert len(umami.stored()) == before


def test_nothing_waits_for_an_answer_that_never_comes(portal, tmp_path):
    """Posts that hang in the browser for ever: pages load, links lead on."""

    async def steps(page):
        await page.call("Fetch.enable", patterns=[{"urlPattern": "*/u/api/send"}])
        await page.go(f"{portal.url}/")
        await page.click("nav a[href='/pets']")
        await page.until("location.pathname == '/pets' && document.readyState == 'complete'")
        await page.evaluate("void umami.track('catalog_search', {query: 'x', result_count: 0})")
        await page.click("nav a[href='/downloads']")
        await page.until("location.pathname == '/downloads' && document.readyState == 'complete'")
        held = [p["request"]["url"] for name, p in page.events if name == "Fetch.requestPaused"]
        assert held.count(f"{portal.url}/u/api/send") >= 2
        with contextlib.suppress(AssertionError):
            await page.call("Fetch.disable")

    walk(tmp_path, steps)


def test_a_dead_umami_is_not_noticed(start_portal, tmp_path):
    """And what was seen meanwhile arrives once it is back."""
    with (
        Umami(tmp_path / "umami", started=False) as umami,
        start_portal(umami=umami.settings) as portal,
    ):

        async def steps(page):
            await page.go(f"{portal.url}/downloads")
            waiting = await asyncio.to_thread(
                eventually, lambda: outbox(portal)["waiting"], lambda count: count >= 1
            )
            assert waiting == 1

        walk(tmp_path, steps)
        umami.start()
        (view,) = umami.until(1)
        assert (view["url"], view["userAgent"]) == (f"{portal.url}/downloads", PHONE)


def test_the_operators_page_tells_it_nothing(portal, umami, tmp_path):
    before = len(umami.stored())

    async def steps(page):
        await page.go(f"{portal.url}/metrics?token={TOKEN}")
        assert not await page.evaluate(f"!!{TRACKER} || 'umami' in window")
        assert not [url for url in asked(page) if "/static/umami" in url or "/api/send" in url]

    walk(tmp_path, steps)
    assert len(umami.stored()) == before
    assert TOKEN not in str([line for line in umami.asked() if "share" not in line[1]])


def test_our_tracker_is_small():
    assert len(OWN.read_bytes()) < 8000
