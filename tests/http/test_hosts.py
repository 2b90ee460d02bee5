"""A Host that is not ours: what answers it, and what it can put into an answer."""

import pytest

from portal.http.hosts import is_ours
from tests.support.running import ask, git
from tests.support.wire import answers, exchange, request

SITE = "https://portal.example"


@pytest.mark.parametrize(
    ("host", "site", "expected"),
    [
        ("portal.example", SITE, True),
        ("PORTAL.example", SITE, True),
        ("portal.example:443", SITE, True),
        ("portal.example.", SITE, True),
        ("portal.example:80", SITE, False),
        ("portal.example", "http://portal.example:8000", False),
        ("portal.example:8000", "http://portal.example:8000", True),
        ("portal.example.evil.example", SITE, False),
        ("evil.example", SITE, False),
        ("evil.example:443", SITE, False),
        ("127.0.0.1.evil.example", SITE, False),
        ("", SITE, False),
        ("127.0.0.1", SITE, True),
        ("127.0.0.1:8000", SITE, True),
        ("[::1]:8000", SITE, True),
        ("[::1]", SITE, True),
        ("localhost:8000", SITE, True),
        ("evil.example", "", True),
    ],
)
def test_whose_name_it_is(host, site, expected):
    assert is_ours(host, site) is expected


@pytest.fixture(scope="module")
def portal(start_portal):
    """One that knows its own name."""
    with start_portal(site_url=SITE) as running:
        yield running


PAGES = (
    "/",
    "/downloads",
    "/downloads/pets",
    "/downloads/pets/v0",
    "/nothing",
    "/pets",
    "/metrics",
)


@pytest.mark.parametrize("path", [*PAGES, "/static/portal.css", "/pets.git/info/refs"])
@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
def test_another_name_is_told_which_is_ours(portal, path, accept):
    asked = request(path, f"Accept: {accept}", host="evil.example")
    statuses, headers, body = answers(exchange(portal, asked))
    assert statuses in ([421], [404])  # where nothing is, nothing is
    assert b"evil.example" not in body + str(headers).encode()
    assert headers["cache-control"] == "no-store"
    assert (SITE.encode() in body) is (statuses == [421])


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    "field", ["X-Forwarded-Host: evil.example", "Forwarded: host=evil.example"]
)
def test_no_name_of_a_header_gets_into_a_page(portal, path, field):
    _, headers, body = answers(exchange(portal, request(path, field, host="portal.example")))
    assert b"evil.example" not in body + str(headers).encode()
    assert b"git clone http:" not in body


def test_whoever_watches_it_may_use_any_name(portal):
    for host in ("evil.example", "10.0.0.1:8000"):
        assert answers(exchange(portal, request("/healthz", host=host)))[0] == [200]


def test_git_says_where_to_go(portal, tmp_path):
    url = f"http://evil.example:{portal.port}/pets.git"
    proxied = ("-c", f"http.curloptResolve=evil.example:{portal.port}:127.0.0.1")
    status, output = git(*proxied, "clone", url, tmp_path / "x")
    assert status != 0
    assert f"It is {SITE}/ here" in output
    assert git("clone", f"{portal.url}/pets.git", tmp_path / "x")[0] == 0


def test_without_a_name_of_its_own_a_page_speaks_to_each_as_it_was_asked(start_portal):
    """No cache may give it to another: the name is part of what was asked (RFC 9110, 7.1)."""
    with start_portal() as portal:
        for host in ("one.example", "two.example:81"):
            body = answers(exchange(portal, request("/", host=host)))[2]
            assert f"git clone http://{host}/pets.git".encode() in body
        assert ask(portal.url)[0] == 200
