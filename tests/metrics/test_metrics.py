"""The operator's page: what it shows, to people and to programs."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.metrics import BEARER, HOSTILE, as_json, cells, page
from tests.support.running import ask, git


@pytest.fixture
def portal(filled_portal):
    return filled_portal


def test_each_number_stands_in_each_window_beside_its_clients(portal):
    html = page(portal)
    n = len(HOSTILE)
    assert cells(html, "clones-by-project")[2:] == [
        ["prospects", "3", "+50%", "5", "5", "3", "+50%", "4", "4"],
        ["Total", "3", "+50%", "5", "5", "3", "+50%", "4", "4"],
    ]
    assert cells(html, "tools-by-event")[2] == [
        *("pets", "upload", "3", "+50%", "5", "5", "3", "+50%", "4", "4")
    ]
    total = [str(3 + n), f"+{round((1 + n) / 2 * 100):,}%", str(5 + n), str(5 + n)]
    assert cells(html, "downloads-by-project")[-1] == ["Total", *total, "4", "+100%", "5", "5"]
    assert cells(html, "downloads-by-version")[1] == ["pets", "v1", *total]
    assert ["pets", "v1", "a.zip", "3", "+50%", "5", "5"] in cells(html, "downloads-by-asset")
    assert cells(html, "categories")[1] == ["Items", "3", "+50%", "5", "5"]
    assert cells(html, "searches")[1:3] == [
        ["unicorn", "3", "+50%", "5", "5", "0"],
        ["wolf", "3", "+50%", "5", "5", "12"],
    ]
    assert cells(html, "searches-without-result")[1] == ["unicorn", "3", "+50%", "5", "5"]
    assert cells(html, "diffs")[1] == ["1..2", "3", "+50%", "5", "5"]
    assert cells(html, "catalog-by-event")[2][0] == "Searches"


def test_what_is_done_now_is_shown(start_portal, clients):
    with start_portal() as portal:
        for _ in range(3):
            ask(f"{portal.url}/downloads/pets/v2.1.0/SHA256SUMS", clients.new())
        ask(f"{portal.url}/downloads/pets/v2.1.0/SHA256SUMS", method="HEAD")
        git("ls-remote", f"{portal.url}/prospects.git", client=clients.new())
        html = page(portal)
        assert cells(html, "downloads-by-version")[1][:3] == ["pets", "v2.1.0", "3"]
        assert cells(html, "clones-by-project")[2][:2] == ["prospects", "1"]
        assert ["Counted as a download", "3", "from 0", "3", "3"] in cells(html, "requests")
        assert ["HEAD: only asked about", "1", "from 0", "1", "1"] in cells(html, "requests")


def test_the_last_ninety_days_week_by_week(portal):
    days = as_json(portal)["sections"]["clones"]["days"]
    assert len(days) == 90
    today = datetime.now(UTC).date()
    assert (days[-1], days[44]["count"]) == (
        {"day": str(today), "count": 3, "clients": 3},
        2,
    )
    assert date.fromisoformat(days[0]["day"]) == today - timedelta(days=89)
    html = page(portal)
    week = re.search(r'id="days-clones".*?<tbody>(.*?)</tr>', html, re.DOTALL)[1]
    assert f'title="{today}: 3 clients">3<svg class="bar"' in week
    assert 'width="100.0%"' in week
    assert "style=" not in html
    assert "<script" not in html


def scrape(portal):
    text = ask(f"{portal.url}/metrics?format=prometheus", **BEARER)[2].decode()
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_scraper_gets_the_same_from_every_process(portal):
    answers = [scrape(portal) for _ in range(8)]
    assert len({frozenset(answer) for answer in answers}) == 1
    for answer in answers:
        assert answer["portal_clones_total", ("prospects",)] == 5
        assert answer["portal_tool_uses_total", ("pets", "upload")] == 5
        assert answer["portal_catalog_interactions_total", ("diff_view",)] == 5
        assert answer["portal_clients", ("", "30d", "clones")] == 3
        assert answer["portal_clients", ("", "all", "clones")] == 4
        assert answer["portal_spilled_events", ()] == 0
        assert answer["portal_disk_free_bytes", ()] > 0


def test_no_page_leads_there(portal):
    for path in ("/", "/downloads", "/downloads/pets", "/robots.txt"):
        assert b"metrics" not in ask(portal.url + path, Accept="text/html")[2]
