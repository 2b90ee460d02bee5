"""What the operator sees of Umami on /metrics: its figures, the frame, and one line without it."""

import json
import re
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import pytest
from prometheus_client.parser import text_string_to_metric_families

from portal.analytics.share import span
from tests.support.running import TOKEN, ask
from tests.support.umami.standin import FIREFOX, PHONE, Umami, event, eventually, outbox, post

BEARER = {"Authorization": f"Bearer {TOKEN}"}
FRAME = '<iframe class="umami" src="/umami/share/AbCdEfGh/site?date=30day"'
AWAY = "Umami does not answer at"


@pytest.fixture
def umami(tmp_path):
    with Umami(tmp_path / "umami", "/umami") as running:
        yield running


def page(portal):
    """The page's section on page views, and how long it took."""
    began = time.monotonic()
    status, _, body = ask(f"{portal.url}/metrics?token={TOKEN}", Accept="text/html")
    assert status == 200
    section = re.search(r'<h2 id="pages">.*?</section>', body.decode(), re.DOTALL)[0]
    return section, time.monotonic() - began


def cells(section):
    """The rows of its table, as texts."""
    rows = re.findall(r"<tr>(.*?)</tr>", section, re.DOTALL)
    return [tuple(re.findall(r">([^<>\n]+)<", row)) for row in rows]


def seen_by_umami(portal, umami, clients):
    """Three page views of two visitors today, one of 45 days ago, one event."""
    one, other = clients.new(), clients.new()
    post(portal, event(referrer="https://a.example/x?y"), one)
    post(portal, event(), one)
    post(portal, event(referrer="https://<b>.example/"), other, agent=PHONE)
    post(portal, event(name="catalog_search"), other, agent=PHONE)
    old = {**umami.until(4)[0], "created_at": int(time.time()) - 45 * 86_400, "session": "old"}
    with (umami.directory / "stored.jsonl").open("a") as file:
        file.write(json.dumps(old) + "\n")
    umami.stop()
    umami.start()


@pytest.mark.parametrize("version", [pytest.param(2, marks=pytest.mark.long), 3])
def test_the_figures_stand_beside_the_frame(start_portal, umami, clients, version):
    if version == 2:
        (umami.directory / "version-2").touch()
    with start_portal(umami=umami.settings) as portal:
        seen_by_umami(portal, umami, clients)
        eventually(lambda: page(portal)[0], lambda section: "Page views</th>" in section)
        section, _ = page(portal)
        assert FRAME in section
        assert cells(section) == [
            ("What", "30 days", "90 days"),
            ("Page views", "3", "4"),
            ("Visitors", "2", "3"),
            ("Referrers",),
            ("none", "2", "2"),
            ("a.example", "1", "2"),
            ("Browsers",),
            ("firefox", "1", "2"),
            ("chrome", "1", "1"),
            ("Devices",),
            ("desktop", "1", "2"),
            ("mobile", "1", "1"),
        ]
        _, _, body = ask(f"{portal.url}/metrics?format=json", **BEARER)
        pages = json.loads(body)["pages"]
        assert pages["30"]["visitors"] == 2
        assert pages["90"]["devices"] == [
            {"name": "desktop", "visitors": 2}, {"name": "mobile", "visitors": 1},
        ]  # fmt: skip
        # Fetched once a minute at most, by what the share page gives to anybody.
        asked = len(umami.asked("/api/share/"))
        page(portal)
        assert len(umami.asked("/api/share/")) == asked


def test_both_are_one_line_while_umami_is_away(start_portal, umami):
    umami.stop()
    with start_portal(umami=umami.settings) as portal:
        section, _ = page(portal)
        assert AWAY in section
        assert FRAME not in section
        assert "<table" not in section
        umami.start()
        section = eventually(lambda: page(portal)[0], lambda section: "<table" in section)
        assert FRAME in section


def contains(text, seen):
    return text in seen[0]


def soon(text, seen):
    return text in seen[0] and seen[1] < 3


def test_the_page_waits_for_nothing(start_portal, umami):
    """Half a second, whatever Umami does."""
    with start_portal(umami=umami.settings) as portal:
        for modes, told in (
            ({"every": "hangs"}, AWAY),
            ({"every": "fails"}, AWAY),
            ({"every": 3}, AWAY),
            ({"share/AbCdEfGh": "hangs"}, "Umami has not sent them yet"),
        ):
            umami.behave(**modes)
            section, _ = eventually(lambda: page(portal), partial(soon, told))
            assert (FRAME in section) == (told != AWAY)


def test_a_share_page_that_is_not_there(start_portal, umami):
    with start_portal(umami={**umami.settings, "share": "/umami/share/another"}) as portal:
        eventually(lambda: page(portal), partial(contains, "not understood: 404"))


def test_windows_are_whole_utc_days_that_end_today():
    now = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
    start = int(datetime(2026, 2, 1, tzinfo=UTC).timestamp()) * 1000
    end = int(datetime(2026, 3, 2, 15, 31, tzinfo=UTC).timestamp()) * 1000
    assert span(now, 30) == f"startAt={start}&endAt={end}"


@contextmanager
def away(start_portal, umami):
    umami.stop()
    with start_portal(umami=umami.settings) as portal:
        yield portal


def test_the_outbox_in_the_state_of_the_house(start_portal, umami, clients):
    """On the page, in JSON, for Prometheus."""
    with away(start_portal, umami) as portal:
        assert outbox(portal)["oldest"] is None
        for _ in range(3):
            post(portal, event(), clients.new(), agent=FIREFOX)
        state = outbox(portal)
        assert (state["waiting"], state["in_flight"]) == (3, 0)
        assert set(state["outcomes"]) == {"sent", "ignored", "refused", "uncertain", "dropped"}
        age = datetime.now(UTC) - datetime.fromisoformat(state["oldest"])
        assert 0 <= age.total_seconds() < 60
        _, _, html = ask(f"{portal.url}/metrics?token={TOKEN}", Accept="text/html")
        row = 'Waiting to be sent</th><td class="number">3</td><td>the oldest <time'
        assert row in html.decode()
        scraped = scrape(portal)
        assert scraped["portal_outbox_waiting_events"] == 3
        assert scraped["portal_outbox_in_flight_events"] == 0
        assert scraped["portal_outbox_bytes"] == state["bytes"] > 0
        assert abs(scraped["portal_outbox_oldest_timestamp_seconds"] - time.time()) < 60
        assert scraped["portal_page_events_total", "dropped"] == 0
        umami.start()
        eventually(lambda: outbox(portal)["waiting"], lambda waiting: not waiting)
        assert scrape(portal)["portal_page_events_total", "sent"] == 3
        assert "portal_outbox_oldest_timestamp_seconds" not in scrape(portal)


def scrape(portal):
    """What Prometheus reads: by name, or by name and outcome."""
    accept = {"Accept": "text/plain;version=0.0.4"}
    _, _, body = ask(f"{portal.url}/metrics", **BEARER, **accept)
    return {
        (sample.name, sample.labels["outcome"]) if "outcome" in sample.labels else sample.name: (
            sample.value
        )
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }
