"""Where the portal asks, what it tells there, and where it does not go."""

import asyncio
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest
from tornado.curl_httpclient import CurlAsyncHTTPClient
from tornado.httputil import HTTPHeaders

from portal.config.model import GitLab, Project
from portal.errors import UpstreamFailed
from portal.relay.upstream import Target, is_allowed, refused, throttled
from portal.relay.upstream import Upstream as Opener
from tests.support.exchanges import LIMITS, Client, run
from tests.support.gitlab.scripted import Upstream

LOOPBACK = (ip_network("127.0.0.0/8"),)


@asynccontextmanager
async def opener(gitlab, hosts=(), networks=LOOPBACK):
    client = CurlAsyncHTTPClient(force_instance=True)
    try:
        config = GitLab(gitlab, frozenset(hosts), networks, 30, token="secret")
        opener = Opener(client, config, LIMITS)
        opener.gitlab = gitlab
        yield opener
        await asyncio.sleep(0)
    finally:
        client.close()


async def fetch(opener, url, headers=()):
    relays = []

    def route(url):
        if "secret" in url:
            raise refused(url, "is of another project")
        return Target(url, own=url.startswith(f"{opener.gitlab}/"), page=".html" in url)

    answer = await opener.asset(url, dict(headers), relays.append, route)
    client = Client()
    await answer.relay.pump(client)
    return answer.status, bytes(client.received), relays


def test_the_token_goes_to_gitlab_and_nowhere_else():
    async def store(x):
        await x.answer(206 if "range" in x.headers else 200, b"bytes")

    async def main():
        async with Upstream(store) as objects:

            async def api(x):
                await x.answer(302, b"moved", Location=f"{objects.url}/key?signature=s")

            async with Upstream(api) as gitlab:
                hosts = [f"127.0.0.1:{objects.port}"]
                async with opener(gitlab.url + "/gitlab", hosts) as opened:
                    url = gitlab.url + "/gitlab/a file ü.zip"
                    asked = {"Range": "bytes=0-", "If-Range": '"a"'}
                    assert (await fetch(opened, url, asked))[:2] == (206, b"bytes")
            (first,), (second,) = gitlab.requests, objects.requests
            assert first.headers["private-token"] == "secret"
            assert first.line == "GET /gitlab/a%20file%20%C3%BC.zip HTTP/1.1"
            assert second.line == "GET /key?signature=s HTTP/1.1"
            assert "secret" not in str(second.headers)
            for request in (first, second):
                assert request.headers["range"] == "bytes=0-"
                assert request.headers["accept-encoding"] == "identity"

    run(main)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/x",
        "http://gitlab.example.com@127.0.0.1:1/x",
        "http://gitlab.example.com.evil.example/x",
        "http://gitlab.example.com:80/x",
        "http://gitlab.example.com\\@evil.example/x",
        "http://gitlab.example.com?@evil.example/x",
        "//gitlab.example.com/x",
        "ftp://gitlab.example.com/x",
        "file:///etc/passwd",
        "http://2130706433/x",
        "http://[::ffff:127.0.0.1]/x",
        "",
    ],
)
def test_other_hosts_are_refused(url):
    async def main():
        async with opener("http://gitlab.example.com", ["objects.example.com"]) as opened:
            with pytest.raises(UpstreamFailed, match="not allowed"):
                await fetch(opened, url)

    run(main)


def test_a_redirect_to_another_project_is_refused():
    async def api(x):
        await x.answer(302, Location="/api/v4/projects/secret/packages/x")

    async def main():
        async with Upstream(api) as gitlab, opener(gitlab.url) as opened:
            with pytest.raises(UpstreamFailed, match="not allowed"):
                await fetch(opened, gitlab.url + "/group/own/-/releases/v1/downloads/x")
            assert len(gitlab.requests) == 1

    run(main)


def test_no_redirect_leads_back_to_the_token():
    """Once an asset's address has left GitLab, GitLab is a host like any other."""

    async def main():
        async with Upstream(lambda x: x.answer(200, b"bytes")) as gitlab:
            back = f"{gitlab.url}/back"
            async with Upstream(lambda x: x.answer(302, Location=back)) as objects:
                hosts = [f"127.0.0.1:{objects.port}", f"127.0.0.1:{gitlab.port}"]
                async with opener(gitlab.url, hosts) as opened:
                    assert (await fetch(opened, f"{objects.url}/x"))[1] == b"bytes"
            assert "private-token" not in gitlab.requests[0].headers

    run(main)


@pytest.mark.parametrize("name", ["localhost", "127.1", "0x7f000001"])
def test_the_address_that_is_connected_to_is_checked(name):
    """A listed name is not enough: it can lead to an address that is not public."""

    async def main():
        async with Upstream(lambda x: x.answer(200, b"inside")) as inside:
            host = f"{name}:{inside.port}"
            async with opener("http://gitlab.example.com", [host], ()) as opened:
                with pytest.raises(UpstreamFailed):
                    await fetch(opened, f"http://{host}/x")
            assert not inside.requests
            async with opener("http://gitlab.example.com", [host]) as opened:
                assert (await fetch(opened, f"http://{host}/x"))[1] == b"inside"

    run(main)


