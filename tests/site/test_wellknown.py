"""What programs ask of every site, over the real portal."""

import json
import re
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree

import pytest

from portal.config.model import Project
from portal.config.site import Site
from portal.gitlab.cache import Listing
from portal.releases import feeds
from portal.releases.badges import badge, width
from portal.releases.edits import agreed, with_edits
from portal.releases.model import Asset, Release
from tests.support.catalog.tables import small_catalog
from tests.support.running import ask, git

ATOM = {"a": "http://www.w3.org/2005/Atom"}
SITEMAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def open_portal(start_portal):
    """One whose operator shows counts, and says where to report faults."""
    site = {
        "badges": True,
        "security_contact": "mailto:security@example.com",
        "title": "Söme <site>",
    }
    with start_portal(site=site) as running:
        yield running


def test_robots_keep_away_from_what_counts(portal):
    status, headers, body = ask(f"{portal.url}/robots.txt")
    assert (status, headers["content-type"]) == (200, "text/plain; charset=UTF-8")
    text = body.decode()
    assert f"Sitemap: {portal.url}/sitemap.xml" in text
    assert "metrics" not in text
    rules = [line.partition(": ")[2] for line in text.splitlines() if line.startswith("Disallow")]
    patterns = [re.compile(rule.replace(".", r"\.").replace("*", ".*")) for rule in rules]

    def allowed(path):
        return not any(pattern.match(path) for pattern in patterns)

    assert not allowed("/downloads/pets/v2.1.0/pets-2.1.0-windows.zip")
    assert not allowed("/downloads/pets/latest/pets-2.1.0-windows.zip")
    assert not allowed("/pets.git/info/refs")
    assert not allowed("/catalog/diff?from=1&to=2")
    assert not allowed("/pets/0123456789abcdef0123456789abcdef")
    for page in ("/", "/downloads", "/downloads/pets", "/pets", "/prospects", "/privacy"):
        assert allowed(page)
    parser = RobotFileParser()
    parser.parse(text.splitlines())
    assert parser.can_fetch("*", f"{portal.url}/downloads/pets")
    assert parser.site_maps() == [f"{portal.url}/sitemap.xml"]


def test_every_page_of_the_sitemap_is_there(start_portal, tmp_path):
    with small_catalog(start_portal, tmp_path) as portal:
        look_at_every_page(portal)


def look_at_every_page(portal):
    status, headers, body = ask(f"{portal.url}/sitemap.xml")
    assert (status, headers["content-type"]) == (200, "application/xml; charset=UTF-8")
    root = ElementTree.fromstring(body)
    pages = [node.text for node in root.iterfind("s:url/s:loc", SITEMAP)]
    assert f"{portal.url}/downloads/pets" in pages
    assert f"{portal.url}/privacy" in pages
    assert f"{portal.url}/catalog/1.10/Items" in pages
    assert f"{portal.url}/catalog/1.10/Items/D_Items" in pages
    assert len(pages) == len(set(pages))
    for page in pages:
        status, _, body = ask(page, Accept="text/html")
        assert status == 200
        assert f'<link rel="canonical" href="{page}">' in body.decode()


def test_a_feed_for_each_project(portal):
    status, headers, body = ask(f"{portal.url}/feeds/pets.atom")
    assert (status, headers["content-type"]) == (200, "application/atom+xml; charset=UTF-8")
    assert ask(f"{portal.url}/feeds/pets.atom", If_None_Match=headers["etag"])[0] == 304
    feed = ElementTree.fromstring(body)
    links = {link.get("rel"): link.get("href") for link in feed.iterfind("a:link", ATOM)}
    assert links["self"] == f"{portal.url}/feeds/pets.atom"
    entries = feed.findall("a:entry", ATOM)
    titles = [entry.findtext("a:title", namespaces=ATOM) for entry in entries]
    assert titles[0].startswith("Pets v2.2.0-rc.1")
    assert not any("v3.0.0" in title for title in titles)  # which is not out yet
    for element in (feed, *entries):
        for name in ("id", "title", "updated"):
            assert element.findtext(f"a:{name}", namespaces=ATOM)
        datetime.fromisoformat(element.findtext("a:updated", namespaces=ATOM))
    for entry in entries:
        address = entry.find("a:link", ATOM).get("href")
        assert ask(address)[0] == 200
    page = ask(f"{portal.url}/downloads/pets", Accept="text/html")[2].decode()
    assert 'type="application/atom+xml"' in page
    assert ask(f"{portal.url}/feeds/none.atom")[0] == 404


