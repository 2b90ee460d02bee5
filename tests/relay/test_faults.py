"""Upstreams that fail while a file is asked for: what the client sees, and what is counted."""

import time

import pytest

from tests.support.files import BIG, SMALL
from tests.support.gitlab.faulty import FaultyGitLab
from tests.support.running import ask, begin, curl


@pytest.fixture(scope="module")
def faulty(start_portal):
    """A portal whose one release has only files that go wrong."""
    with (
        FaultyGitLab() as gitlab,
        start_portal(
            gitlab=gitlab.url, asset_host="", first_byte_seconds=0.5, upstream_stall_seconds=0.5
        ) as portal,
    ):
        yield portal


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("silent.bin", 504, "takes too long"),
        ("loop.bin", 502, "leads nowhere"),
        ("elsewhere.bin", 502, "not allowed to ask"),
        ("metadata.bin", 502, "not allowed to ask"),
        ("other.bin", 404, "has no file"),
        ("garbage.bin", 502, "upstream server"),
        ("gone.bin", 404, "not there any more"),
        ("forbidden.bin", 404, "not there any more"),
        ("throttled.bin", 503, "try again in 7 seconds"),
        ("failing.bin", 502, "server that holds this file failed"),
    ],
)
def test_no_file_is_a_sentence_and_no_download(faulty, clients, name, status, words):
    client = clients.new()
    url = f"{faulty.url}/downloads/pets/v1/{name}"
    answer = ask(url, client)
    assert (answer[0], answer[1]["content-type"]) == (status, "text/plain; charset=UTF-8")
    assert words in answer[2].decode()
    assert b"secret" not in answer[2]
    assert b"<h1" in ask(url, client, Accept="text/html")[2]
    assert ask(url, client, "HEAD")[0] == status
    assert faulty.count("downloads", client) == 0


@pytest.mark.parametrize("name", ["truncated.bin", "chunked.bin", "stalls.bin"])
def test_a_broken_file_is_a_broken_transfer_and_was_counted(faulty, clients, name):
    client = clients.new()
    url = f"{faulty.url}/downloads/pets/v1/{name}"
    done = curl("-o", "/dev/null", url, client=client, check=False)
    assert done.returncode in (18, 56), done.stderr
    assert faulty.count("downloads", client) == 1


def test_only_the_listed_headers_come_back(faulty, clients):
    headers = ask(f"{faulty.url}/downloads/pets/v1/crlf.bin", clients.new())[1]
    assert "x-evil" not in headers
    assert headers["content-type"] == "text/css"
    assert "sandbox" in headers["content-security-policy"]
    assert headers["content-disposition"].startswith("attachment")


def test_an_empty_file_is_a_download(faulty, clients):
    client = clients.new()
    assert ask(f"{faulty.url}/downloads/pets/v1/empty.bin", client)[2] == b""
    assert faulty.count("downloads", client) == 1


def test_failures_have_their_verdict_and_their_line_in_the_log(faulty, clients):
    [(before,)] = faulty.rows("select sum(count) from request_totals where verdict = 'failed'")
    ask(f"{faulty.url}/downloads/pets/v1/failing.bin", clients.new())
    ask(f"{faulty.url}/downloads/pets/v1/gone.bin", clients.new())
    [(after,)] = faulty.rows("select sum(count) from request_totals where verdict = 'failed'")
    assert after == before + 2
    assert "The server that holds this file failed" in faulty.log()
    assert "Traceback" not in faulty.log()


def test_a_stalled_client_is_let_go(start_portal, clients):
    """Its transfer ends after the limit, and gives its slot back."""
    with start_portal(transfers=1, client_stall_seconds=0.5) as portal, begin(portal, BIG):
        assert ask(portal.url + SMALL, clients.new())[0] == 503
        until = time.monotonic() + 10
        while ask(portal.url + SMALL, clients.new())[0] != 200 and time.monotonic() < until:
            time.sleep(0.05)
        assert time.monotonic() < until
