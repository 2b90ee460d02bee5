"""The operator's page: what it shows, to people and to programs."""

import csv
import io
import json
import re
import sqlite3
import threading
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from html import unescape
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sql.database import migrate
from tests.support.running import TOKEN, ask, git

BEARER = {"Authorization": f"Bearer {TOKEN}"}
HOSTILE = (
    "<script>alert(1)</script>",
    "</td></table><img src=x>",
    "\"quotes\" & 'apostrophes'",
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "\N{ARABIC LETTER ALEF}\N{ARABIC LETTER BEH}",
    "a\nb",
    "tab\tand return\r",
    "nul \N{REPLACEMENT CHARACTER}",
    "x" * 100_000,
    "",
)


@pytest.fixture(scope="module")
def portal(start_portal):
    """One that has seen something of everything."""
    running = start_portal(processes=2)
    migrate(running.data_dir / "portal.sqlite3")
    fill(running)
    with running:
        house_when(running, lambda house: not house["clients_behind_seconds"])
        yield running


def fill(portal):
    today = datetime.now(UTC).date()
    old = today - timedelta(days=45)
    for day, clients in ((old, "cd"), (today, "abc")):
        for client in clients:
            who = f"{day} 00:00:01", client
            portal.rows(
                "insert into downloads values (null, 'pets', 'v1', 'a.zip', ?, ?, 'u')", *who
            )
            portal.rows("insert into clones values (null, 'prospects', ?, ?, 'git')", *who)
            portal.rows("insert into tool_usage values (null, 'pets', 'upload', ?, ?, 'u')", *who)
            for event, detail, results in (
                ("category_view", "Items", None),
                ("search", "wolf", 12),
                ("search", "unicorn", 0),
                ("diff_view", "1..2", None),
            ):
                portal.rows(
                    "insert into catalog_interactions values (null, ?, ?, ?, ?, ?)",
                    *(event, detail, results, *who),
                )
    for detail in HOSTILE:
        portal.rows(
            "insert into catalog_interactions values (null, 'search', ?, 0, ?, 'h')",
            *(detail, f"{today} 00:00:02"),
        )
        portal.rows(
            "insert into downloads values (null, 'pets', 'v1', ?, ?, 'h', ?)",
            *(detail, f"{today} 00:00:02", detail),
        )


def house_when(portal, fine):
    """The state of the house once it is as it should be; what is behind comes every 2 seconds."""
    until = time.monotonic() + 20
    while not fine(house := as_json(portal)["house"]):
        assert time.monotonic() < until, house
        time.sleep(0.1)
    return house


def as_json(portal, query=""):
    status, headers, body = ask(f"{portal.url}/metrics?format=json{query}", **BEARER)
    assert status == 200, body
    assert headers["content-type"] == "application/json; charset=UTF-8"
    return json.loads(body)


def page(portal, query=""):
    status, _, body = ask(f"{portal.url}/metrics?token={TOKEN}{query}", Accept="text/html")
    assert status == 200
    return body.decode()


def cells(html, table):
    """The rows of a table, as lists of text."""
    body = re.search(rf'id="table-{table}".*?</table>', html, re.DOTALL)[0]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    kept = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[unescape(re.sub(r"</?bdi[^>]*>", "", cell)) for cell in row] for row in kept]


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


@pytest.mark.parametrize("detail", HOSTILE)
def test_hostile_text_is_text_in_every_form(portal, detail):
    html = page(portal)
    shown = detail[:120] + ("…" if len(detail) > 120 else "")
    parsed = shown.replace("\r", "&#13;")
    assert shown in [row[0] for row in cells(html, "searches")]
    assert shown in [row[2] for row in cells(html, "downloads-by-asset") if len(row) > 2]
    assert "<script" not in html
    assert "<img" not in html
    assert parsed is not None
    rows = as_json(portal)["sections"]["catalog"]["tables"]["searches"]["rows"]
    assert detail in [row["search"] for row in rows]
    for table, column in (("searches", 0), ("downloads-by-asset", 2)):
        kept = [line[column] for line in table_of(portal, table)[1:]]
        formula = detail.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert ("'" if formula else "") + detail in kept


def table_of(portal, name, window="30"):
    """A CSV table, as a spreadsheet reads it."""
    url = f"{portal.url}/metrics?format=csv&table={name}&window={window}"
    status, headers, body = ask(url, **BEARER)
    assert status == 200, body
    assert headers["content-type"] == "text/csv; charset=UTF-8"
    assert f'filename="{name}-' in headers["content-disposition"]
    text = body.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_a_csv_has_all_that_the_page_has(portal):
    names = re.findall(r"format=csv&amp;table=([\w-]+)", page(portal))
    assert len(names) == 11
    for name in names:
        table = table_of(portal, name)
        assert len({len(line) for line in table}) == 1
    assert table_of(portal, "clones-by-project")[1] == [
        *("prospects", "3", "2", "5", "5", "3", "2", "4", "4")
    ]
    assert table_of(portal, "searches")[1] == ["unicorn", "3", "2", "5", "5", "0"]
    days = table_of(portal, "days")
    assert (days[0], len(days)) == (["section", "day", "count", "clients"], 1 + 4 * 90)