def test_a_feed_of_nothing_and_of_anything():
    site, project = Site(title="S"), Project("x", "g/x", "X & <Y>", "\0desc\ud800")
    empty = ElementTree.fromstring(feeds.atom(site, "https://d", project, Listing((), NOW)))
    assert empty.findtext("a:updated", namespaces=ATOM) == "1970-01-01T00:00:00Z"
    evil = Release("v1\x1b", "a\x00b]]>", "# <b>\x07", NOW, False, (), ())
    later = Release("v2", "", "", NOW + timedelta(days=9), True, (), ())
    made = ElementTree.fromstring(
        feeds.atom(site, "https://d", project, Listing((later, evil), NOW))
    )
    (entry,) = made.findall("a:entry", ATOM)
    assert entry.findtext("a:title", namespaces=ATOM) == "X & <Y> v1: ab]]>"
    assert "&lt;b&gt;" in entry.findtext("a:content", namespaces=ATOM)


def entries(feed):
    """Each entry's id, published and updated, after the feed's own id and updated."""
    root = ElementTree.fromstring(feed)
    names = ("id", "published", "updated")
    return [
        tuple(element.findtext(f"a:{name}", namespaces=ATOM) for name in names)
        for element in (root, *root.iterfind("a:entry", ATOM))
    ]


def test_an_edit_moves_updated_and_nothing_else():
    site, project = Site(title="S"), Project("x", "g/x", "X", "")
    old = Release("v1", "v1", "a", NOW, False, (), ())
    asset = Asset("f", "f", "u")
    edits = [replace(old, notes="b"), replace(old, title="T"), replace(old, assets=(asset,))]
    for edited in edits:
        first, second = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
        once = with_edits((edited,), (old,), first)
        again = with_edits((edited,), once, second)  # a refresh that finds nothing new
        assert [r.edited_at for r in (*once, *again)] == [first, first]
        feed = entries(feeds.atom(site, "https://d", project, Listing(again, NOW)))
        stamp = [f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in (NOW, first)]
        assert [entry[1:] for entry in feed] == [(None, stamp[1]), (stamp[0], stamp[1])]
    measured = replace(old, assets=(asset,)), replace(old, assets=(replace(asset, size=1),))
    assert with_edits(measured[1:], measured[:1], NOW)[0].edited_at is None
    assert with_edits((old,), (), NOW)[0].edited_at is None
    here, there = (with_edits((edits[0],), (old,), time) for time in (second, first))
    assert agreed(here, there, second) == there
    assert agreed(here, (old,), second) == here


def test_ids_are_the_same_by_every_name(portal):
    feeds = [
        ask(f"{portal.url}/feeds/pets.atom", Host=host)[2] for host in ("a.example", "b.example:8")
    ]
    first, second = map(entries, feeds)
    assert feeds[0] != feeds[1]
    assert first == second
    assert len({entry[0] for entry in first}) == len(first)
    assert all(re.match(r"\w+:\S+$", entry[0]) for entry in first)


def test_ids_are_addresses_where_the_portal_knows_its_own():
    site, project = Site(url="https://d", title="S"), Project("x", "g/x", "X", "")
    listing = Listing((Release("v/1", "", "", NOW, False, (), ()),), NOW)
    made = entries(feeds.atom(site, "https://d", project, listing))
    assert [entry[0] for entry in made] == ["https://d/downloads/x", "https://d/downloads/x/v%2F1"]


