"""Every way to attach a file to a release of a private project: whole, its head, a part.

The stand-in refuses the token at these files' web addresses, as GitLab does.
"""

import hashlib
import io
import json
import re
import time
import zipfile
from urllib.parse import quote

import pytest

from demo.content import fill
from demo.secrets import VALUE
from tests.conftest import GITLAB_TOKEN
from tests.support.gitlab.faulty import FaultyGitLab, _head
from tests.support.running import RunningPortal, ask, host, standing_in

BETA = "v2.0.0-beta.1"
API = "/api/v4/projects/12"
FILES = {
    "backup-checklist.md": "/uploads/{secret}/backup-checklist.md",
    "Linux build.zip": f"/jobs/artifacts/{BETA}/download?job=linux",
    "macOS build.zip": f"/jobs/artifacts/{BETA}/download?job=macos",
    "prospects-raw.txt": "/jobs/1202/artifacts/bin/prospects-raw.txt",
    "prospects-source.tar.gz": "/packages/{package}/package_files/{file}/download",
    "linux-nightly.txt": "/packages/generic/prospects/2.0.0-beta.1/nightly-linux.txt",
    "macos-nightly.txt": "/packages/generic/prospects/2.0.0-beta.1/nightly-macos.txt",
}


@pytest.fixture(scope="module")
def numbers(content):
    """What the stand-in has made up: an upload's secret, a package's number and a file's."""
    (upload,) = json.loads((content / "prospects/uploads.json").read_text())
    for package in json.loads((content / "prospects/packages.json").read_text()):
        for file in package["files"]:
            if file["file_name"] == "prospects-numbered.tar.gz":
                found = {"package": package["id"], "file": file["id"]}
    return {"secret": upload["secret"], **found}


def whole(standin, path):
    """What GitLab itself gives to whoever has the token."""
    return ask(standin["gitlab"] + path, PRIVATE_TOKEN=GITLAB_TOKEN)[2]


def address(portal, name, version=BETA):
    return f"{portal.url}/downloads/prospects/{version}/{quote(name)}"


@pytest.mark.parametrize("name", FILES)
def test_a_file_whole_in_part_and_its_head(portal, standin, numbers, clients, name):
    expected = whole(standin, API + FILES[name].format(**numbers))
    client, url = clients.new(), address(portal, name)
    until = time.monotonic() + 20
    while (answer := ask(url, client))[0] == 503 and time.monotonic() < until:
        time.sleep(0.2)  # a package file by its number is looked for
    assert answer[0] == 200
    assert hashlib.sha256(answer[2]).digest() == hashlib.sha256(expected).digest()
    assert f"filename*=UTF-8''{quote(name)}" in answer[1]["content-disposition"]
    head = ask(url, client, "HEAD")
    assert (head[0], head[1]["content-length"]) == (200, str(len(expected)))
    status, headers, body = ask(url, client, Range="bytes=5-20")
    if status == 206:
        assert headers["content-range"] == f"bytes 5-20/{len(expected)}"
    # Else the whole: what is unpacked as it is sent has no ranges at GitLab either.
    assert body == (expected[5:21] if status == 206 else expected)


def test_colliding_artifacts_are_the_two_that_they_are(portal, clients):
    found = []
    for name in ("Linux build.zip", "macOS build.zip"):
        body = ask(address(portal, name), clients.new())[2]
        found += zipfile.ZipFile(io.BytesIO(body)).namelist()
    assert found == ["bin/prospects-linux", "bin/prospects-macos"]


@pytest.mark.parametrize("form", ["tar.gz", "zip", "tar.bz2", "tar"])
def test_an_archive_is_gitlabs_own(portal, standin, clients, form):
    path = f"/icarus/prospects/-/archive/v1.0.0/prospects-v1.0.0.{form}"
    expected = whole(standin, path)
    got = ask(address(portal, f"prospects-v1.0.0.{form}", "v1.0.0"), clients.new())
    assert (got[0], got[2]) == (200, expected)
    folders = re.findall(rb"prospects-v1\.0\.0(?:-[0-9a-f]{40})?/", expected)
    assert form not in ("zip", "tar") or set(folders) == {b"prospects-v1.0.0/"}


