"""Requests over bare sockets that want in by their form: each is refused, and nothing more."""

import pytest

from portal.http.client import ip_hash
from tests.support.gitlab.faulty import FaultyGitLab
from tests.support.running import ask
from tests.support.wire import answers, exchange, request

FILE = "/downloads/pets/v2.1.0/SHA256SUMS"
# What is on this machine and in this project, and would show that somebody got through.
INSIDE = (b"root:", b"import ", b"[core]", b"METRICS_TOKEN", b"glpat-")


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/../../etc/passwd", 404),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/static/../server.py", 404),
        ("/static/%2e%2e/server.py", 404),
        ("/static/..%2fserver.py", 404),
        ("/static/%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404),
        ("/static/....//....//etc/passwd", 404),
        ("/static/..%5cserver.py", 404),
        ("/static/..\\server.py", 404),
        ("/static/%252e%252e%252fserver.py", 404),
        ("/static/%c0%ae%c0%ae/server.py", 400),
        ("/static//etc/passwd", 404),
        ("/static/%2fetc%2fpasswd", 404),
        ("/static/portal.css%00.png", 404),
        ("/static/%00", 404),
        ("/static/", 404),
        ("/static/umami", 404),
        ("/static/" + "a" * 5000, 404),
        ("/static/" + "a/" * 5000, 404),
        ("/downloads/pets/v2.1.0/..%2f..%2fSHA256SUMS", 404),
        ("/downloads/pets/../../server.py", 404),
        ("/downloads/..%2f..%2fetc/passwd", 404),
        ("/downloads/pets/v2.1.0%2f../SHA256SUMS", 404),
        ("/pets.git/../server.py", 404),
        ("/pets.git/objects/../config", 403),
        ("/pets.git/%2e%2e/prospects.git/info/refs?service=git-upload-pack", 404),
        ("/..%2fpets.git/info/refs?service=git-upload-pack", 404),
        ("/pets/..%2f..%2fetc%2fpasswd", 404),
        ("/pets/....................", 404),
        ("/prospects/%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00/download", 404),
        ("/%zz%f", 404),
        ("/downloads/%ff", 400),
        ("/downloads/pets?page=%ff", 400),
        ("/downloads/pets?page=" + "9" * 5000, 404),
        ("/downloads/pets?page=%D9%A1", 404),
        ("//evil.example/", 404),
        ("/.git/config", 404),
        ("/.env", 404),
    ],
)
def test_no_address_leads_out_of_what_is_served(portal, target, status):
    statuses, headers, body = answers(exchange(portal, request(target)))
    assert statuses == [status]
    assert "location" not in headers
    assert not [word for word in INSIDE if word in body]


SMUGGLED = f"GET {FILE} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {{client}}\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"
FRAMES = {
    "two lengths": ("Content-Length: 0\r\nContent-Length: {length}", ""),
    "a list of lengths": ("Content-Length: 0, {length}", ""),
    "length and chunks": ("Content-Length: {length}\r\n" + CHUNKED, "0\r\n\r\n"),
    "chunks and length": (CHUNKED + "\r\nContent-Length: 0", "0\r\n\r\n"),
    "chunks twice": (CHUNKED + "\r\n" + CHUNKED, "0\r\n\r\n"),
    "chunks, then none": (CHUNKED + "\r\nTransfer-Encoding: identity", "0\r\n\r\n"),
    "a list of codings": ("Transfer-Encoding: identity, chunked", "0\r\n\r\n"),
    "no such coding": ("Transfer-Encoding: xchunked", "0\r\n\r\n"),
    "a hidden coding": ("Transfer-Encoding: \x0bchunked", "0\r\n\r\n"),
    "a space before the colon": ("Transfer-Encoding : chunked", "0\r\n\r\n"),
    "a folded line": ("Transfer-Encoding:\r\n chunked", "0\r\n\r\n"),
    "length with a sign": ("Content-Length: +0", ""),
    "length below zero": ("Content-Length: -1", ""),
    "length with an underscore": ("Content-Length: 1_0", "0123456789"),
    "length in hex": ("Content-Length: 0x0", ""),
    "length of other digits": ("Content-Length: \xd9\xa1", ""),
    "length of 5,000 digits": ("Content-Length: " + 5000 * "9", ""),
    "size below zero": (CHUNKED, "-1\r\n\r\n"),
    "size with a sign": (CHUNKED, "+1\r\na\r\n0\r\n\r\n"),
    "size in C": (CHUNKED, "0x1\r\na\r\n0\r\n\r\n"),
    "size with an underscore": (CHUNKED, "1_0\r\n0123456789abcdef\r\n0\r\n\r\n"),
    "size with a space": (CHUNKED, "1 \r\na\r\n0\r\n\r\n"),
    "size that overflows": (CHUNKED, "fffffffffffffffff\r\na\r\n0\r\n\r\n"),
    "size of many digits": (CHUNKED, 100 * "0" + "1\r\na\r\n0\r\n\r\n"),
    "chunk longer than its size": (CHUNKED, "1\r\nabc\r\n0\r\n\r\n"),
    "no size": (CHUNKED, "\r\na\r\n0\r\n\r\n"),
}
TARGETS = ("/pets", "/pets.git/git-upload-pack", "/u/api/send", "/downloads")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_a_body_whose_end_is_in_doubt_is_refused_with_all_that_follows(
    portal, clients, target, frame
):
    fields, body = frame
    client = clients.new()
    smuggled = SMUGGLED.format(client=client)
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\n{fields.format(length=len(smuggled))}\r\n\r\n"
    statuses, _, _ = answers(exchange(portal, head + body + smuggled))
    assert statuses in ([400], [])  # closed without a word where even that is too much
    assert portal.count("downloads", client) == 0
    assert ask(f"{portal.url}/healthz")[0] == 200


@pytest.mark.parametrize(
    "fields",
    [
        "Content-Length: 4\r\nContent-Length: 5",
        "Content-Length: 4\r\n" + CHUNKED,
        "Content-Length: " + 30 * "9",
        "Content-Length: " + 5000 * "9",
    ],
)
def test_nothing_of_such_a_body_goes_upstream(start_portal, fields):
    with FaultyGitLab() as gitlab, start_portal(gitlab=gitlab.url) as portal:
        head = f"POST /pets.git/git-upload-pack HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n"
        exchange(portal, head + "4\r\n0000\r\n0\r\n\r\n")
        assert not [line for line in gitlab.requests if "upload-pack" in line]


@pytest.mark.parametrize(
    ("data", "statuses"),
    [
        (request("/healthz"), [200]),
        (request("/healthz", "X: " + "a" * 100_000), []),
        (request("/" + "a" * 100_000), []),
        (request("/healthz", *(f"X-{n}: a" for n in range(2000))), [200]),
        (request("/healthz", *(f"X-{n}: a" for n in range(20_000))), []),
        (request("/healthz", "X: a\r\n b"), [400]),
        (request("/healthz", "X: a\rb"), [400]),
        (request("/healthz", "X: a\0b"), [400]),
        (request("/healthz", "X : a"), [400]),
        (request("/healthz", "X"), [400]),
        (request("/healthz", ": a"), [400]),
        (request("/healthz", "Host: y"), [400]),
        (request("/healthz", host="a/b"), [400]),
        (request("/healthz", host="a@evil.example"), [400]),
        (request("/healthz", host='a"><script>'), [400]),
        (request("/healthz", host="a b"), [400]),
        ("GET /healthz HTTP/1.1\r\n\r\n", [400]),
        ("GET /healthz x HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
        ("GET\t/healthz\tHTTP/1.1\r\nHost: x\r\n\r\n", [400]),
        ("GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n", [400]),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]),
        ("GET /healthz\r\n\r\n", [400]),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", [400]),
        (request("http://evil.example/healthz"), [404]),
        (request("http://evil.example/downloads/pets"), [404]),
        (request("*", method="OPTIONS"), [404]),
        (request("evil.example:80", method="CONNECT"), [405]),
        (request("/healthz", method="CONNECT"), [405]),
        (request("/healthz", method="TRACE"), [405]),
        (request("/healthz", method="get"), [405]),
        (request("/healthz", method="A" * 3000), [405]),
        (request("/healthz", method="PROPFIND"), [405]),
        (request("/healthz", method="G(T"), [400]),
        (request("/healthz", "Upgrade: websocket"), [200]),
        (request("/healthz", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), [200]),
        (request("/healthz#x"), [404]),
    ],
)
def test_heads(portal, data, statuses):
    found, _, body = answers(exchange(portal, data))
    assert found == statuses
    assert b"X-Forwarded-For" not in body  # TRACE gives nothing back
    assert ask(f"{portal.url}/healthz")[0] == 200


@pytest.mark.parametrize(
    "target",
    [
        "/downloads/pets/latest",
        "/downloads/pets/latest/SHA256SUMS",
        "/downloads/pets/v2.1.0",
        "/downloads/pets/release%2F2.1",
        "/downloads/pets/v2.1.0%0d%0aX-Evil:%201",
        "/downloads/pets/latest/%0d%0aX-Evil:%201",
        "/downloads/pets/latest/SHA256SUMS%0d%0aX-Evil:%201",
        "/downloads/%0d%0aX-Evil:1/latest",
        "/pets.git",
        "/pets.git/",
        "/pets/info/refs?service=git-upload-pack%0d%0aX-Evil:%201",
        "/pets/info/refs?service=//evil.example",
        "/pets/info/refs?//evil.example",
        "//evil.example/pets.git",
        "//evil.example/downloads/pets/latest",
        "/\\evil.example/pets.git",
        "/%2f/evil.example",
        "/%5cevil.example/",
        "/https:evil.example",
        "/downloads//evil.example/latest/x",
        "/downloads/pets/latest/..%2f..%2f..%2fevil.example",
        "/metrics?next=//evil.example",
    ],
)
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_no_redirect_leads_away_and_no_name_makes_a_header(portal, target, accept):
    statuses, headers, body = answers(exchange(portal, request(target, f"Accept: {accept}")))
    assert len(statuses) == 1
    assert "x-evil" not in headers
    location = headers.get("location", "/")
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert b"url=" not in body.lower()
    assert b"http-equiv" not in body.lower()


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", "198.51.100.77", "198.51.100.77"),
        ("127.0.0.1", "203.0.113.1, 198.51.100.78", "198.51.100.78"),
        ("127.0.0.2", "198.51.100.79", "127.0.0.2"),
        ("127.0.0.3", "127.0.0.1", "127.0.0.3"),
        (
            "127.0.0.4",
            "::1\r\nX-Real-IP: 198.51.100.80\r\nForwarded: for=198.51.100.80",
            "127.0.0.4",
        ),
    ],
)
def test_who_is_no_proxy_cannot_say_who_it_is(start_portal, peer, forwarded, client):
    with start_portal() as portal:
        asked = request(FILE, f"X-Forwarded-For: {forwarded}")
        assert answers(exchange(portal, asked, source=peer))[0] == [200]
        assert portal.rows("select ip_hash from downloads") == [(ip_hash(client, ""),)]
