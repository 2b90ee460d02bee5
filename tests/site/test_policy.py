"""What every answer and every page holds to, so that nothing foreign runs, frames or is sniffed."""

import re
from html.parser import HTMLParser

import pytest

from tests.support.browser.crawl import crawl
from tests.support.catalog.tables import small_catalog
from tests.support.gitlab.faulty import FaultyGitLab
from tests.support.running import ROOT, TOKEN, ask
from tests.support.saves import mounts_json, prospect_json
from tests.support.tools import opened, post

PAGES = 120
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static").rglob("*.js"))
STYLES = sorted((ROOT / "static").rglob("*.css"))
# What a template must not hold: what the policy forbids, or would have to allow.
FORBIDDEN = re.compile(
    r"""<style|\sstyle\s*=|<script(?![^>]*\ssrc=)|\son[a-z]+\s*=\s*["']|javascript:|<base\b|<object|<embed"""
    r"""|srcdoc|http-equiv|\|\s*safe\b|autoescape\s+false|["'](?:https?:)?//(?!\{)""",
    re.IGNORECASE,
)
# Links that only say something, and load nothing.
TOLD = {"canonical", "alternate", "next", "prev", "search"}
LOADED = {"script": "src", "img": "src", "iframe": "src", "link": "href", "form": "action"}