def test_a_long_table_is_cut_and_its_csv_is_not(start_portal):
    with start_portal() as portal:
        today = str(datetime.now(UTC).date())
        for number in range(250):
            portal.rows(
                "insert into catalog_totals (day, event, detail, count, results)"
                " values (?, 'search', ?, ?, 1)",
                *(today, f"word {number}", number + 1),
            )
        assert len(cells(page(portal), "searches")) == 101
        assert "The first 100. " in page(portal)
        assert as_json(portal)["sections"]["catalog"]["tables"]["searches"]["more"] is True
        table = table_of(portal, "searches")
        assert [line[0] for line in table[1:]] == [f"word {n}" for n in range(249, -1, -1)]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("window=31", "30, 90, all"),
        ("window=", "30, 90, all"),
        ("format=xml", "html, json, csv, prometheus"),
        ("format=csv", "downloads-by-project"),
        ("format=csv&table=users", "searches-without-result"),
        ("format=csv&table=%00<b>", "days"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(portal, query, sentence):
    status, _, body = ask(f"{portal.url}/metrics?{query}", **BEARER)
    assert (status, sentence in body.decode()) == (400, True)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/html"),
        ("*/*", "text/html"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("text/plain", "text/html"),
        ("text/html,text/plain;version=0.0.4;q=0.9", "text/html"),
        ("application/json", "application/json"),
        ("text/plain;version=0.0.4", "text/plain"),
        ("text/plain; version=0.0.4;q=0.5,*/*;q=0.1", "text/plain"),
        (
            "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openmetrics-text",
        ),
    ],
)
def test_the_form_that_accept_prefers(portal, accept, kind):
    answer = ask(f"{portal.url}/metrics", Accept=accept, **BEARER)
    assert answer[0] == 200
    assert answer[1]["content-type"].startswith(kind)


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


def test_the_state_of_the_house_is_that_of_all_processes(start_portal, standin, clients):
    with start_portal(processes=2) as portal:
        for _ in range(6):
            ask(f"{portal.url}/downloads/pets/v2.1.0/SHA256SUMS", clients.new())
        size = len(ask(f"{portal.url}/downloads/pets/v2.1.0/SHA256SUMS", clients.new())[2])
        house = house_when(
            portal, lambda house: house["traffic"]["ever"].get("bytes", 0) >= 7 * size
        )
        assert house["traffic"]["last_24_hours"] == {"bytes": 7 * size}
        assert (house["transfers_running"], house["events_spilled"]) == (0, 0)
        assert house["database_bytes"] > 50_000


def test_failures_of_the_upstream_are_counted(start_portal, clients):
    with start_portal(gitlab="http://127.0.0.1:1") as portal:
        git("ls-remote", f"{portal.url}/pets.git", client=clients.new())
        house = house_when(portal, lambda house: len(house["traffic"]["ever"]) == 2)
        ever = house["traffic"]["ever"]
        assert ever["upstream_failures"] == 1
        assert ever["listing_failures"] >= 1


SHARE = "/umami/share/AbCd/pets.example.com"


@pytest.mark.parametrize(
    ("share", "answer", "shown"),
    [
        ("", "200", "set <code>share</code> under <code>[umami]</code>"),
        (SHARE, "", "Umami does not answer at http://127.0.0.1:"),
        (SHARE, "500", "Umami does not answer at http://127.0.0.1:"),
        (SHARE, "200", f'<iframe class="umami" src="{SHARE}"'),
    ],
)
def test_umami_is_embedded_while_it_answers(start_portal, share, answer, shown):
    with umami(answer) as url, start_portal(umami={"url": url, "share": share}) as portal:
        html = page(portal)
        assert shown in html
        assert html.count("<iframe") == (shown.startswith("<iframe"))
        assert TOKEN not in html
        assert not re.findall(r'(?:src|href)="(?!/|#)', html)


@contextmanager
def umami(status):
    """Its heartbeat; without a status, nobody is there."""

    class Heartbeat(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(int(status) if self.path == "/base/api/heartbeat" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Heartbeat)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    if not status:
        server.shutdown()
        server.server_close()
    yield f"http://127.0.0.1:{server.server_port}/base"
    if status:
        server.shutdown()
        server.server_close()
    thread.join()


def test_no_page_leads_there(portal):
    for path in ("/", "/downloads", "/downloads/pets", "/robots.txt"):
        assert b"metrics" not in ask(portal.url + path, Accept="text/html")[2]


def test_numbers_that_cannot_be_read_are_said_to_be(start_portal):
    with start_portal() as portal:
        database = portal.data_dir / "portal.sqlite3"
        ask(f"{portal.url}/metrics", **BEARER)
        with sqlite3.connect(database) as writer:
            writer.execute("drop view current_counts")
        for form in ("html", "json", "prometheus", "csv&table=clones-by-project"):
            status, headers, body = ask(f"{portal.url}/metrics?format={form}", **BEARER)
            assert (status, headers["retry-after"]) == (503, "60")
            assert b"cannot be read" in body
        assert "no such table" in portal.log()
        assert "Traceback" not in portal.log()
