"""A whole walk in a real browser: drop, look, edit, preview, edit, download, compare."""

import asyncio
import re

from portal import saves
from tests.support.browser.chromium import browsing
from tests.support.programs import needs
from tests.support.saves import mounts_json, prospect_json

pytestmark = needs("chromium")

MOUNTS = mounts_json({"name": "Clover"}, {"name": "Ivy", "guid": 4101, "number": 2147400001})
PROSPECT = prospect_json()
OPEN = "/[0-9a-f]{32}$/.test(location.pathname) && document.readyState == 'complete'"


def walk(tmp_path, steps):
    """Run `await steps(page)` in a browser that complains of nothing."""

    async def main():
        async with browsing(tmp_path) as page:
            await steps(page)
            assert page.problems() == []

    asyncio.run(main())


async def press(page, selector, arrived):
    """Click a button and wait for the page behind it, which may have the same address."""
    await page.evaluate("window.left = true")
    await page.click(selector)
    there = f"location.pathname.endsWith('{arrived}') && document.readyState == 'complete'"
    await page.until(f"!window.left && {there}")


def recorded(portal):
    return portal.rows("select tool, event from tool_usage order by id")


def test_a_player_changes_mounts(start_portal, tmp_path):
    saved = tmp_path / "Mounts.json"
    saved.write_bytes(MOUNTS)
    edits = [
        {"edit": "rename", "mount": 1, "name": "Ælfgifu 🐎"},
        {"edit": "level", "mount": 1, "level": 30},
        {"edit": "genetics", "mount": 2, "values": {"Vitality": 7}},
        {"edit": "clone", "mount": 2, "name": "Twin"},
    ]

    async def steps(page):
        await page.go(f"{portal.url}/pets")
        assert await page.evaluate("document.querySelector('[data-submit]').hidden")
        await page.drop(saved)
        await page.until(OPEN)
        assert "2 mounts" in await page.text()
        await page.fill("#m1-name", "Ælfgifu 🐎")
        await page.fill("#m1-level", "99")
        await page.fill("#m2-gene0", "7")
        await page.fill("#m2-clone", "Twin")
        await press(page, "form.save button", "preview")
        assert "Level is a whole number from 1 to 50." in await page.text()
        await page.fill("#m1-level", "30")
        await page.click("form.save button")
        await page.until("document.querySelector('table.changes')")
        text = await page.text()
        for words in ("Ælfgifu 🐎", "Genetics: Vitality", "140,000", "a copy"):
            assert words in text
        await press(page, "form.save button:first-of-type", "result")
        assert "Steam Cloud" in await page.text()
        await page.click("a[download]")
        await page.downloaded()

    with start_portal() as portal:
        walk(tmp_path, steps)
        assert recorded(portal) == [("pets", "upload"), ("pets", "download")]
    taken = tmp_path / "downloads" / "Mounts.json"
    assert taken.read_bytes() == saves.change("pets", MOUNTS, edits).content


def test_a_player_changes_a_world(start_portal, tmp_path):
    saved = tmp_path / "Höhle.json"
    saved.write_bytes(PROSPECT)
    edits = [
        {"edit": "hardcore", "hardcore": True},
        {"edit": "reset_mission", "mission": "Hill_Done"},
    ]

    async def steps(page):
        await page.go(f"{portal.url}/pets")
        await page.drop(saved)
        await page.until("!document.querySelector('[data-problem]').hidden")
        assert "This is a prospect" in await page.text()
        await press(page, "[data-link]", "/prospects")
        await page.choose("#file", saved)
        await page.until(OPEN)
        boxes = await page.evaluate("[...document.querySelectorAll('[id^=mission]')].length")
        assert boxes == 1 + 3  # the heading; those that are over
        await page.fill("#hardcore", "true")
        await page.click("#mission1")
        await press(page, "form.save button", "preview")
        await press(page, "[name=back]", "preview")
        assert await page.evaluate("document.querySelector('#mission1').checked")
        await page.click("form.save button")
        await page.until("document.querySelector('table.changes')")
        await press(page, "form.save button:first-of-type", "result")
        assert "hash was computed" in await page.text()
        await page.click("a[download]")
        await page.downloaded()

    with start_portal() as portal:
        walk(tmp_path, steps)
        assert recorded(portal) == [("prospects", "upload"), ("prospects", "download")]
        assert not re.search(r"/[0-9a-f]{32}", portal.log())
    taken = tmp_path / "downloads" / "Höhle.json"
    assert taken.read_bytes() == saves.change("prospects", PROSPECT, edits).content


def test_what_goes_wrong_is_said_on_the_page(start_portal, tmp_path):
    large = tmp_path / "Large.json"
    with large.open("wb") as file:
        file.truncate((16 << 20) + 1)
    saved = tmp_path / "Mounts.json"
    saved.write_bytes(MOUNTS)
    broken = tmp_path / "Broken.json"
    broken.write_bytes(MOUNTS[:-50])
    problem = "!document.querySelector('[data-problem]').hidden && document.body.innerText.includes"

    async def steps(page):
        await page.go(f"{portal.url}/pets")
        for files, words in (
            ([large], "larger than 16 MiB"),
            ([saved, broken], "several files"),
            ([broken], "JSON"),
        ):
            await page.drop(*files)
            await page.until(f"{problem}('{words}')")
            assert await page.evaluate("document.activeElement.id") == "file"
        portal.stop()
        await page.drop(saved)
        await page.until(f"{problem}('connection broke off')")

    with start_portal() as portal:
        walk(tmp_path, steps)
