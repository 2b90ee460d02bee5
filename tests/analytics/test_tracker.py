"""The tracker: our own, the operator's once it is fetched, and how both are served."""

import asyncio
import gzip
import hashlib
import re

import pytest

from portal.analytics import tracker
from portal.analytics.client import ANSWER_BYTES, UmamiClient
from portal.analytics.tracker import OWN, SCRIPT_LIMIT, Tracker, TrackerFetch, fault, fetched, keep
from portal.relay.curl import CurlClient
from tests.support.running import ask
from tests.support.umami.server import SCRIPT
from tests.support.umami.standin import Umami, eventually


@pytest.fixture
def umami(tmp_path):
    with Umami(tmp_path / "umami", "/umami", started=False) as away:
        yield away


def address(portal):
    """Where the home page has its tracker."""
    _, _, home = ask(f"{portal.url}/", Accept="text/html")
    return re.search(r'src="(/static/umami/[^"]+)"', home.decode())[1]


def served(portal):
    return ask(portal.url + address(portal))[2]


def test_our_own_until_the_operators_is_there_and_that_from_then_on(start_portal, umami):
    with start_portal(umami=umami.settings, processes=2) as portal:
        own = address(portal)
        assert served(portal) == OWN.read_bytes()
        eventually(portal.log, lambda log: "stays as it is" in log)
        umami.start()
        portal.stop()
        portal.start()
        eventually(lambda: {served(portal) for _ in range(8)}, lambda s: s == {SCRIPT.encode()})
        assert address(portal) != own
        (asked,) = umami.asked("/script.js")
        assert asked[1] == "/umami/script.js"
        # Umami away: it is kept.
        umami.stop()
        portal.stop()
        portal.start()
        assert served(portal) == SCRIPT.encode()
        assert (portal.data_dir / "umami").stat().st_mode & 0o777 == 0o700


def test_what_is_no_tracker_is_not_taken(start_portal, umami):
    (umami.directory / "script.js").write_text("<!doctype html><title>Umami</title>/api/send")
    umami.start()
    with start_portal(umami=umami.settings) as portal:
        eventually(portal.log, lambda log: "/script.js is no script; the tracker stays" in log)
        assert served(portal) == OWN.read_bytes()


@pytest.mark.parametrize(
    ("text", "behaviour", "what"),
    [
        (SCRIPT, "up", ""),
        ('{"error": "/api/send"}', "up", "Umami's /script.js is no script"),
        (f"'/api/send';{' ' * SCRIPT_LIMIT}", "up", "Umami's /script.js is larger than 64 KiB"),
        ("console.log(1)", "up", "Umami's /script.js does not post to /api/send"),
        ("", "up", "Umami's /script.js is no script"),
        (SCRIPT, "fails", "Umami answered 500, text/html, to /script.js"),
        (SCRIPT, "closes", "Umami gave no answer to /script.js: libcurl's error 52"),
        # Never from another host.
        (SCRIPT, "redirects", "Umami answered 302, text/html, to /script.js"),
        (" " * (2 << 20), "up", "Umami gave no answer to /script.js: libcurl's error 23"),
    ],
)
def test_what_is_fetched(umami, text, behaviour, what):
    async def main():
        client = CurlClient(force_instance=True, max_body_size=ANSWER_BYTES)
        try:
            return await fetched(UmamiClient(umami.url, client))
        finally:
            client.close()

    (umami.directory / "script.js").write_text(text)
    umami.behave(behaviour)
    umami.start()
    assert asyncio.run(main()) == (b"" if what else text.encode(), what)


def test_it_is_fetched_again_and_after_a_failure_soon(umami, monkeypatch, tmp_path):
    """Once a day; sooner, and ever less so, while that fails."""
    monkeypatch.setattr(tracker, "REFRESH_SECONDS", 0.05)
    monkeypatch.setattr(tracker, "FIRST_PAUSE", 0.05)
    kept = tmp_path / "data" / "script.js"

    async def until(content):
        for _ in range(400):
            if kept.exists() and kept.read_bytes() == content:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(content)

    async def main():
        client = CurlClient(force_instance=True)
        fetch = TrackerFetch(UmamiClient(umami.url, client), kept)
        fetch.start()
        await asyncio.sleep(0.1)
        umami.start()
        await until(SCRIPT.encode())
        newer = f"{SCRIPT}// newer"
        (umami.directory / "script.js").write_text(newer)
        await until(newer.encode())
        await fetch.stop()
        client.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("script", "what"),
    [
        (OWN.read_bytes(), ""),
        (SCRIPT.encode(), ""),
        (b"\xff/api/send", "is not UTF-8"),
        (b"x\0/api/send", "is no script"),
        (b"\xef\xbb\xbf  <x>/api/send", "is no script"),
        (b"[1]/api/send", "is no script"),
    ],
)
def test_what_shows_that_it_is_none(script, what):
    assert fault(script) == what


def test_a_kept_one_that_is_damaged_is_not_served(tmp_path, caplog):
    kept = tmp_path / "umami" / "script.js"
    served_now = Tracker("script.js", kept)
    keep(kept, SCRIPT.encode())
    assert served_now.script.content == SCRIPT.encode()
    keep(kept, b"<html>")
    assert served_now.script.content == OWN.read_bytes()
    assert "is no script" in caplog.text
    kept.unlink()
    assert served_now.script.content == OWN.read_bytes()
    assert list(kept.parent.iterdir()) == []


@pytest.fixture(scope="module")
def portal(tmp_path_factory, start_portal):
    away = Umami(tmp_path_factory.mktemp("umami"))
    with start_portal(umami=away.settings) as running:
        yield running


def test_it_is_cached_for_good_under_its_own_address_only(portal):
    own = OWN.read_bytes()
    version = hashlib.sha256(own).hexdigest()[:16]
    assert address(portal) == f"/static/umami/script.js?v={version}"
    for path, cached in (
        (address(portal), "public, max-age=31536000, immutable"),
        ("/static/umami/script.js?v=0123456789abcdef", "no-cache"),
        ("/static/umami/script.js", "no-cache"),
    ):
        status, headers, body = ask(portal.url + path)
        assert (status, headers["cache-control"], body) == (200, cached, own)
        assert headers["content-type"] == "text/javascript; charset=UTF-8"
        assert headers["vary"] == "Accept-Encoding"
        assert "set-cookie" not in headers


@pytest.mark.parametrize("accepted", ["gzip", "br;q=1.0, gzip;q=0.8", "", "identity", "gzip;q=0"])
def test_it_is_compressed_for_whoever_takes_that(portal, accepted):
    headers = {"Accept_Encoding": accepted} if accepted else {}
    _, told, body = ask(portal.url + address(portal), **headers)
    compressed = accepted not in ("", "identity", "gzip;q=0")
    assert told.get("content-encoding") == ("gzip" if compressed else None)
    assert (gzip.decompress(body) if compressed else body) == OWN.read_bytes()
    status, again, nothing = ask(
        portal.url + address(portal), **headers, If_None_Match=told["etag"]
    )
    assert (status, again["etag"], nothing) == (304, told["etag"], b"")


def test_head_and_other_methods(portal):
    status, headers, body = ask(portal.url + address(portal), method="HEAD")
    assert (status, headers["content-length"], body) == (200, str(len(OWN.read_bytes())), b"")
    assert ask(portal.url + address(portal), method="POST")[0] == 405
