"""Debian's nginx with the example before a real portal: addresses, uploads, files, clones, logs."""

import hashlib
import re
import socket
import ssl
import time

import pytest

from portal.http.client import ip_hash
from portal.saves.limits import FILE_BYTES
from tests.conftest import LARGE
from tests.process.test_stopping import BIG
from tests.support.deploy.caddy import VISITOR, Upstream, free_port
from tests.support.deploy.nginx import RunningNginx, needs_nginx
from tests.support.largesaves import large_prospect
from tests.support.running import curl, git
from tests.support.saves import mounts_json

pytestmark = needs_nginx

FORGED = "203.0.113.77"
SECRET = "s3cret-of-a-query"
FILE = "/downloads/pets/v2.1.0/SHA256SUMS"


@pytest.fixture(scope="module")
def site(start_portal, tmp_path_factory):
    """The portal, and nginx before it; the portal knows its public address."""
    portal = start_portal()
    portal.port = free_port()
    with RunningNginx(tmp_path_factory.mktemp("nginx"), f"127.0.0.1:{portal.port}") as nginx:
        portal.site_url = nginx.url
        with portal:
            yield portal, nginx


@pytest.fixture(scope="module")
def addresses():
    """Addresses of the loopback, each used once."""
    return (f"127.0.2.{number}" for number in range(1, 255))


@pytest.mark.parametrize(
    "forged",
    [
        {},
        {"X-Forwarded-For": FORGED},
        {"X-Forwarded-For": f"{FORGED}, 127.0.0.1"},
        {"X-Forwarded-For": "nonsense"},
        {"X-Real-IP": FORGED, "Forwarded": f"for={FORGED}", "True-Client-IP": FORGED},
    ],
)
@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_the_client_is_who_is_connected(site, addresses, forged, version):
    """Nobody can be somebody else, and two visitors are two."""
    portal, nginx = site
    address = next(addresses)
    fields = [f"-H{name}: {value}" for name, value in forged.items()]
    nginx.curl(FILE, version, *fields, address=address)
    assert portal.count("downloads", address) == 1
    everybody = {row[0] for row in portal.rows("select ip_hash from downloads")}
    assert everybody.isdisjoint(ip_hash(value, "") for value in (FORGED, "127.0.0.1"))


def test_what_the_portal_is_told(tmp_path):
    """One address, the name that was asked for, and nothing else about the client."""
    with Upstream() as upstream, RunningNginx(tmp_path, upstream.address) as nginx:
        fields = ["X-Forwarded-For: 1.2.3.4", "X-Real-IP: 1.2.3.4", "Forwarded: for=1.2.3.4"]
        nginx.ask("/a%2Fb//c?d=%20", *(f"-H{field}" for field in fields), address="127.0.0.7")
        assert upstream.asked[-1][1] == "/a%2Fb//c?d=%20"
        assert upstream.headers("X-Forwarded-For") == ["127.0.0.7"]
        assert upstream.headers("Host") == [f"localhost:{nginx.https}"]
        assert upstream.headers("X-Real-IP") + upstream.headers("Forwarded") == []


def test_the_portal_is_https(site):
    """Pages, clone commands and errors; and http leads there."""
    _, nginx = site
    status, headers, page = nginx.ask("/downloads/pets")
    assert status == 200
    assert f"git clone {nginx.url}/pets.git" in page.decode()
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["content-security-policy"].startswith("default-src 'self'; ")
    assert headers["server"] == "nginx"
    status, headers, _ = nginx.ask("/nothing/here")
    assert (status, headers["strict-transport-security"]) == (404, "max-age=31536000")
    plain = f"http://localhost:{nginx.http}/downloads/pets?x=y"
    said = curl("-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", plain).decode()
    assert said == "308 https://localhost/downloads/pets?x=y"


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest.mark.parametrize("size", ["small", "over 1 MB"])
def test_a_save_file_comes_in(site, tmp_path, size, version):
    _, nginx = site
    tool, content = ("pets", mounts_json()) if size == "small" else ("prospects", large_prospect())
    assert (len(content) > 1 << 20) == (size != "small")
    (tmp_path / "save.json").write_bytes(content)
    form = ("-F", f"file=@{tmp_path / 'save.json'}", "-H", "Expect:", "-H")
    assert nginx.ask(f"/{tool}", version, *form, f"Origin: {nginx.url}")[0] == 303
    assert nginx.ask(f"/{tool}", version, *form, "Origin: https://evil.example")[0] == 403


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_too_large_a_file_is_refused_by_the_portal(site, tmp_path, version):
    """In its own words, with its own limit; nginx' page knows neither."""
    _, nginx = site
    with (tmp_path / "save.json").open("wb") as file:
        file.truncate(2 * FILE_BYTES)
    form = ("-F", f"file=@{tmp_path / 'save.json'}", "-H", "Accept: application/json")
    status, _, body = nginx.ask("/pets", version, *form, "-H", "Expect:")
    assert (status, b"MiB" in body) == (413, True)


