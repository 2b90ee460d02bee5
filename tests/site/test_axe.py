"""Every page and state in a browser: no violation for axe-core, light and dark, wide and narrow."""

import asyncio
import json
import re

import pytest

from tests.support.browser import axe
from tests.support.browser.chromium import browsing
from tests.support.browser.states import LARGE, STATES
from tests.support.catalog.tables import small_catalog
from tests.support.programs import needs
from tests.support.running import TOKEN
from tests.support.saves import mounts_json, prospect_json
from tests.support.tools import opened

pytestmark = [
    pytest.mark.long,
    needs("chromium"),
]

LOOKS = ((1280, False, None), (320, True, axe.OF_THE_LOOK))
PAGES = (
    *("/", "/downloads", "/downloads/pets", "/downloads/prospects", "/pets", "/prospects"),
    *("/privacy", "/nothing", "/downloads/pest", "/downloads/pets/v2.1.1"),
    *("/pets/0123456789abcdef0123456789abcdef", f"/metrics?token={TOKEN}", "/metrics"),
)
CATALOG = (
    *("/catalog", "/catalog/1.9", "/catalog/1.9/Items", "/catalog/1.9/Items/D_Items"),
    *("/catalog/1.9/Items/D_Items?q=lamp&sort=Weight", "/catalog/1.9/Items/D_Items?q=zzz"),
    *("/catalog/1.9/Items/D_Items/Lamp", "/catalog/1.9/Odd/T_None", "/catalog/1.9/Odd/T_Names"),
    *("/catalog/search", "/catalog/search?q=lamp&version=1.9", "/catalog/search?q=zzz"),
    *("/catalog/diff", "/catalog/diff?from=1.9&to=1.10", "/catalog/diff?from=1.9&to=1.9"),
    *("/catalog/diff/Items/D_Items?from=1.9&to=1.10", "/catalog/history/Items/D_Items/Lamp"),
    *("/catalog/1.9/Itms", "/catalog/none"),
)


class Findings:
    """What is wrong, by page and look."""

    def __init__(self, page):
        self.page = page
        self.found = {}

    async def check(self, name):
        """Look at the page that is shown."""
        for width, dark, rules in LOOKS:
            await axe.look(self.page, width, dark)
            wrong = await axe.violations(self.page, rules)
            if aside := await axe.sideways(self.page):
                wrong.append({"rule": "sideways", "nodes": [aside]})
            if wrong:
                self.found[f"{name} {width}{' dark' if dark else ''}"] = wrong


def checked(tmp_path, steps):
    """Run `await steps(page, findings)` in a browser; there is nothing wrong, nor complained of."""

    async def main():
        async with browsing(tmp_path) as page:
            findings = Findings(page)
            await steps(page, findings)
            assert not findings.found, json.dumps(findings.found, indent=1)
            assert page.problems() == []

    asyncio.run(main())


@pytest.fixture(scope="module")
def catalog(start_portal, tmp_path_factory):
    with small_catalog(start_portal, tmp_path_factory.mktemp("tables")) as running:
        yield running


@pytest.mark.parametrize("pages", [PAGES, CATALOG], ids=["site", "catalog"])
def test_every_page(catalog, tmp_path, pages):
    async def steps(page, findings):
        for path in pages:
            await page.go(catalog.url + path)
            await findings.check(path)

    checked(tmp_path, steps)


@pytest.mark.parametrize(
    ("tool", "saved"), [("pets", mounts_json({"name": "A" * 60})), ("prospects", prospect_json())]
)
def test_every_page_of_a_tool(catalog, tmp_path, clients, tool, saved):
    said = opened(catalog, tool, saved, clients.new())
    field = {"pets": "#m1-name", "prospects": "#hardcore"}[tool]
    value = {"pets": "B", "prospects": "true"}[tool]

    async def steps(page, findings):
        await page.go(said["page"])
        await page.evaluate("document.querySelectorAll('details').forEach((d) => d.open = true)")
        await findings.check("what is in it")
        if tool == "pets":
            await page.fill("#m1-level", "999")
            await page.click("form.save button")
            await page.until("document.querySelector('.problem')")
            await findings.check("not right")
            await page.fill("#m1-level", "20")
        await page.fill(field, value)
        await page.click("form.save button")
        await page.until("document.querySelector('table.changes')")
        await findings.check("what will change")
        await page.click("form.save button:first-of-type")
        await page.until(
            "location.pathname.endsWith('/result') && document.querySelector('.notice')"
        )
        await findings.check("changed")
        await page.go(f"{catalog.url}/{tool}")
        await page.evaluate("document.querySelector('[data-travel]').hidden = false")
        await findings.check("on its way")
        await page.evaluate("refuse({ error: 'No.', advice: 'Please.' })")
        await findings.check("refused")

    checked(tmp_path, steps)


async def show(page, portal, html):
    """Show HTML under the portal's own address; its scripts have run in this document already."""
    frame = (await page.call("Page.getFrameTree"))["frameTree"]["frame"]["id"]
    still = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    await page.call("Page.setDocumentContent", frameId=frame, html=still)
    await page.until("document.readyState == 'complete' && document.styleSheets.length")


@pytest.mark.parametrize(
    "states", [STATES, pytest.param(LARGE, marks=pytest.mark.long)], ids=["usual", "large"]
)
def test_every_state(portal, tmp_path, states):
    """States that are hard to bring about."""

    async def steps(page, findings):
        await page.go(f"{portal.url}/downloads")
        for name, rendered in states.items():
            await show(page, portal, rendered().html)
            await findings.check(name)

    checked(tmp_path, steps)


def test_it_can_fail(portal, tmp_path):
    """A page with faults, so that silence means something."""
    bad = STATES["error-503"]().html
    bad = bad.replace("<h1>", '<h4><input><a href="/"></a>').replace("</h1>", "</h4>")
    bad = bad.replace('class="lead"', 'class="visually-hidden"').replace(
        "</main>", '<p><font color="#ddd">Pale</font></p><hr width="5000"></main>'
    )

    async def main():
        async with browsing(tmp_path) as page:
            await page.go(f"{portal.url}/downloads")
            await show(page, portal, bad)
            findings = Findings(page)
            await findings.check("bad")
            return {each["rule"] for each in findings.found["bad 1280"]}

    rules = asyncio.run(main())
    wanted = {"label", "link-name", "page-has-heading-one", "color-contrast", "sideways"}
    assert wanted <= rules