@pytest.mark.parametrize(
    ("path", "kind", "status", "fine"),
    [
        ("/x.zip", "text/html; charset=utf-8", 200, False),
        ("/x.zip", "Text/HTML", 206, False),
        ("/x.zip", "application/xhtml+xml", 200, False),
        ("/x.html", "text/html", 200, True),
        ("/x.zip", "text/plain", 200, True),
        ("/x.zip", "text/html", 404, True),
    ],
)
def test_a_page_of_gitlabs_is_no_file(path, kind, status, fine):
    async def main():
        async def page(x):
            await x.answer(status, b"<title>Sign in", Content_Type=kind)

        async with Upstream(page) as gitlab, opener(gitlab.url) as opened:
            if fine:
                assert (await fetch(opened, gitlab.url + path))[0] == status
            else:
                with pytest.raises(UpstreamFailed, match="page in place of the file"):
                    await fetch(opened, gitlab.url + path)

    run(main)


@pytest.mark.parametrize("location", ["/loop", "", "http://127.0.0.1:1/"])
def test_redirects_that_lead_nowhere(location):
    async def main():
        async with Upstream(lambda x: x.answer(302, b"", Location=location)) as gitlab:
            async with opener(gitlab.url) as opened:
                with pytest.raises(UpstreamFailed):
                    await fetch(opened, gitlab.url + "/x")
            assert len(gitlab.requests) <= 6

    run(main)


def test_a_pooled_connection_that_was_closed_is_tried_again():
    async def once(x):
        await x.answer(200, b"bytes")
        await asyncio.sleep(0.02)  # kept open long enough to be pooled, closed without a word
        raise ConnectionError

    async def main():
        async with Upstream(once) as gitlab, opener(gitlab.url) as opened:
            for pause in (0, 0.01, 0.02, 0.03) * 5:
                assert (await fetch(opened, gitlab.url + "/x"))[1] == b"bytes"
                await asyncio.sleep(pause)

    run(main)


def test_the_environments_proxy_is_not_obeyed(monkeypatch):
    for name in ("http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def main():
        async with Upstream(lambda x: x.answer(200, b"x")) as gitlab, opener(gitlab.url) as opened:
            assert (await fetch(opened, gitlab.url + "/x"))[0] == 200

    run(main)


def test_git_gets_basic_credentials_and_the_clients_protocol():
    async def main():
        async with Upstream(lambda x: x.answer(200, b"x")) as gitlab, opener(gitlab.url) as opened:
            project = Project("pets", "group/pets", "Pets", "")
            relay = opened.git(project, "GET", "/info/refs", {"Git-Protocol": "version=2"})
            assert (await relay.head())[0] == 200
            (asked,) = gitlab.requests
            assert asked.line == "GET /group/pets.git/info/refs HTTP/1.1"
            assert asked.headers["git-protocol"] == "version=2"
            assert asked.headers["authorization"] == "basic b2f1dggyonnly3jlda=="  # oauth2:secret

    run(main)


@pytest.mark.parametrize(
    ("address", "networks", "expected"),
    [
        ("8.8.8.8", (), True),
        ("2606:4700::1111", (), True),
        ("127.0.0.1", (), False),
        ("10.0.0.1", (), False),
        ("169.254.169.254", (), False),
        ("100.64.0.1", (), False),
        ("224.0.0.1", (), False),
        ("0.0.0.0", (), False),
        ("::1", (), False),
        ("::ffff:127.0.0.1", (), False),
        ("fe80::1%eth0", (), False),
        ("fd00::1", (), False),
        ("fec0::1", (), False),
        ("ff0e::1", (), False),
        ("::", (), False),
        ("::127.0.0.1", (), False),
        ("64:ff9b::127.0.0.1", (), False),
        ("64:ff9b::10.0.0.1", (), False),
        ("64:ff9b::8.8.8.8", (), True),
        ("64:ff9b:1::8.8.8.8", (), False),
        ("2002:7f00:1::1", (), False),
        ("2002:808:808::1", (), True),
        ("2001:0:7f00:1::1", (), False),
        ("240.0.0.1", (), False),
        ("255.255.255.255", (), False),
        ("64:ff9b::127.0.0.1", LOOPBACK, True),
        ("127.0.0.1", LOOPBACK, True),
        ("::ffff:127.0.0.1", LOOPBACK, True),
        ("10.0.0.1", LOOPBACK, False),
        ("/run/socket", LOOPBACK, False),
    ],
)
def test_is_allowed(address, networks, expected):
    assert is_allowed(address, networks) is expected


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("0", 1), ("99999", 3600), ("Wed, 21 Oct 2015 07:28:00 GMT", 1), (None, 30)],
)
def test_throttled(value, seconds):
    headers = HTTPHeaders({"Retry-After": value} if value else {})
    assert throttled(headers).retry_after == seconds
