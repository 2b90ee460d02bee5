"""What means something to a template, to SQL, a page, a spreadsheet or a shell: here it is text."""

import csv
import io
import json
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from portal.http.client import ip_hash
from tests.site.test_policy import Page
from tests.support.catalog.tables import document, small_catalog
from tests.support.gitlab.faulty import FaultyGitLab
from tests.support.running import TOKEN, ask, git
from tests.support.saves import mounts_json
from tests.support.tools import opened, post, upload

# 7919 * 104729, which stands nowhere unless something was worked out: not in a signature either.
WORKED_OUT = b"829348951"
TEXTS = (
    *(
        "{{7919*104729}}",
        "${7919*104729}",
        "#{7919*104729}",
        "<%= 7919*104729 %>",
        "{% raw %}{{7919*104729}}",
        "{{''.__class__}}",
    ),
    *("'", '"', "' or '1'='1", "'; drop table downloads; --", '" union select 1,2,3 --', "\\'; --"),
    *("%' --", "*", "a* OR b:*", '"unclosed', "NEAR(a b, 1)", "a AND", "{a}:b", "^x", "-x", "x)"),
    *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onfocus='alert(1)"),
    *("javascript:alert(1)", "</title><script>", "<!--", "]]>", "&lt;b&gt;", "<svg/onload=x>"),
    *("=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3", "\N{FULLWIDTH EQUALS SIGN}1+1"),
    *("$(touch /tmp/x)", "`id`", "|id", "../../etc/passwd", "%s%n%x", "{0}", "%(a)s"),
    *("\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe", "a" * 3000, "\N{WOLF FACE}" * 50, "\x1b[2J", "a\tb"),
)
ADDRESSES = (
    *("/{}", "/{}.git", "/{}/info/refs", "/{}.git/info/refs?service=git-upload-pack"),
    *(
        "/downloads/{}",
        "/downloads/pets/{}",
        "/downloads/pets/v2.1.0/{}",
        "/downloads/pets?page={}",
    ),
    *("/pets/{}", "/prospects/{}/download", "/static/{}", "/pets.git/info/refs?service={}"),
    *("/catalog/{}", "/catalog/1.9/{}", "/catalog/1.9/Items/{}", "/catalog/1.9/Items/D_Items/{}"),
    *(
        "/catalog/search?q={}",
        "/catalog/search?q=lamp&version={}",
        "/catalog/search?q=lamp&table={}",
    ),
    *(
        "/catalog/1.9/Items/D_Items?sort={}",
        "/catalog/1.9/Items/D_Items?q={}",
        "/catalog/diff/{}/{}",
    ),
    *(
        "/catalog/1.9/Items/D_Items?columns={}",
        "/catalog/1.9/Items?format={}",
        "/catalog?version={}",
    ),
    f"/metrics?token={TOKEN}&window={{}}",
    f"/metrics?token={TOKEN}&format=csv&table={{}}",
    *("/metrics?token={}", "/metrics?expires={}&signature={}"),
)


@pytest.fixture(scope="module")
def portal(start_portal, tmp_path_factory):
    """A portal with a catalog."""
    with small_catalog(start_portal, tmp_path_factory.mktemp("tables")) as running:
        yield running


def structure(portal):
    """Tables, triggers and the like, as they are defined."""
    return portal.rows("select type, name, sql from sqlite_master order by 1, 2")


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_in_an_address(portal, address, accept):
    before = structure(portal)
    with closing(HTTPConnection("127.0.0.1", portal.port, timeout=20)) as connection:
        for text in TEXTS:
            path = address.replace("{}", quote(text, safe=""))
            connection.request("GET", path, headers={"Accept": accept})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status < 500, path
            assert WORKED_OUT not in body, path
            if answer.getheader("Content-Type", "").startswith("text/html"):
                assert Page(body.decode()).wrong == [], path
            else:
                assert b"\x1b" not in body, path
    assert structure(portal) == before
    assert "Traceback" not in portal.log()


NO_TEXT = ("%ff", "%c0%ae", "%ed%a0%80", "%f5%80%80%80", "%e2%28%a1", "%00", "%0d%0a")


def test_what_is_no_text_is_refused_in_words(portal):
    """Bytes that are not UTF-8, in every place of an address and in further fields of a query."""
    with closing(HTTPConnection("127.0.0.1", portal.port, timeout=20)) as connection:
        for address in (*ADDRESSES, "/catalog/diff/a/b?from={}", "/catalog/diff?to={}&kind={}"):
            for text in NO_TEXT:
                path = address.replace("{}", text)
                connection.request("GET", path, headers={"Accept": "text/html"})
                answer = connection.getresponse()
                body = answer.read()
                assert answer.status < 500, path
                assert body or answer.status in (301, 302), path
    assert "Traceback" not in portal.log()


