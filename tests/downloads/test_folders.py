"""A release's address as a folder: for apt, pip and programs that mirror what a page links to."""

import gzip
import hashlib
import io
import os
import re
import subprocess
import sys
import time
import zipfile

import pytest

from portal.http.paths import without_dot_segments
from tests.support.gitlab.registry import Registry
from tests.support.programs import needs, reason
from tests.support.running import ask

FOLDER = "/downloads/pets/v1/"
NAMES = ("tool.bin", "Führer 騎獣.txt", "100%.zip", "a:b#c?d.bin")


def package(directory):
    """A Debian package."""
    control = directory / "hello/DEBIAN/control"
    control.parent.mkdir(parents=True)
    fields = ("Package: hello-portal", "Version: 1.0", "Architecture: all")
    control.write_text(
        "\n".join([*fields, "Maintainer: A <a@example.com>", "Description: x"]) + "\n"
    )
    built = directory / "hello-portal_1.0_all.deb"
    command = ["dpkg-deb", "--root-owner-group", "--build", directory / "hello", built]
    subprocess.run(command, check=True, capture_output=True)
    return built.read_bytes()


def wheel():
    """A Python package without anything in it."""
    made = io.BytesIO()
    info = "portal_hello-1.0.dist-info"
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("portal_hello.py", "")
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: portal-hello\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return made.getvalue()


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """A release that is a flat apt repository, and has a wheel and names of all kinds."""
    deb = package(tmp_path_factory.mktemp("deb"))
    packages = (
        "Package: hello-portal\nVersion: 1.0\nArchitecture: all\n"
        "Maintainer: A <a@example.com>\nDescription: x\n"
        f"Filename: ./hello-portal_1.0_all.deb\nSize: {len(deb)}\n"
        f"SHA256: {hashlib.sha256(deb).hexdigest()}\n"
    ).encode()
    with Registry() as registry:
        registry.files = {name: name.encode() * 1000 for name in NAMES}
        registry.files |= {
            "Packages": packages,
            "Packages.gz": gzip.compress(packages),
            "hello-portal_1.0_all.deb": deb,
            "portal_hello-1.0-py3-none-any.whl": wheel(),
        }
        yield registry


@pytest.fixture(scope="module")
def portal(registry, start_portal):
    with start_portal(gitlab=registry.url, asset_host="") as portal:
        until = time.monotonic() + 20
        while "sha256" not in ask(portal.url + FOLDER + "Packages", method="HEAD")[1].get(
            "etag", ""
        ):
            assert time.monotonic() < until
            time.sleep(0.05)
        yield portal


def counted(portal, asset):
    return portal.rows("select count(*) from downloads where asset = ?", asset)[0][0]


@pytest.mark.parametrize(
    ("path", "resolved"),
    [
        ("/downloads/pets/latest/./Packages", "/downloads/pets/latest/Packages"),
        ("/downloads/pets/v1/x/../Packages", "/downloads/pets/v1/Packages"),
        ("/downloads/pets//v1///x", "/downloads/pets/v1/x"),
        ("/downloads/pets/v1/.", "/downloads/pets/v1/"),
        ("/downloads/pets/v1/..", "/downloads/pets/"),
        ("/downloads/pets/v1/%2e/x", "/downloads/pets/v1/x"),
        ("/downloads/pets/v1/%2E%2e/x", "/downloads/pets/x"),
        ("/downloads/../../../etc/passwd", "/etc/passwd"),
        ("/downloads/pets/v1/...", "/downloads/pets/v1/..."),
        ("/downloads/pets/v1/..%2f..%2fx", "/downloads/pets/v1/..%2f..%2fx"),
        ("/..", "/"),
        ("/a//", "/a/"),
        ("/", "/"),
    ],
)
def test_dot_segments_are_resolved(path, resolved):
    assert without_dot_segments(path) == resolved


