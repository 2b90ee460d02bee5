"""The catalog in a browser: by keyboard, without JavaScript, on a phone."""

import asyncio

import pytest

from tests.support.browser.chromium import browsing
from tests.support.programs import needs

pytestmark = needs("chromium")

PATHS = (
    *("/catalog", "/catalog/1.9/Odd", "/catalog/1.9/Odd/T_Many", "/catalog/1.9/Odd/T_Names"),
    *("/catalog/1.9/Items/D_Items/Lamp", "/catalog/search?q=lamp&version=1.9"),
    *("/catalog/diff?from=1.9&to=1.10", "/catalog/diff/Items/D_Items?from=1.9&to=1.10"),
    "/catalog/history/Items/D_Items/Lamp",
)


@pytest.fixture
def portal(catalog_portal):
    return catalog_portal


async def press(page, *keys):
    """Press keys as a person does; a single letter is typed."""
    codes = {"Enter": 13, "Tab": 9}
    for key in keys:
        text = "\r" if key == "Enter" else key if len(key) == 1 else ""
        code = {"windowsVirtualKeyCode": codes[key]} if key in codes else {}
        await page.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text, **code)
        await page.call("Input.dispatchKeyEvent", type="keyUp", key=key, **code)


def test_a_search_by_keyboard_without_javascript(portal, tmp_path):
    """The box has the focus; a word and the enter key lead to results, tab and enter to a row."""

    async def look():
        async with browsing(tmp_path) as page:
            await page.call("Emulation.setScriptExecutionDisabled", value=True)
            await page.go(f"{portal.url}/catalog/1.9")
            await page.until("document.activeElement.name == 'q'")
            await press(page, *"lamp", "Enter")
            await page.until("location.pathname == '/catalog/search'")
            assert "1 row found" in await page.text()
            for _ in range(40):
                await press(page, "Tab")
                if await page.evaluate("!!document.activeElement.closest('.hit')"):
                    break
            await press(page, "Enter")
            await page.until("location.pathname == '/catalog/1.9/Items/D_Items/Lamp'")
            assert page.problems() == []

    asyncio.run(look())


def test_comparing_by_the_button_of_a_table(portal, tmp_path):
    async def look():
        async with browsing(tmp_path) as page:
            await page.call("Emulation.setScriptExecutionDisabled", value=True)
            await page.go(f"{portal.url}/catalog/1.10/Items/D_Items")
            await page.click(".title-row button")
            await page.until("location.pathname == '/catalog/diff/Items/D_Items'")
            assert await page.evaluate("location.search") == "?from=1.9&to=1.10"
            assert "Weight" in await page.text()

    asyncio.run(look())


def test_no_page_is_wider_than_a_phone(portal, tmp_path):
    """Wide tables scroll inside themselves, at 320 pixels too."""

    async def look():
        async with browsing(tmp_path) as page:
            await page.call(
                "Emulation.setDeviceMetricsOverride",
                width=320,
                height=700,
                deviceScaleFactor=1,
                mobile=True,
            )
            for path in PATHS:
                await page.go(portal.url + path)
                wide = await page.evaluate("document.documentElement.scrollWidth")
                assert wide <= 320, path
            assert page.problems() == []

    asyncio.run(look())
