"""Our tracker and its attributes, each in a page that has none by itself."""

import asyncio
import json

import pytest

from tests.support.programs import needs
from tests.support.umami.rules import WEBSITE
from tests.support.umami.standin import Umami, walk

pytestmark = [
    pytest.mark.long,
    needs("chromium"),
]

PAGE = "/nothing?x=1#part"
DO_NOT_TRACK = "Object.defineProperty(Navigator.prototype, 'doNotTrack', {get: () => '1'});"
CHANGE = "window.change = (type, payload) => ({...payload, title: type});"
CHANGE_LATER = "window.change = async (type, payload) => ({...payload, title: type});"
STOP = "window.change = () => null;"


@pytest.fixture(scope="module")
def umami(tmp_path_factory):
    with Umami(tmp_path_factory.mktemp("umami")) as running:
        running.behave(**{"script.js": "fails"})
        yield running


@pytest.fixture(scope="module")
def portal(umami, start_portal):
    with start_portal(umami=umami.settings) as running:
        yield running


async def begin(page, portal, script="", **attributes):
    """Open the page, run a script, and put the tracker in; `tag_x` is data-tag-x."""
    given = {"website_id": WEBSITE, "host_url": "/u", **attributes}
    named = {f"data-{name.replace('_', '-')}": value for name, value in given.items()}
    await page.go("about:blank")
    page.events.clear()
    await page.go(portal.url + PAGE)
    await page.evaluate(
        script
        + f"""new Promise(loaded => {{
            const tag = document.createElement("script");
            for (const [name, value] of Object.entries({json.dumps(named)}))
                if (value !== null) tag.setAttribute(name, value);
            tag.src = "/static/umami/script.js";
            tag.onload = loaded;
            document.head.append(tag);
        }})"""
    )


def posted(page):
    """Where and what it has posted."""
    requests = [p["request"] for name, p in page.events if name == "Network.requestWillBeSent"]
    return [(r["url"], json.loads(r["postData"])) for r in requests if r["method"] == "POST"]


async def sent(page, count):
    """Wait for so many posts; their payloads."""
    for _ in range(300):
        if len(posted(page)) >= count:
            break
        await asyncio.sleep(0.05)
    assert len(posted(page)) == count, posted(page)
    return [body["payload"] for _, body in posted(page)]


# Attributes, what runs before, and what is told of the view; None where nothing is sent at all.
CASES = [
    ({}, "", {"url": "?x=1#part", "website": WEBSITE, "hostname": "127.0.0.1"}),
    ({"exclude_search": "true"}, "", {"url": "/nothing#part"}),
    ({"exclude_hash": "true"}, "", {"url": "/nothing?x=1"}),
    ({"tag": "beta"}, "", {"tag": "beta"}),
    ({"domains": "elsewhere.example, 127.0.0.1"}, "", {"url": "#part"}),
    ({"domains": "elsewhere.example"}, "", None),
    ({"do_not_track": "true"}, DO_NOT_TRACK, None),
    ({"do_not_track": "true"}, "", {"url": "#part"}),
    ({}, DO_NOT_TRACK, {"url": "#part"}),
    ({"before_send": "change"}, CHANGE, {"title": "event"}),
    ({"before_send": "change"}, CHANGE_LATER, {"title": "event"}),
    ({"before_send": "change"}, STOP, None),
    ({"before_send": "nothing"}, "", {"url": "#part"}),
    ({"website_id": None}, "", None),
]


def test_what_its_attributes_do(portal, tmp_path):
    async def steps(page):
        for attributes, script, told in CASES:
            await begin(page, portal, script, **attributes)
            await page.evaluate("umami.track('end')")
            payloads = await sent(page, 0 if told is None else 2)
            for name, value in (told or {}).items():
                assert payloads[0][name].endswith(value), (attributes, payloads)
            assert [each.get("name") for each in payloads] == (
                [] if told is None else [None, "end"]
            )

    walk(tmp_path, steps)


def test_without_auto_track_it_sends_what_it_is_told_to(portal, tmp_path):
    async def steps(page):
        await begin(page, portal, auto_track="false")
        await page.evaluate("history.pushState({}, '', '/other')")
        await asyncio.sleep(0.5)
        assert posted(page) == []
        await page.evaluate("umami.track('named', {a: 1})")
        (payload,) = await sent(page, 1)
        assert (payload["name"], payload["data"]) == ("named", {"a": 1})

    walk(tmp_path, steps)


def test_where_it_posts(portal, tmp_path):
    """Without an address, or with an empty one, to where it comes from."""

    async def steps(page):
        for base, path in (
            ("/u", "/u"),
            ("/u/", "/u"),
            (None, "/static/umami"),
            ("", "/static/umami"),
        ):
            await begin(page, portal, host_url=base)
            await sent(page, 1)
            assert posted(page)[0][0] == f"{portal.url}{path}/api/send"

    walk(tmp_path, steps)


def test_it_stops_when_it_is_told_that_nothing_is_counted(start_portal, tmp_path):
    """As by a portal that has no Umami."""

    async def steps(page):
        await begin(page, portal)
        await sent(page, 1)
        await page.evaluate("umami.track('one').then(() => umami.track('two'))")
        await page.evaluate("umami.track('three')")
        assert len(posted(page)) <= 2

    with start_portal() as portal:
        walk(tmp_path, steps)