@pytest.mark.parametrize("release", ["latest", "v1"])
@needs("apt-get")
def test_a_flat_repository_of_apt(portal, tmp_path, release):
    """The whole of `apt-get update` and `apt-get download`, in folders of its own."""
    for folder in ("etc/apt/preferences.d", "state/lists/partial", "cache/archives/partial", "out"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "state/status").touch()
    sources = tmp_path / "etc/apt/sources.list"
    sources.write_text(f"deb [trusted=yes] {portal.url}/downloads/pets/{release}/ ./\n")
    options = {
        "Dir": tmp_path,
        "Dir::Etc": tmp_path / "etc/apt",
        "Dir::State": tmp_path / "state",
        "Dir::State::status": tmp_path / "state/status",
        "Dir::Cache": tmp_path / "cache",
        "Dir::Bin::methods": "/usr/lib/apt/methods",
        "APT::Sandbox::User": "root",
        "Acquire::http::Proxy": "DIRECT",
        "Acquire::Languages": "none",
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    before = counted(portal, "hello-portal_1.0_all.deb")
    for command in (["update"], ["download", "hello-portal"]):
        done = subprocess.run(
            ["apt-get", *words, *command],
            cwd=tmp_path / "out",
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert b"E:" not in done.stderr
    [fetched] = (tmp_path / "out").iterdir()
    assert fetched.name == "hello-portal_1.0_all.deb"
    assert counted(portal, fetched.name) == before + 1


@pytest.mark.parametrize("release", ["latest", "v1"])
def test_pip_finds_links(registry, portal, tmp_path, release):
    links = f"{portal.url}/downloads/pets/{release}/"
    command = [sys.executable, "-m", "pip", "download", "--no-index", "--no-cache-dir"]
    command += [
        "--disable-pip-version-check",
        "--find-links",
        links,
        "-d",
        tmp_path,
        "portal-hello",
    ]
    if subprocess.run([*command[:3], "--version"], capture_output=True).returncode:
        pytest.skip(reason("pip"))
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, timeout=60, env=environ)
    assert done.returncode == 0, done.stderr.decode()
    name = "portal_hello-1.0-py3-none-any.whl"
    assert (tmp_path / name).read_bytes() == registry.files[name]


@pytest.mark.parametrize("release", ["latest", "v1"])
@pytest.mark.parametrize(
    "command",
    [
        "wget -q -r -nH --cut-dirs=3 -P {out} {url}",
        "wget -q -r -np -nH --cut-dirs=3 -P {out} {url}",
        "lftp -c mirror;{url};{out}",
        pytest.param(
            "rclone copy --config= --http-url {url} :http: {out}",
            marks=needs("rclone"),
        ),
    ],
)
def test_a_mirror_gets_the_files_and_nothing_else_of_the_site(portal, tmp_path, release, command):
    out = tmp_path / "out"
    url = f"{portal.url}/downloads/pets/{release}/"
    if command.startswith("lftp"):
        words = ["lftp", "-c", f"set cmd:fail-exit yes; mirror {url} {out}"]
    else:
        words = command.format(out=out, url=url).split()
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(words, capture_output=True, timeout=60, env=environ)
    assert done.returncode == 0, done.stderr.decode()
    found = {path.name: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for name in ("tool.bin", "Führer 騎獣.txt", "100%.zip", "hello-portal_1.0_all.deb"):
        assert name in found, sorted(found)
    others = [n for n in found if n in ("privacy", "catalog", "metrics", "pets", "prospects")]
    assert others == []


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "text/html"),
        ("text/html,*/*;q=0.8", "text/html"),
        ("application/vnd.pypi.simple.v1+json, text/html; q=0.01", "text/html"),
        ("application/json", "application/json"),
        ("text/plain", "text/plain"),
    ],
)
def test_a_folder_in_its_forms(portal, accept, content_type):
    status, headers, body = ask(portal.url + FOLDER, Accept=accept)
    assert status == 200
    assert headers["content-type"].startswith(content_type)
    assert b"tool.bin" in body
    if content_type == "text/html":
        links = re.findall(r'<a [^>]*href="([^"#]+)"', body.decode())
        assert len(links) == len(set(links))
        assert not any("/" in link or ":" in link or "?" in link for link in links)


@pytest.mark.parametrize("version", ["v9/", "v1/v1/", "./", "../"])
def test_what_is_no_folder(portal, version):
    assert ask(f"{portal.url}/downloads/pets/{version}")[0] == (404 if "v" in version else 200)