def test_heads_of_an_archive_cost_one_request(start_portal):
    archive = _head(200, b"an archive", ETag='W/"a"')
    name = "pets-v1.tar.gz"
    link = {"odd.bin": "http://files.example.org/odd.bin"}
    with (
        FaultyGitLab(files={name: archive}, links=link, archives=["tar.gz"]) as gitlab,
        start_portal(gitlab=gitlab.url) as portal,
    ):
        # A link of the release has the archive's name already.
        url = f"{portal.url}/downloads/pets/v1/pets-v1-source.tar.gz"
        for headers in ({}, {}, {"If_None_Match": 'W/"a"'}):
            status = ask(url, "198.51.100.9", "HEAD", **headers)[0]
            assert status == (304 if headers else 200)
        assert sum("/-/archive/" in line for line in gitlab.requests) == 1
        assert ask(url, "198.51.100.9")[2] == b"an archive"


def test_nothing_is_published_but_files(tmp_path):
    fill(tmp_path / "content", large_bytes=1000)
    releases = tmp_path / "content/prospects/releases.json"
    document = json.loads(releases.read_text())
    base = "{gitlab}"
    names = ("variables", "issues", "hooks", "members")
    urls = {f"{n}.json": f"{base}{API}/{n}" for n in names}
    # A redirect on the way leads there too, and a link of another project.
    urls["foreign.zip"] = f"{base}/api/v4/projects/11/packages/generic/pets/1/x.zip"
    urls["leads.json"] = f"{base}/icarus/prospects/-/releases/v1.0.0/downloads/leads.json"
    link = {"filepath": None, "link_type": "other"}
    links = [
        {**link, "id": i, "name": name, "url": url} for i, (name, url) in enumerate(urls.items())
    ]
    to = {"id": 99, "name": "to", "url": urls["variables.json"], "link_type": "other"}
    links.append({**to, "filepath": "/leads.json"})
    next(r for r in document if r["tag_name"] == "v1.0.0")["links"] = links
    releases.write_text(json.dumps(document))
    with standing_in(tmp_path / "content", GITLAB_TOKEN) as standin:
        directory = tmp_path / "portal"
        directory.mkdir()
        gitlab, objects = standin["gitlab"], host(standin["objects"])
        with RunningPortal(directory, gitlab, objects, token=GITLAB_TOKEN) as portal:
            one = f"{portal.url}/downloads/prospects/v1.0.0"
            listed = json.loads(ask(one, Accept="application/json")[2])
            assert [file["name"] for file in listed["files"]] == ["leads.json"]
            for name in urls:
                status, _, body = ask(address(portal, name, "v1.0.0"))
                assert status == (502 if name == "leads.json" else 404)
                assert VALUE not in body.decode()
            log = portal.log()
            for name in names:
                said = f"link '{name}.json' of release 'v1.0.0' is left out: it is a page of GitLab"
                assert said in log
            assert "is of another project of this GitLab" in log
            assert portal.rows("select count(*) from downloads") == [(0,)]
            metrics = ask(f"{portal.url}/metrics?token=metrics-token&format=prometheus")[2].decode()
            left = 'portal_release_links_left_out{cause="page",project="prospects"}'
            assert f"{left} 6.0" in metrics
            assert left.replace('"page"', '"foreign"') + " 1.0" in metrics
            page = ask(f"{portal.url}/metrics?token=metrics-token")[2].decode()
            assert "members.json" in page


def test_a_runbook_is_a_link_on_the_page_and_no_file(portal):
    page = ask(f"{portal.url}/downloads/prospects", Accept="text/html")[2].decode()
    runbook = 'href="https://wiki.example.org/prospects/undo-an-edit"'
    assert re.search(rf"<a {runbook} rel=\"nofollow noopener noreferrer\">Undo an edit</a>", page)
    said = ask(f"{portal.url}/downloads/prospects/{BETA}", Accept="application/json")[2]
    assert json.loads(said)["links"] == [
        {
            "label": "Undo an edit",
            "url": "https://wiki.example.org/prospects/undo-an-edit",
            "kind": "runbook",
        }
    ]
    text = ask(f"{portal.url}/downloads/prospects/{BETA}", Accept="text/plain")[2].decode()
    assert "Undo an edit: https://wiki.example.org/prospects/undo-an-edit" in text