class Page(HTMLParser):
    """Finds in a page what the policy would stop, and what is loaded from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.wrong = []
        self._inline = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        handlers = [name for name in given if name.startswith("on")]
        told = tag == "link" and given.get("rel") in TOLD
        address = "" if told else (given.get(LOADED.get(tag, ""), "") or "").strip()
        if handlers or "style" in given or tag in ("style", "base", "object", "embed"):
            self.wrong.append((tag, attrs))
        if tag == "script" and not address.startswith("/static/"):
            self.wrong.append((tag, attrs))
        if address and not re.match(r"/(?![/\\])", address):
            self.wrong.append((tag, attrs))
        led = [given.get(name) or "" for name in ("href", "src", "action", "formaction", "poster")]
        if any(re.match(r"\s*(javascript|data|vbscript):", each, re.I) for each in led):
            self.wrong.append((tag, attrs))
        if tag == "a" and given.get("target"):
            self.wrong.append((tag, attrs))
        self._inline = tag if tag in ("script", "style") else ""

    def handle_data(self, data):
        if self._inline and data.strip():
            self.wrong.append((self._inline, data))

    def handle_endtag(self, _tag):
        self._inline = ""


@pytest.fixture(scope="module")
def portal(start_portal, tmp_path_factory):
    """A portal with all of its parts, and a catalog of strange names."""
    with small_catalog(start_portal, tmp_path_factory.mktemp("tables")) as running:
        yield running


def holds(headers):
    """Whether the headers are those that every answer has."""
    policy = headers["content-security-policy"]
    assert policy.startswith(("default-src 'self'; ", "sandbox; default-src 'none'"))
    assert "unsafe" not in policy
    assert "*" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] in (
        *("no-referrer", "same-origin", "strict-origin-when-cross-origin"),
    )
    assert headers["server"] == "portal"
    assert "set-cookie" not in headers
    assert "access-control-allow-origin" not in headers
    return True


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_a_script_or_style_of_its_own(path):
    assert FORBIDDEN.findall(path.read_text()) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_makes_code_or_markup_of_text(path):
    found = re.findall(
        r"\beval\b|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write|https?://"
        r"|set(?:Timeout|Interval)\(\s*[\"'`]|createElement\(\"(?:script|style)\"",
        re.sub(r"//.*", "", path.read_text()),
    )
    assert found == []


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_no_style_sheet_loads_what_is_not_ours(path):
    assert re.findall(r"@import|url\(\s*[\"']?(?!/static/)|expression\(", path.read_text()) == []


def test_every_page(portal):
    mounts = opened(portal, "pets", mounts_json({"name": "<b>Zoë"}), "198.51.100.1")
    world = opened(portal, "prospects", prospect_json(), "198.51.100.1")
    starts = ["/", "/downloads", "/catalog", "/pets", "/prospects", f"/metrics?token={TOKEN}"]
    starts += [f"/pets/{mounts['id']}", f"/prospects/{world['id']}", "/nothing", "/catalog/nothing"]
    starts += ["/pets/nothing", "/downloads/pets/v0/x", "/catalog/search?q=%3Cscript%3E"]
    seen = {}
    for path, headers, text in crawl(portal.url, starts, PAGES):
        assert holds(headers), path
        assert Page(text).wrong == [], path
        assert headers["content-type"] == "text/html; charset=UTF-8"
        kind = path.split("/")[1].partition("?")[0]
        seen[kind] = seen.get(kind, 0) + 1
    assert seen.keys() >= {"", "downloads", "catalog", "pets", "prospects", "metrics", "nothing"}
    assert seen["metrics"] > 3
    assert seen["catalog"] > 20


def test_the_pages_of_a_form(portal):
    said = opened(portal, "pets", mounts_json({"name": "a"}), "198.51.100.1")
    for what, form in (
        ("preview", "version=0&m1-name=%3Cb%3E"),
        ("preview", "version=0&m1-level=x"),
    ):
        _, headers, body = post(portal, f"/pets/{said['id']}/{what}", "-d", form,
                                client="198.51.100.1", Accept="text/html")  # fmt: skip
        assert holds(headers)
        assert Page(body.decode()).wrong == []
        assert b"<b>" not in body


OTHERS = [
    ("GET", "/healthz", {}, 200),
    ("GET", "/robots.txt", {}, 200),
    ("GET", "/static/portal.css", {}, 200),
    ("GET", "/static/nothing.css", {}, 404),
    ("GET", "/static/..%2fserver.py", {}, 404),
    ("GET", "/favicon.ico", {}, 200),
    ("HEAD", "/", {}, 200),
    ("POST", "/", {}, 405),
    ("GET", "/downloads/%ff", {}, 400),
    ("GET", "/pets.git", {}, 302),
    ("GET", "/pets.git/info/refs", {}, 403),
    ("GET", "/pets.git/info/refs?service=git-upload-pack", {}, 200),
    ("GET", "/pets.git/info/lfs/x", {}, 501),
    ("GET", "/pets.git/git-upload-pack", {}, 405),
    ("GET", "/pets/info/refs?service=git-upload-pack", {}, 301),
    ("GET", "/metrics", {}, 401),
    ("GET", f"/metrics?token={TOKEN}&format=json", {}, 200),
    ("GET", f"/metrics?token={TOKEN}&format=csv&table=days", {}, 200),
    ("POST", "/pets", {"Sec_Fetch_Site": "cross-site"}, 403),
    ("POST", "/u/api/send", {"Sec_Fetch_Site": "cross-site"}, 403),
    ("GET", "/downloads/pets/v2.1.0/SHA256SUMS", {}, 200),
    ("GET", "/downloads/pets/v2.1.0/SHA256SUMS", {"Range": "bytes=0-9"}, 206),
    ("GET", "/downloads/pets/v2.1.0/SHA256SUMS", {"Range": "bytes=99999-"}, 416),
    ("GET", "/downloads/pets/v2.1.0/SHA256SUMS", {"If_Match": '"x"'}, 412),
    ("GET", "/downloads/pets/latest/SHA256SUMS", {}, 302),
]


@pytest.mark.parametrize(("method", "path", "headers", "status"), OTHERS)
def test_what_is_no_page(portal, method, path, headers, status):
    answer = ask(portal.url + path, method=method, **headers)
    assert answer[0] == status
    assert holds(answer[1])


def test_what_an_upstream_calls_a_page_is_a_file_here(start_portal):
    """Whoever may publish a file decides its type: no browser is to run it as ours."""
    page = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: a=b\r\nRefresh: 0;url=//x\r\n"
    )
    page += (
        b"Content-Disposition: inline\r\nContent-Security-Policy: \r\nX-Frame-Options: ALLOW\r\n"
    )
    page += (
        b"Access-Control-Allow-Origin: *\r\nContent-Length: 26\r\n\r\n<script>alert(1)</script>\n"
    )
    files = {"evil.html": page, "evil.svg": page.replace(b"html", b"svg+xml")}
    with FaultyGitLab(files=files) as gitlab, start_portal(gitlab=gitlab.url) as portal:
        for name in files:
            status, headers, _ = ask(f"{portal.url}/downloads/pets/v1/{name}", Accept="text/html")
            assert status == 200
            assert holds(headers)
            assert headers["content-disposition"].startswith("attachment;")
            assert headers["content-security-policy"].startswith("sandbox;")
            assert "refresh" not in headers
