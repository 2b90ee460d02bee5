"""axe-core (github.com/dequelabs/axe-core) within a page of `tests.support.browser.chromium`."""

import json
from importlib.resources import files

SCRIPT = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
# WCAG 2.2 at AA is all of these together; what axe's makers hold to be good practice besides.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Those that can find something else in another light, or on another screen.
OF_THE_LOOK = [
    *("color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"),
    *("landmark-unique", "page-has-heading-one", "heading-order", "aria-hidden-focus"),
]
RUN = """
axe.run(document, {runOnly: %s, resultTypes: ["violations"], iframes: false}).then(
    (found) => found.violations.map((rule) => ({
        rule: rule.id,
        nodes: rule.nodes.slice(0, 3).map((node) => [node.target.join(" "), node.failureSummary]),
    }))
)
"""


SECONDS = 300  # for pages with thousands of elements


async def look(page, width, dark, height=900):
    """Show the page so wide, light or dark."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    still = {"name": "prefers-reduced-motion", "value": "reduce"}
    await page.call("Emulation.setEmulatedMedia", features=[scheme, still])
    await page.call(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=height,
        deviceScaleFactor=1,
        mobile=width < 600,
    )


async def violations(page, rules=None):
    """What axe finds on the page as it is shown: rules, each with its first places and why.

    All rules, or those that are named.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(f"{SCRIPT}; null")
    return await page.evaluate(RUN % json.dumps(rules or TAGS), within=SECONDS)


async def sideways(page):
    """How many pixels of the page one would have to scroll sideways for."""
    return await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
