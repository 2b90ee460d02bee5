"""The state of the portal on the operator's page: traffic, failures, Umami, a broken database."""

import re
import sqlite3
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.support.metrics import BEARER, condition_when, page
from tests.support.running import TOKEN, ask, git


def test_the_state_of_the_portal_is_that_of_all_processes(start_portal, standin, clients):
    with start_portal(processes=2) as portal:
        for _ in range(6):
            ask(f"{portal.url}/downloads/pets/v2.1.0/SHA256SUMS", clients.new())
        size = len(ask(f"{portal.url}/downloads/pets/v2.1.0/SHA256SUMS", clients.new())[2])
        house = condition_when(
            portal, lambda house: house["traffic"]["ever"].get("bytes", 0) >= 7 * size
        )
        assert house["traffic"]["last_24_hours"] == {"bytes": 7 * size}
        assert (house["transfers_running"], house["events_spilled"]) == (0, 0)
        assert house["database_bytes"] > 50_000


def test_failures_of_the_upstream_are_counted(start_portal, clients):
    with start_portal(gitlab="http://127.0.0.1:1") as portal:
        git("ls-remote", f"{portal.url}/pets.git", client=clients.new())
        wanted = {"upstream_failures", "listing_failures"}
        house = condition_when(portal, lambda house: wanted <= house["traffic"]["ever"].keys())
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
        (SHARE, "200", f'<iframe class="umami" src="{SHARE}?date=30day"'),
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
