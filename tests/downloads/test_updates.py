"""Programs that update themselves or fetch by checksum: ranges, zsync, ETags kept by curl."""

import hashlib
import os
import random
import subprocess
import time

import pytest

from tests.support.gitlab.registry import BOUNDARY, Registry
from tests.support.programs import needs
from tests.support.running import ask, curl

OLD = random.Random(1).randbytes(300_000)  # noqa: S311 - a file
NEW = OLD[:100_000] + b"changed" * 100 + OLD[100_700:200_000] + b"more" * 9 + OLD[200_000:]
CHECKSUM = hashlib.sha256(NEW).hexdigest()
BASE = "/downloads/pets"


@pytest.fixture(scope="module")
def registry():
    with Registry() as registry:
        feed = f"version: 2.0.0\nfiles:\n  - url: app.bin\n    sha512: x\n    size: {len(NEW)}\n"
        registry.files = {
            "app.bin": NEW,
            "latest.yml": feed.encode(),
            "SHA256SUMS": f"{CHECKSUM}  app.bin\n".encode(),
        }
        yield registry


@pytest.fixture(scope="module")
def portal(registry, start_portal):
    with start_portal(gitlab=registry.url, asset_host="") as portal:
        until = time.monotonic() + 20
        while "sha256" not in ask(f"{portal.url}{BASE}/v1/app.bin", method="HEAD")[1].get(
            "etag", ""
        ):
            assert time.monotonic() < until
            time.sleep(0.05)
        yield portal


@pytest.mark.parametrize("condition", [{}, {"If_Range": f'"sha256-{CHECKSUM}"'}])
def test_several_ranges_pass_through_unchanged(portal, clients, condition):
    """As electron-updater asks for the blocks that have changed."""
    client, asked = clients.new(), "bytes=100000-100699, 150000-150099,200000-200035"
    status, headers, body = ask(f"{portal.url}{BASE}/v1/app.bin", client, Range=asked, **condition)
    assert status == 206
    assert headers["content-type"] == f"multipart/byteranges; boundary={BOUNDARY}"
    assert headers["etag"] == f'"sha256-{CHECKSUM}"'
    assert int(headers["content-length"]) == len(body)
    parts = [part.partition(b"\r\n\r\n")[2] for part in body.split(f"--{BOUNDARY}".encode())[1:-1]]
    expected = [NEW[100000:100700], NEW[150000:150100], NEW[200000:200036]]
    assert [part[:-2] for part in parts] == expected
    assert portal.count("downloads", client) == (0 if sum(map(len, expected)) <= 1024 else 1)


def test_an_update_feed_and_what_it_names_are_found_under_latest(portal, clients):
    """electron-updater and Sparkle resolve the file's address against the feed's."""
    client, latest = clients.new(), f"{portal.url}{BASE}/latest/"
    assert b"url: app.bin" in curl("-L", latest + "latest.yml", client=client)
    assert curl("-L", latest + "app.bin", client=client) == NEW


def test_curl_keeps_an_etag(portal, clients, tmp_path):
    client, url = clients.new(), f"{portal.url}{BASE}/v1/app.bin"
    etag, out = tmp_path / "etag", tmp_path / "out"
    curl("--etag-save", etag, "-o", out, url, client=client)
    assert etag.read_text().strip() == f'"sha256-{CHECKSUM}"'
    assert out.read_bytes() == NEW
    again = (
        "--etag-compare",
        etag,
        "--etag-save",
        etag,
        "-w",
        "%{http_code}",
        "-o",
        tmp_path / "b",
    )
    assert curl(*again, url, client=client) == b"304"
    assert portal.count("downloads", client) == 1


@needs("zsync")
@pytest.mark.parametrize("release", ["latest", "v1"])
def test_zsync_fetches_only_what_has_changed(registry, portal, tmp_path, release):
    (tmp_path / "app.bin").write_bytes(NEW)
    make = ["zsyncmake", "-b", "2048", "-u", "app.bin", "-o", "app.bin.zsync", "app.bin"]
    subprocess.run(make, cwd=tmp_path, check=True, capture_output=True)
    registry.files["app.bin.zsync"] = (tmp_path / "app.bin.zsync").read_bytes()
    url = f"{portal.url}{BASE}/{release}/app.bin.zsync"
    until = time.monotonic() + 20
    while ask(f"{portal.url}{BASE}/v1/app.bin.zsync", method="HEAD")[0] != 200:
        assert time.monotonic() < until
        time.sleep(0.05)
    (tmp_path / "app.bin").write_bytes(OLD)
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    command = ["zsync", "-i", "app.bin", "-o", "new.bin", url]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, timeout=15)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "new.bin").read_bytes() == NEW
    assert all("range" in asked for asked in registry.asked("app.bin")[-1:])
