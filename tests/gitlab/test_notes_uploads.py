"""Uploads in release notes: images that the page shows, files that are downloaded and counted."""

import json
import re

import pytest

from demo.content import fill
from tests.conftest import GITLAB_TOKEN
from tests.support.running import RunningPortal, ask, host, standing_in

PNG = b"\x89PNG\r\n\x1a\n and its pixels"
PAGE = b"<script>alert(1)</script>"
SECRET = "0123456789abcdef" * 2
FILES = {"a.png": PNG, "b.html": PAGE}
NOTES = f"![shot](/uploads/{SECRET}/a.png){{width=50%}} [page](/uploads/{SECRET}/b.html)"
RELEASE = "/downloads/prospects/v1.0.0"


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A portal before a GitLab where notes refer to uploads."""
    folder = tmp_path_factory.mktemp("uploads")
    fill(folder / "content", large_bytes=1000)
    project = folder / "content/prospects"
    uploads = json.loads((project / "uploads.json").read_text())
    for name, body in FILES.items():
        (project / name).write_bytes(body)
        uploads.append({"secret": SECRET, "file_name": name, "location": f"prospects/{name}"})
    (project / "uploads.json").write_text(json.dumps(uploads))
    releases = json.loads((project / "releases.json").read_text())
    next(r for r in releases if r["tag_name"] == "v1.0.0")["description"] = NOTES
    (project / "releases.json").write_text(json.dumps(releases))
    with standing_in(folder / "content", GITLAB_TOKEN) as standin:
        (folder / "portal").mkdir()
        gitlab, objects = standin["gitlab"], host(standin["objects"])
        with RunningPortal(folder / "portal", gitlab, objects, token=GITLAB_TOKEN) as portal:
            yield portal


def test_the_page_shows_the_image_and_links_to_the_file(own):
    _, headers, page = ask(f"{own.url}/downloads/prospects", Accept="text/html")
    assert "default-src 'self'" in headers["content-security-policy"]  # which allows the image
    assert '<img src="/images/prospects/v1.0.0/a.png" alt="shot" loading="lazy" />' in page.decode()
    assert f'<a href="{RELEASE}/b.html">page</a>' in page.decode()
    feed = ask(f"{own.url}/feeds/prospects.atom")[2].decode()
    assert f'src="{own.url}/images/prospects/v1.0.0/a.png"' in re.sub("&quot;", '"', feed)


def test_an_image_is_shown_and_counts_nothing(own):
    url, client = f"{own.url}/images/prospects/v1.0.0/a.png", "198.51.100.21"
    status, headers, body = ask(url, client)
    assert (status, body) == (200, PNG)
    assert headers["content-type"] == "image/png"
    assert headers["content-disposition"] == "inline"
    assert headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "private, max-age=86400"
    assert ask(url, client, "HEAD")[::2] == (200, b"")
    assert ask(url, client, Range="bytes=0-3")[::2] == (206, PNG[:4])
    assert own.count("downloads", client) == 0


@pytest.mark.parametrize(("name", "body"), FILES.items())
def test_a_file_is_a_download(own, name, body):
    client = "198.51.100.22" if name == "a.png" else "198.51.100.23"
    status, headers, got = ask(f"{own.url}{RELEASE}/{name}", client)
    assert (status, got) == (200, body)
    assert headers["content-disposition"].startswith("attachment")
    assert headers["content-security-policy"].startswith("sandbox")
    assert own.count("downloads", client) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/images/prospects/v1.0.0/b.html",
        "/images/prospects/v1.0.0/prospects-1.0.0.zip",
        "/images/prospects/v1.0.0/none.png",
        "/images/prospects/v9/a.png",
        "/images/prospects/v1.1.0/a.png",
        "/images/none/v1.0.0/a.png",
    ],
)
def test_nothing_but_images_of_the_notes_is_shown(own, path):
    assert ask(own.url + path)[0] == 404