@pytest.mark.parametrize(
    ("path", "encoding"),
    [
        ("/", "gzip"),
        ("/downloads/pets", "gzip"),
        ("/pets/0123", "gzip"),
        ("/metrics?token=x", None),
        ("/downloads/pets/v1/notes.html", None),
        ("/downloads/pets/group/v1/notes.html", None),
        ("/pets.git/info/refs?service=git-upload-pack", None),
        ("/pets/0123/download", None),
        ("/prospects/0123/download", None),
    ],
)
def test_only_pages_are_compressed(pages, path, encoding):
    status, headers, body = pages.ask(path, "-H", "Accept-Encoding: gzip")
    assert (status, headers.get("content-encoding")) == (200, encoding)
    if encoding is None:
        assert int(headers["content-length"]) == len(body)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """nginx before what answers every request with a page that could be compressed."""
    with (
        Upstream() as upstream,
        RunningNginx(tmp_path_factory.mktemp("nginx"), upstream.address) as nginx,
    ):
        yield nginx


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_a_download_is_whole(site, addresses, version):
    portal, nginx = site
    digest = re.search(r"^(\w+) .*soak\.bin$", nginx.curl(FILE).decode(), re.MULTILINE)[1]
    address = next(addresses)
    content = nginx.curl(BIG, version, address=address)
    assert len(content) == LARGE
    assert hashlib.sha256(content).hexdigest() == digest
    part = nginx.ask(BIG, version, "-r", "1000-2000", address=address)
    assert (part[0], part[2]) == (206, content[1000:2001])
    tag = part[1]["etag"]
    assert nginx.ask(BIG, version, "-H", f"If-None-Match: {tag}", address=address)[0] == 304
    assert portal.count("downloads", address) == 1


@pytest.mark.parametrize("version", [0, 2])
def test_a_clone(site, content, tmp_path, version):
    portal, nginx = site
    before = portal.rows("select count(*) from clones where project = 'pets'")[0][0]
    options = ("-c", f"http.sslCAInfo={nginx.authority}", "-c", f"protocol.version={version}")
    status, said = git(*options, "clone", f"{nginx.url}/pets.git", tmp_path / "x", client=FORGED)
    assert status == 0, said
    assert git("fsck", "--strict", cwd=tmp_path / "x")[0] == 0
    assert portal.rows("select count(*) from clones where project = 'pets'") == [(before + 1,)]
    assert portal.count("clones", FORGED) == 0
    options += ("push", "origin", "HEAD:new")
    status, said = git(*options, cwd=tmp_path / "x")
    assert status != 0
    assert "remote: " in said


def test_no_address_and_no_secret_is_logged(site):
    """Whatever is asked, and however badly."""
    portal, nginx = site
    flags = ["-H", f"X-Forwarded-For: {FORGED}", "-A", SECRET, "-e", f"https://x/?{SECRET}"]
    upload = "0123456789abcdef0123456789abcdee"
    nginx.ask(f"/metrics?token={SECRET}", *flags)
    nginx.ask(f"/pets/{upload}/edit?x={SECRET}", *flags)
    nginx.ask("/downloads/pets/%0A%22x%22", *flags)
    for data in (b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"):
        context = ssl.create_default_context(cafile=nginx.authority)
        plain = socket.create_connection(("127.0.0.1", nginx.https), 5, (VISITOR, 0))
        with plain, context.wrap_socket(plain, server_hostname="localhost") as wrapped:
            wrapped.sendall(data)
            wrapped.recv(1000)
    with socket.create_connection(("127.0.0.1", nginx.https), 5, (VISITOR, 0)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        plain.recv(1000)
    portal.process.send_signal(19)  # SIGSTOP: the client gives up, and nginx has an error to tell
    nginx.curl("/", "-m", "1", check=False)
    portal.process.send_signal(18)
    until = time.monotonic() + 10
    while " 499 " not in (log := nginx.logs()):
        assert time.monotonic() < until, log
        time.sleep(0.05)
    for trace in (VISITOR, FORGED, SECRET, upload, "127.0.2."):
        assert trace not in log
    for line in (r" GET /metrics 401 \d+ ", r" GET /pets/- 405 \d+ ", r" GET / 499 0 "):
        assert re.search(line, log), line


def test_a_portal_that_is_down_is_said_in_a_sentence(tmp_path):
    with RunningNginx(tmp_path, f"127.0.0.1:{free_port()}") as nginx:
        for path in ("/", BIG, "/pets.git/info/refs?service=git-upload-pack"):
            status, headers, body = nginx.ask(path)
            assert (status, headers["retry-after"]) == (502, "10")
            assert headers["content-type"] == "text/plain; charset=UTF-8"
            assert headers["strict-transport-security"] == "max-age=31536000"
            assert body == b"This site cannot answer at the moment. Please try again in a minute.\n"
        assert VISITOR not in nginx.logs()
