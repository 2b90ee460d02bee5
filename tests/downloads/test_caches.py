"""Downloads through what keeps copies: browsers and shared caches. None of them hides a request."""

import asyncio
import time

import pytest

from tests.support.browser import firefox
from tests.support.browser.chromium import browsing
from tests.support.clients import caches
from tests.support.gitlab.registry import Registry
from tests.support.programs import needs, skip_without
from tests.support.running import ask, curl, parsed

OLD, NEW = b"old" * 10_000, b"new" * 10_000
ADDRESS = "/downloads/pets/v1/tool.bin"

needs_chromium = needs("chromium")
needs_firefox = needs("firefox-esr")


@pytest.fixture
def registry():
    with Registry(tool__bin=OLD) as registry:
        # What a store says of its files: without our own word, caches would keep them for ever.
        registry.fields = {"Cache_Control": "public, max-age=31536000, immutable"}
        yield registry


@pytest.fixture
def portal(registry, start_portal):
    with start_portal(gitlab=registry.url, asset_host="") as portal:
        until = time.monotonic() + 20
        while "sha256" not in ask(portal.url + ADDRESS, method="HEAD")[1].get("etag", ""):
            assert time.monotonic() < until
            time.sleep(0.05)
        yield portal


def verdicts(portal):
    """How many requests for files were found to be what, HEAD apart."""
    said = dict(portal.rows("select verdict, sum(count) from request_totals group by 1"))
    said.pop("head", None)
    return said


async def click_in_chromium(portal, directory, clicks):
    async with browsing(directory) as page:
        for before in clicks:
            before()
            await page.go(portal.url + "/downloads/pets")
            page.events.clear()
            await page.click(f'a[href="{ADDRESS}"]')
            await page.downloaded()
            yield (directory / "downloads/tool.bin").read_bytes()
            (directory / "downloads/tool.bin").unlink()


async def click_in_firefox(portal, directory, clicks):
    async with firefox.browsing(directory) as page:
        for before in clicks:
            before()
            await page.go(portal.url + "/downloads/pets")
            await page.click(f'a[href="{ADDRESS}"]')
            [file] = await page.downloaded(1)
            yield file.read_bytes()
            file.unlink()


@pytest.mark.parametrize(
    ("click", "expected"),
    [
        pytest.param(
            click_in_chromium,
            {"counted": 2, "not_modified": 1},
            marks=needs_chromium,
            id="Chromium asks whether its copy is still good",
        ),
        # With `X-Content-Type-Options: nosniff` it looks at none of its copies of downloads.
        pytest.param(
            click_in_firefox,
            {"counted": 3},
            marks=needs_firefox,
            id="Firefox asks for the whole file",
        ),
    ],
)
def test_three_clicks_are_three_requests(registry, portal, tmp_path, click, expected):
    """A 304 moves no file and is no row; before the third click the file was replaced."""

    def replace():
        registry.files["tool.bin"] = NEW
        registry.age = 0

    async def visit():
        clicks = (lambda: None, lambda: None, replace)
        return [content async for content in click(portal, tmp_path, clicks)]

    before = verdicts(portal)
    assert asyncio.run(visit()) == [OLD, OLD, NEW]
    assert before == {}
    assert verdicts(portal) == expected


@pytest.mark.parametrize("name", ["squid", "varnish"])
def test_three_people_behind_a_shared_cache_are_three_rows(
    registry, portal, clients, tmp_path, name
):
    skip_without(caches.PROGRAMS[name])
    with caches.running(name, tmp_path, portal) as (arguments, origin):

        def get(path, client, *more):
            return parsed(curl("-D", "-", *arguments, *more, origin + path, client=client))

        for content in (OLD, OLD, NEW):
            registry.files["tool.bin"], registry.age = content, 0
            client, other = clients.new(), clients.new()
            status, headers, body = get(ADDRESS, client)
            assert (status, body) == (200, content)
            assert headers["cache-control"] == "private, no-cache"
            status, _, body = get(ADDRESS, other, "-r", "3-")
            assert (status, body) == (206, content[3:])
            assert [portal.count("downloads", one) for one in (client, other)] == [1, 1]
        assert verdicts(portal) == {"counted": 6}
        # The cache does keep what may be kept.
        page = ask(f"{portal.url}/", Accept="text/html")[2].decode()
        style = next(word for word in page.split('"') if word.startswith("/static/"))
        for _ in range(2):
            _, headers, _ = get(style, clients.new())
        assert int(headers.get("age", -1)) >= 0