def test_in_what_is_recorded(portal, clients):
    """A User-Agent is kept as it was sent, and shown to the operator as text."""
    before = structure(portal)
    for number, text in enumerate(filter(str.isprintable, TEXTS)):
        client = clients.new()
        file = f"{portal.url}/downloads/pets/v2.1.0/SHA256SUMS"
        assert ask(file, client, User_Agent=text, Referer=text)[0] == 200
        key = ip_hash(client, "")
        kept = portal.rows("select user_agent from downloads where ip_hash = ?", key)
        assert kept == [(text[:1024],)]
        if number % 5 == 0:
            named = ("-c", f"http.userAgent={text}")
            git(*named, "ls-remote", f"{portal.url}/pets.git", client=client)
            kept = portal.rows("select user_agent from clones where ip_hash = ?", key)
            assert kept == [(text[:1024],)]
    assert structure(portal) == before


def test_in_a_search_that_the_operator_sees(portal, clients):
    for text in TEXTS:
        ask(f"{portal.url}/catalog/search?q={quote(text)}", clients.new(), Accept="text/html")
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    body = ask(f"{portal.url}/metrics", Accept="text/html", **bearer)[2]
    assert Page(body.decode()).wrong == []
    assert WORKED_OUT not in body
    lines = ask(f"{portal.url}/metrics?format=csv&table=searches", **bearer)[2].decode("utf-8-sig")
    names = [row[0] for row in list(csv.reader(io.StringIO(lines, newline="")))[1:]]
    assert names
    assert not [name for name in names if name.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))]


def test_in_a_save_file(portal, clients):
    client = clients.new()
    named = [{"name": text[:60]} for text in TEXTS]
    said = opened(portal, "pets", mounts_json(*named), client)
    form = "&".join(f"m{n}-name={quote('x' + text[:50])}" for n, text in enumerate(TEXTS, 1))
    answers = [ask(said["page"], client, Accept="text/html")]
    answers += [post(portal, f"/pets/{said['id']}/preview", "-d", f"version=0&{form}",
                     client=client, Accept="text/html")]  # fmt: skip
    for _, headers, body in answers:
        assert headers["content-type"] == "text/html; charset=UTF-8"
        assert Page(body.decode()).wrong == []
        assert WORKED_OUT not in body
        assert b"{{7919*104729}}" in body
        assert b"&lt;script&gt;alert(1)&lt;/script&gt;" in body


def test_in_the_name_of_a_save_file(portal, clients):
    saved = mounts_json({})
    for text in TEXTS:
        client = clients.new()
        name = text.replace("\\", "").replace('"', "%22")[:200]
        status, headers, _ = upload(portal, "pets", saved, client, name=name)
        assert status in (303, 400)
        if status == 303:
            path = headers["location"]
            assert Page(ask(portal.url + path, client, Accept="text/html")[2].decode()).wrong == []
            _, headers, _ = ask(f"{portal.url}{path}/download", client)
            assert headers["content-disposition"].startswith('attachment; filename="')
            assert "\x1b" not in str(headers)


def test_in_a_release(start_portal):
    """Whoever may write a release may write anything: its tag, title, notes, labels and names."""
    links = {
        f"{quote(text, safe='')}.bin": f"http://127.0.0.1:1/{n}" for n, text in enumerate(TEXTS)
    }
    with (
        FaultyGitLab(files={}, links=links, texts=TEXTS) as gitlab,
        start_portal(gitlab=gitlab.url) as portal,
    ):
        shown = b""
        for path in ("/", "/downloads", "/downloads/pets", "/downloads/pets?page=2"):
            status, _, body = ask(portal.url + path, Accept="text/html")
            assert status in (200, 404)
            assert Page(body.decode()).wrong == []
            assert WORKED_OUT not in body
            shown += body
        for path in ("/feeds/pets.atom", "/sitemap.xml"):
            status, headers, body = ask(portal.url + path)
            assert status == 200
            assert headers["x-content-type-options"] == "nosniff"
            names = {
                element.tag.rpartition("}")[2] for element in ElementTree.fromstring(body).iter()
            }
            assert not names & {"script", "foreignObject", "image", "use", "a"}
        assert json.loads(ask(f"{portal.url}/downloads/pets", Accept="application/json")[2])
        assert shown.count(b"{{7919*104729}}") > 3  # title, tag, notes, labels
        assert b"&lt;svg/onload=x&gt;" in shown
        assert "Traceback" not in portal.log()


def test_in_a_catalogs_tables(start_portal, tmp_path):
    """The same in names and values of data tables, as pages, JSON and CSV."""
    named = ((text, {"v": text}) for text in TEXTS if text.isprintable() and "/" not in text)
    tables = {"Items__D_Items": document(*named)}
    with small_catalog(start_portal, tmp_path, first=tables) as portal:
        path = "/catalog/1.9/Items/D_Items"
        body = ask(portal.url + path, Accept="text/html")[2]
        assert Page(body.decode()).wrong == []
        assert WORKED_OUT not in body
        assert json.loads(ask(f"{portal.url}{path}?format=json")[2])
        lines = ask(f"{portal.url}{path}?format=csv")[2].decode("utf-8-sig")
        cells = [cell for row in csv.reader(io.StringIO(lines, newline="")) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "＝"))]
