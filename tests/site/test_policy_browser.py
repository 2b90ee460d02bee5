"""What a real browser lets another site's page do with the portal, and what our pages ask of it."""

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.browser.chromium import browsing
from tests.support.gitlab.faulty import FaultyGitLab
from tests.support.programs import needs
from tests.support.running import TOKEN
from tests.support.saves import mounts_json
from tests.support.tools import opened

pytestmark = needs("chromium")

FRAME = '<iframe id="f" src="{portal}{path}"></iframe>'
FORM = """<form id="f" method="post" enctype="multipart/form-data" action="{portal}/pets">
<input type="hidden" name="file" value='{{"SavedMounts": []}}'></form>
<script>document.getElementById("f").submit()</script>"""
FETCH = """<script>
fetch("{portal}{path}").then(a => a.text())
  .then(() => document.title = "read", () => document.title = "no")
</script>"""
POST = """<script>
fetch("{portal}/pets", {{method: "POST", mode: "no-cors", body: new FormData()}})
  .then(() => document.title = "sent", () => document.title = "no")
</script>"""


@pytest.fixture
def other():
    """Another site, at another name; `page` is what it serves."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.server.page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        server.url = f"http://localhost:{server.server_port}"
        yield server
        server.shutdown()


def browse(directory, steps):
    async def main():
        async with browsing(directory) as page:
            await steps(page)

    asyncio.run(main())


def test_our_pages_ask_for_nothing_that_the_policy_forbids(portal, tmp_path):
    said = opened(portal, "pets", mounts_json({"name": "a"}), "198.51.100.1")
    paths = ["/", "/downloads", "/downloads/pets", "/catalog", "/catalog/search?q=a", "/pets"]
    paths += ["/prospects", f"/pets/{said['id']}", f"/metrics?token={TOKEN}", "/nothing"]

    async def steps(page):
        for path in paths:
            await page.go(portal.url + path)
        assert page.problems() == []
        asked = [
            p["request"]["url"] for name, p in page.events if name == "Network.requestWillBeSent"
        ]
        assert len(asked) > len(paths)
        assert [url for url in asked if not url.startswith((portal.url, "about:"))] == []
        # And the policy is on: what a page does not have cannot be put into it.
        await page.evaluate(
            "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.bad=1>')"
        )
        script = "Object.assign(document.createElement('script'), {text: 'window.bad = 1'})"
        await page.evaluate(f"document.body.append({script})")
        await asyncio.sleep(0.3)
        assert await page.evaluate("window.bad === undefined")
        assert page.problems()

    browse(tmp_path, steps)


@pytest.mark.parametrize(
    "path", ["/", "/downloads/pets", "/pets", "/catalog", f"/metrics?token={TOKEN}"]
)
def test_no_page_of_ours_stands_in_anothers_frame(portal, other, tmp_path, path):
    other.page = FRAME.format(portal=portal.url, path=path)

    async def steps(page):
        await page.go(other.url + "/")
        said = [p["entry"]["text"] for name, p in page.events if name == "Log.entryAdded"]
        assert any("frame-ancestors" in text or "X-Frame-Options" in text for text in said), said

    browse(tmp_path, steps)


def test_anothers_form_is_refused(portal, other, tmp_path):
    before = portal.rows("select count(*) from tool_usage")
    other.page = FORM.format(portal=portal.url)

    async def steps(page):
        await page.call("Page.navigate", url=other.url + "/")
        await page.until(
            f"location.href == '{portal.url}/pets' && document.readyState == 'complete'"
        )
        assert "sent by a page of another site" in await page.text()

    browse(tmp_path, steps)
    assert portal.rows("select count(*) from tool_usage") == before


@pytest.mark.parametrize("script", [FETCH, POST], ids=["fetch", "post"])
@pytest.mark.parametrize("path", ["/", f"/metrics?token={TOKEN}"])
def test_anothers_script_reads_nothing(portal, other, tmp_path, script, path):
    before = portal.rows("select count(*) from tool_usage")
    other.page = script.format(portal=portal.url, path=path)

    async def steps(page):
        await page.go(other.url + "/")
        await page.until("document.title == 'no' || document.title == 'sent'")

    browse(tmp_path, steps)
    assert portal.rows("select count(*) from tool_usage") == before


def test_a_file_that_calls_itself_a_page_is_saved_and_not_shown(start_portal, tmp_path):
    page_file = b"<script>document.title = 'ran'</script>"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page_file)}\r\n\r\n"
    files = {"evil.html": head.encode() + page_file}
    with FaultyGitLab(files=files) as gitlab, start_portal(gitlab=gitlab.url) as portal:

        async def steps(page):
            await page.go(portal.url + "/downloads/pets")
            await page.click('a[href="/downloads/pets/v1/evil.html"]')
            await page.downloaded()
            assert await page.path() == "/downloads/pets"
            assert await page.evaluate("document.title") != "ran"

        browse(tmp_path, steps)
        assert (tmp_path / "downloads/evil.html").read_bytes() == page_file
