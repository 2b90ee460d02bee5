"""Debian's Caddy before a real portal: addresses, https, what is compressed, downloads, clones."""

import hashlib
import os
import re
import subprocess

import pytest

from portal.http.client import ip_hash
from tests.conftest import LARGE
from tests.process.test_stopping import BIG
from tests.support.deploy.caddy import VISITOR, RunningCaddy, Upstream, free_port, needs_caddy
from tests.support.running import ROOT, curl, git
from tests.support.saves import mounts_json

pytestmark = needs_caddy

FORGED = "203.0.113.77"


@pytest.fixture(scope="module")
def site(start_portal, tmp_path_factory):
    """The portal, and Caddy before it; the portal knows its public address."""
    portal = start_portal()
    portal.port = free_port()
    with RunningCaddy(tmp_path_factory.mktemp("caddy"), f"127.0.0.1:{portal.port}") as caddy:
        portal.site_url = caddy.url
        with portal:
            yield portal, caddy


@pytest.fixture(scope="module")
def addresses():
    """Addresses of the loopback, each used once."""
    return (f"127.0.1.{number}" for number in range(1, 255))


@pytest.mark.parametrize(
    "forged",
    [
        {"X-Forwarded-For": FORGED},
        {"X-Forwarded-For": f"{FORGED}, 127.0.0.1"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-For": "nonsense"},
        {"X-Real-IP": FORGED, "Forwarded": f"for={FORGED}", "True-Client-IP": FORGED},
    ],
)
@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_the_client_is_who_is_connected(site, addresses, forged, version):
    portal, caddy = site
    address = next(addresses)
    fields = [f"-H{name}: {value}" for name, value in forged.items()]
    caddy.curl("/downloads/pets/v2.1.0/SHA256SUMS", version, *fields, address=address)
    assert portal.count("downloads", address) == 1
    everybody = {row[0] for row in portal.rows("select ip_hash from downloads")}
    assert everybody.isdisjoint(ip_hash(value, "") for value in (FORGED, "127.0.0.1"))


def test_one_forwarded_header(tmp_path):
    """What the portal is told of the client, when that makes up all it can."""
    with Upstream() as upstream, RunningCaddy(tmp_path, upstream.address) as caddy:
        fields = ["X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: 5.6.7.8", "X-Real-IP: 1.2.3.4"]
        fields += ["Forwarded: for=1.2.3.4", "X-Forwarded-Host: evil", "X-Forwarded-Proto: ftp"]
        caddy.ask("/", *(f"-H{field}" for field in fields), address="127.0.0.7")
        assert upstream.headers("X-Forwarded-For") == ["127.0.0.7"]
        assert upstream.headers("X-Forwarded-Proto") == ["https"]
        assert upstream.headers("X-Forwarded-Host") == [f"localhost:{caddy.https}"]
        assert upstream.headers("X-Real-IP") + upstream.headers("Forwarded") == []
        assert upstream.headers("Accept-Encoding") == []


def test_the_portal_is_https(site, addresses):
    """Pages, clone commands, forms and errors; and http leads there."""
    _, caddy = site
    status, headers, page = caddy.ask("/downloads/pets")
    assert status == 200
    assert f"git clone {caddy.url}/pets.git" in page.decode()
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["content-security-policy"].startswith("default-src 'self'; ")
    assert "set-cookie" not in headers
    status, headers, _ = caddy.ask("/nothing/here")
    assert (status, headers["strict-transport-security"]) == (404, "max-age=31536000")
    plain = f"http://localhost:{caddy.http}/downloads/pets?x=y"
    said = curl("-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", plain).decode()
    assert said == "308 https://localhost/downloads/pets?x=y"


@pytest.mark.parametrize(
    ("origin", "status"), [("https://localhost:{port}", 303), ("https://evil.example", 403)]
)
def test_forms_work_behind_it(site, tmp_path, origin, status):
    """The portal compares a form's origin with the host that Caddy passes on."""
    _, caddy = site
    (tmp_path / "Mounts.json").write_bytes(mounts_json())
    form = f"file=@{tmp_path / 'Mounts.json'}"
    field = f"Origin: {origin.format(port=caddy.https)}"
    assert caddy.ask("/pets", "-F", form, "-H", field)[0] == status


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Caddy before what answers every request with a page that could be compressed."""
    with (
        Upstream() as upstream,
        RunningCaddy(tmp_path_factory.mktemp("caddy"), upstream.address) as caddy,
    ):
        yield caddy


@pytest.mark.parametrize(
    ("path", "encoding"),
    [
        ("/", "gzip"),
        ("/downloads", "gzip"),
        ("/downloads/pets", "gzip"),
        ("/downloads/pets/", "gzip"),
        ("/static/portal.css", "gzip"),
        ("/pets/0123", "gzip"),
        ("/metrics?token=x", None),
        ("/downloads/pets/v1/notes.txt", None),
        ("/downloads/pets/group/v1/notes.txt", None),
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


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_a_download_is_whole(site, addresses, version):
    portal, caddy = site
    sums = caddy.curl("/downloads/pets/v2.1.0/SHA256SUMS").decode()
    digest = re.search(r"^(\w+) .*soak\.bin$", sums, re.MULTILINE)[1]
    address = next(addresses)
    content = caddy.curl(BIG, version, address=address)
    assert len(content) == LARGE
    assert hashlib.sha256(content).hexdigest() == digest
    part = caddy.ask(BIG, version, "-r", "1000-2000", address=address)
    assert (part[0], part[2]) == (206, content[1000:2001])
    assert portal.count("downloads", address) == 1


@pytest.mark.parametrize("version", [0, 2])
def test_a_clone(site, content, tmp_path, version):
    portal, caddy = site
    before = portal.rows("select count(*) from clones where project = 'pets'")[0][0]
    options = ("-c", f"http.sslCAInfo={caddy.authority}", "-c", f"protocol.version={version}")
    status, said = git(*options, "clone", f"{caddy.url}/pets.git", tmp_path / "x", client=FORGED)
    assert status == 0, said
    assert git("fsck", "--strict", cwd=tmp_path / "x")[0] == 0
    source = next((content / "pets").glob("*.git"))
    heads = [git("rev-parse", "HEAD", cwd=path)[1] for path in (tmp_path / "x", source)]
    assert heads[0] == heads[1]
    assert portal.rows("select count(*) from clones where project = 'pets'") == [(before + 1,)]
    assert portal.count("clones", FORGED) == 0


def test_a_refused_push_is_still_said(site, tmp_path):
    """The portal's own words reach git through Caddy."""
    _, caddy = site
    options = ("-c", f"http.sslCAInfo={caddy.authority}")
    assert git(*options, "clone", "-q", f"{caddy.url}/pets.git", tmp_path / "x")[0] == 0
    status, said = git(*options, "push", "origin", "HEAD:new", cwd=tmp_path / "x")
    assert status != 0
    assert "remote: " in said


def checks():
    """The lines of deploy.md's section, each with what should come."""
    page = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    section = page.partition("\n## What to check\n")[2].partition("\n## ")[0]
    lines = re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1].splitlines()
    return [tuple(part.strip() for part in line.rsplit("#", 1)) for line in lines]


@pytest.mark.parametrize(("command", "expected"), checks())
def test_what_deploy_md_has_one_check(site, tmp_path, command, expected):
    """To the letter, but for the name and, by curl's own configuration, where that leads."""
    _, caddy = site
    (tmp_path / ".curlrc").write_text(
        f'cacert = "{caddy.authority}"\ninterface = "{VISITOR}"\n'
        f'connect-to = "localhost:443:127.0.0.1:{caddy.https}"\n'
        f'connect-to = "localhost:80:127.0.0.1:{caddy.http}"\n'
    )
    done = subprocess.run(
        ["sh", "-c", command.replace("downloads.example.com", "localhost")],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.stdout.strip(), done.stderr) == (expected, "")