def test_where_to_report_a_fault(portal, open_portal):
    assert ask(f"{portal.url}/.well-known/security.txt")[0] == 404
    status, headers, body = ask(f"{open_portal.url}/.well-known/security.txt")
    assert (status, headers["content-type"]) == (200, "text/plain; charset=UTF-8")
    fields = dict(line.split(": ", 1) for line in body.decode().splitlines())
    assert fields["Contact"] == "mailto:security@example.com"
    ahead = datetime.fromisoformat(fields["Expires"]) - datetime.now(UTC)
    assert timedelta(days=30) < ahead < timedelta(days=365)
    assert fields["Canonical"] == f"{open_portal.url}/.well-known/security.txt"


@pytest.mark.parametrize("kind", ["svg", "json"])
def test_counts_are_not_public_unless_they_are_said_to_be(portal, kind):
    assert ask(f"{portal.url}/badges/pets.{kind}")[0] == 404


def test_a_count_goes_up_by_one(open_portal):
    def count():
        body = ask(f"{open_portal.url}/badges/pets.json")[2]
        return json.loads(body)["downloads"]

    before = count()
    ask(f"{open_portal.url}/downloads/pets/v2.1.0/pets-2.1.0-windows.zip")
    assert count() == before + 1
    status, headers, body = ask(f"{open_portal.url}/badges/pets.svg")
    assert (status, headers["content-type"]) == (200, "image/svg+xml")
    assert headers["cache-control"] == "public, max-age=300"
    picture = ElementTree.fromstring(body)
    assert picture.get("aria-label") == f"downloads: {before + 1}"
    assert b"style" not in body
    assert ask(f"{open_portal.url}/badges/none.svg")[0] == 404
    assert ask(f"{open_portal.url}/badges/pets.png")[0] == 404


def test_a_badge_holds_what_it_says():
    short, long = badge("a", "1", "#0b5c8a"), badge("a", "1,234,567", "#0b5c8a")
    widths = [int(ElementTree.fromstring(picture).get("width")) for picture in (short, long)]
    assert widths[0] < widths[1]
    assert width("iii") < width("mmm")
    assert "<script" not in badge("<script>", '"><script>', "#0b5c8a")


def test_ready_and_alive(portal):
    assert ask(f"{portal.url}/healthz")[::2] == (200, b"ok\n")
    status, headers, body = ask(f"{portal.url}/readyz")
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert body == b"database: ok\ngitlab: ok\ndisk: ok\n"
    said = json.loads(ask(f"{portal.url}/readyz", Accept="application/json")[2])
    assert said == {"ready": True, "database": "ok", "gitlab": "ok", "disk": "ok"}


def test_alive_and_not_ready_without_gitlab(start_portal):
    with start_portal(gitlab="http://127.0.0.1:9") as portal:
        assert ask(f"{portal.url}/healthz")[0] == 200
        status, _, body = ask(f"{portal.url}/readyz")
        assert status == 503
        assert re.match(
            rb"gitlab: pets \((unknown|stale)\): .+; prospects \(", body.splitlines()[1]
        )


def test_not_ready_while_rows_wait(start_portal):
    def state():
        status, _, body = ask(f"{portal.url}/readyz")
        return status, body.decode().splitlines()[0]

    with start_portal() as portal:
        with closing(
            sqlite3.connect(portal.data_dir / "portal.sqlite3", isolation_level=None)
        ) as writer:
            writer.execute("begin immediate")
            git("ls-remote", f"{portal.url}/pets.git")
            assert state() == (503, "database: cannot be written: 1 events wait")
            writer.execute("rollback")
        until = time.monotonic() + 20
        while state() != (200, "database: ok"):
            assert time.monotonic() < until
            time.sleep(0.2)
