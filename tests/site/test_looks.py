"""The look in a browser: keyboard, light and dark, the operator's colour, paper, still pages."""

import asyncio

import pytest

from tests.support.browser import axe
from tests.support.browser.chromium import browsing
from tests.support.programs import needs

pytestmark = [
    pytest.mark.long,
    needs("chromium"),
]

PAGES = ("/", "/downloads/pets", "/pets", "/privacy", "/catalog/search")
FOCUSED = """(() => {
    const at = document.activeElement, style = getComputedStyle(at);
    const box = at.getBoundingClientRect();
    return {
        name: at.tagName + " " + (at.textContent || at.name).trim().slice(0, 30),
        ring: style.outlineStyle == "none" ? 0 : parseFloat(style.outlineWidth),
        seen: box.width > 1 && box.bottom > 0 && box.top < innerHeight,
        end: at == document.body,
    };
})()"""


def in_browser(tmp_path, steps):
    async def main():
        async with browsing(tmp_path) as page:
            await steps(page)
            assert page.problems() == []

    asyncio.run(main())


async def press(page, key, code):
    for kind in ("keyDown", "keyUp"):
        text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
        await page.call(
            "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text
        )


async def style(page, selector, name):
    return await page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).{name}")


def test_a_keyboard_reaches_everything_and_one_sees_where_it_is(portal, tmp_path):
    async def steps(page):
        for path in PAGES:
            await axe.look(page, 1000, False)
            await page.go(portal.url + path)
            passed = []
            for _ in range(60):
                await press(page, "Tab", 9)
                at = await page.evaluate(FOCUSED)
                if at["end"]:
                    break
                assert at["ring"] >= 2, (path, at)
                assert at["seen"], (path, at)
                passed.append(at["name"])
            assert len(passed) > 2, (path, passed)

    in_browser(tmp_path, steps)


def test_the_first_link_leads_past_the_header(portal, tmp_path):
    async def steps(page):
        await page.go(f"{portal.url}/downloads")
        await press(page, "Tab", 9)
        assert "Skip to the content" in (await page.evaluate(FOCUSED))["name"]
        await press(page, "Enter", 13)
        await page.until("document.activeElement.id == 'content'")

    in_browser(tmp_path, steps)


def test_the_operators_colour_light_and_dark(start_portal, tmp_path):
    async def steps(page):
        colours = {}
        for dark in (False, True):
            await axe.look(page, 1000, dark)
            await page.go(f"{portal.url}/")
            colours[dark] = (
                await style(page, ".newest a", "color"),
                await style(page, "body", "backgroundColor"),
                await style(page, ".mark", "fill"),
            )
        assert colours[False] == ("rgb(122, 31, 162)", "rgb(246, 247, 249)", "rgb(122, 31, 162)")
        link, ground, mark = colours[True]
        assert link == mark != colours[False][0]
        assert ground == "rgb(18, 22, 27)"

    with start_portal(site={"accent": "#7a1fa2"}) as portal:
        in_browser(tmp_path, steps)


def test_on_paper_there_is_only_what_can_be_read(portal, tmp_path):
    async def steps(page):
        await page.call("Emulation.setEmulatedMedia", media="print")
        await page.go(f"{portal.url}/downloads/pets")
        for gone in (".site-header nav", ".skip", ".copy"):
            assert await style(page, gone, "display") == "none"
        await page.until("document.querySelector('.checksum code').offsetWidth > 200")
        await page.go(f"{portal.url}/")
        assert await style(page, "form.search", "display") == "none"

    in_browser(tmp_path, steps)


@pytest.mark.parametrize(("wish", "scrolls"), [("reduce", "auto"), ("no-preference", "smooth")])
def test_nothing_moves_for_who_wants_that(portal, tmp_path, wish, scrolls):
    async def steps(page):
        feature = {"name": "prefers-reduced-motion", "value": wish}
        await page.call("Emulation.setEmulatedMedia", features=[feature])
        await page.go(f"{portal.url}/")
        assert await style(page, "html", "scrollBehavior") == scrolls

    in_browser(tmp_path, steps)


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 2560])
def test_no_width_is_too_small_or_too_large(portal, tmp_path, width):
    async def steps(page):
        await axe.look(page, width, False)
        for path in PAGES:
            await page.go(portal.url + path)
            assert await axe.sideways(page) == 0, path
            longest = (
                "Math.max(...[...document.querySelectorAll('main p')].map(p => p.offsetWidth))"
            )
            assert await page.evaluate(longest) < 1600

    in_browser(tmp_path, steps)
