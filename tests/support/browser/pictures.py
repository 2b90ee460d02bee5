"""The README's pictures, of the running demo: `make screenshots`.

A demo of its own, with invented visits in its database, and a headless Chromium.
"""

import asyncio
import base64
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sql.database import connect, migrate
from tests.support.browser import axe
from tests.support.browser.chromium import browsing
from tests.support.events.history import INSERTS
from tests.support.running import ROOT
from tests.support.saves import mounts_json

FOLDER = ROOT / "docs" / "pictures"
TOKEN = "pictures"
PORT = "8000"  # as a reader will have it
MOST_BYTES = 300_000
DAYS = 200
MOUNTS = mounts_json(
    {"name": "Clover", "number": 2147400001},
    {"name": "Biscuit", "guid": 4101, "number": 2147400002},
    {"name": "Old Tolle", "guid": 4102, "number": 2147400003},
)
# By name: the path, how wide and high (in CSS pixels), dark or light.
SHOTS = {
    "home": ("/", 1200, 1000, False),
    "home-dark": ("/", 1200, 1000, True),
    "home-phone": ("/", 390, 844, True),
    "releases": ("/downloads/pets", 1200, 1000, False),
    "releases-phone": ("/downloads/pets#release-v2.1.0", 390, 844, False),
    "diff": ("/catalog/diff/Creatures/D_Creatures?from=1.9&to=2.0", 1200, 1000, False),
    "diff-dark": ("/catalog/diff/Creatures/D_Creatures?from=1.9&to=2.0", 1200, 1000, True),
    "catalog-phone": ("/catalog/search?q=lamp", 390, 844, True),
    "metrics": (f"/metrics?token={TOKEN}", 1400, 1100, False),
    "metrics-dark": (f"/metrics?token={TOKEN}", 1400, 1100, True),
}


def visits(database):
    """Invented events of many days, as they may be at such a site; the same each time."""
    chance = random.Random(7)  # noqa: S311 - pictures
    migrate(database)
    with closing(connect(database)) as connection:
        connection.execute("begin")
        for ago in range(DAYS):
            day = datetime.now(UTC).date() - timedelta(days=ago)
            for section, most in (("downloads", 40), ("clones", 9), ("tools", 25), ("catalog", 50)):
                busy = most * (1.5 - ago / DAYS) * (1.6 if day.weekday() > 4 else 1)
                for _ in range(round(busy * chance.uniform(0.5, 1))):
                    keys = chance.choice(KINDS[section])
                    who = f"{chance.randrange(400):064x}"
                    connection.execute(INSERTS[section], (*keys, f"{day} 12:00:00", who))
        connection.execute("commit")


KINDS = {
    "downloads": [
        *3
        * [("pets", "v2.1.0", "pets-2.1.0-windows.zip"), ("prospects", "v1.3.0", "prospects.zip")],
        *2 * [("pets", "v2.1.0", "pets-linux.tar.gz")],
        ("prospects", "v1.3.0", "prospects-1.3.0.tar.gz"),
        ("pets", "v2.0.0", "pets-2.0.0.zip"),
        ("pets", "v2.2.0-rc.1", "pets-2.2.0-rc.1.zip"),
    ],
    "clones": [("pets",), ("pets",), ("prospects",)],
    "tools": [
        *3 * [("pets", "upload"), ("pets", "download")],
        *2 * [("prospects", "upload")],
        ("prospects", "download"),
    ],
    "catalog": [
        *4 * [("category_view", "Creatures", None), ("category_view", "Items", None)],
        *2 * [("category_view", "Recipes", None), ("diff_view", "1.10..2.0", None)],
        *2 * [("search", "lamp", 6), ("search", "rope", 9)],
        ("search", "dragon", 0),
        ("category_view", "Weather", None),
    ],
}


def demo(folder):
    """The demo, started; its process and address. It is given two minutes."""
    environment = {**os.environ, "PORT": PORT, "DATA_DIR": str(folder), "METRICS_TOKEN": TOKEN}
    environment.pop("CONFIG", None)
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "demo"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    until = time.monotonic() + 120
    for line in process.stdout:
        if match := re.search(r"home +(http://\S+?)/$", line.rstrip()):
            return process, match[1]
        if time.monotonic() > until:
            break
    process.terminate()
    raise SystemExit("The demo does not start.")


async def save(page, name, width, height, dark):
    """Look at what is shown, and write it down."""
    await axe.look(page, width, dark, height)
    await page.evaluate("document.activeElement.blur()")
    await asyncio.sleep(0.2)
    shot = await page.call("Page.captureScreenshot")
    content = base64.b64decode(shot["data"])
    (FOLDER / f"{name}.png").write_bytes(content)
    note = "" if len(content) < MOST_BYTES else "  TOO LARGE"
    print(f"{name:16} {width:5}x{height:<5} {len(content) / 1000:6.0f} kB{note}")
    return len(content) < MOST_BYTES


async def take(base, folder):
    """All pictures; whether each is small enough."""
    fine = True
    async with browsing(folder) as page:
        await page.call("Emulation.setScrollbarsHidden", hidden=True)
        for name, (path, width, height, dark) in SHOTS.items():
            await axe.look(page, width, dark, height)
            await page.go(base + path)
            fine &= await save(page, name, width, height, dark)
        saved = folder / "Mounts.json"
        saved.write_bytes(MOUNTS)
        await axe.look(page, 1200, False)
        await page.go(f"{base}/pets")
        await page.choose("#file", saved)
        await page.until("document.querySelector('.mount')")
        await page.evaluate("document.querySelector('.mount').open = true")
        fine &= await save(page, "tool", 1200, 1000, False)
    return fine


def main():
    """The command: 1 where a picture is too large for the repository."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        folder = Path(made)
        visits(folder / "demo" / "portal.sqlite3")
        process, base = demo(folder / "demo")
        try:
            return 0 if asyncio.run(take(base, folder)) else 1
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    sys.exit(main())
