"""What a page weighs, whence it comes, and what is there of it without JavaScript."""

import asyncio
import gzip
import re
from html.parser import HTMLParser

import pytest

from tests.support.browser.chromium import browsing
from tests.support.catalog.tables import small_catalog
from tests.support.programs import needs
from tests.support.running import TOKEN, ask

MOST = 100_000  # bytes of everything that a page needs besides its data
PAGES = (
    *("/", "/downloads", "/downloads/pets", "/downloads/prospects", "/pets", "/prospects"),
    *("/privacy", "/nothing", "/catalog", "/catalog/1.9/Items", "/catalog/1.9/Items/D_Items"),
    *("/catalog/search?q=lamp", "/catalog/diff?from=1.9&to=1.10", f"/metrics?token={TOKEN}"),
    "/catalog/diff/Items/D_Items?from=1.9&to=1.10",
)


@pytest.fixture(scope="module")
def portal(start_portal, tmp_path_factory):
    with small_catalog(start_portal, tmp_path_factory.mktemp("tables")) as running:
        yield running


class Needs(HTMLParser):
    """The addresses that a page loads by itself, and how its scripts stand in it."""

    def __init__(self, html):
        super().__init__()
        self.addresses, self.scripts, self.inline = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        loaded = ["stylesheet", "icon", "manifest", "apple-touch-icon"]
        if tag == "link" and given.get("rel") in loaded:
            self.addresses.append(given["href"])
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed", "object"):
            self.addresses += [given["src"]] if "src" in given else []
        if tag == "script":
            self.scripts.append(given)
        if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
            self.inline.append((tag, given))


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_heavy(portal, path):
    _, headers, body = ask(portal.url + path, Accept="text/html")
    needs = Needs(body.decode())
    assert needs.addresses
    assert all(re.match(r"/(?!/)", address) for address in needs.addresses)
    assert needs.inline == []
    assert all("src" in script and "defer" in script for script in needs.scripts)
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    weights = {address: len(ask(portal.url + address)[2]) for address in needs.addresses}
    frame = len(re.sub(rb"<tbody>.*?</tbody>", b"", body, flags=re.DOTALL))  # rows are its data
    assert sum(weights.values()) + frame < MOST, (frame, weights)


@pytest.mark.parametrize("path", [path for path in PAGES if "token" not in path])
def test_pages_are_compressed_and_asked_for_again(portal, path):
    status, plain, body = ask(portal.url + path, Accept="text/html")
    _, packed, small = ask(portal.url + path, Accept="text/html", Accept_Encoding="gzip")
    assert packed["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed["vary"]
    assert len(small) < len(body) / 2
    if status == 200:
        assert gzip.decompress(small) == body
        assert plain["cache-control"] == packed["cache-control"] == "no-cache"
        assert plain["etag"] != packed["etag"]
        for etag, encoding in ((plain["etag"], "identity"), (packed["etag"], "gzip")):
            again = ask(
                portal.url + path, Accept="text/html", Accept_Encoding=encoding, If_None_Match=etag
            )
            assert again[::2] == (304, b"")
            assert again[1]["etag"] == etag


def test_what_is_private_is_not_compressed(portal):
    for path in (f"/metrics?token={TOKEN}", "/pets/0123456789abcdef0123456789abcdef"):
        headers = ask(portal.url + path, Accept="text/html", Accept_Encoding="gzip")[1]
        assert "content-encoding" not in headers
        assert "no-store" in headers["cache-control"]
        assert "etag" not in headers


@needs("chromium")
def test_everything_is_there_without_javascript(portal, tmp_path):
    """Whole and usable, no button that does nothing, and nothing from another host."""

    async def main():
        async with browsing(tmp_path) as page:
            await page.call("Emulation.setScriptExecutionDisabled", value=True)
            for path in PAGES:
                await page.go(portal.url + path)
                assert await page.evaluate("document.querySelector('h1').offsetHeight > 0")
                buttons = "[...document.querySelectorAll('button[type=button]')]"
                assert await page.evaluate(f"{buttons}.every((one) => !one.offsetHeight)")
            asked = [
                params["request"]["url"]
                for name, params in page.events
                if name == "Network.requestWillBeSent"
            ]
            assert all(url.startswith((portal.url, "about:")) for url in asked)
            assert page.problems() == []

    asyncio.run(main())
