"""A headless Firefox, driven over WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/)."""

import asyncio
import contextlib
import json
import re
import shutil
import time
from itertools import count

from tornado.websocket import websocket_connect

SECONDS = 90  # it is slow on a machine that does other things too
LISTENING = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")
# Nothing is asked of anybody but the page, and every file goes to the folder unasked.
PREFERENCES = {
    "app.update.enabled": False,
    "browser.download.folderList": 2,
    "browser.download.useDownloadDir": True,
    "browser.download.always_ask_before_handling_new_types": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.safebrowsing.downloads.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "http://127.0.0.1:9",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


def firefox():
    """The program's path; None where there is none."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


@contextlib.asynccontextmanager
async def browsing(directory):
    """A page in a fresh browser whose profile and downloads are in `directory`."""
    profile, downloads = directory / "profile", directory / "downloads"
    for each in (profile, downloads):
        each.mkdir()
    preferences = {**PREFERENCES, "browser.download.dir": str(downloads)}
    lines = (f"user_pref({json.dumps(n)}, {json.dumps(v)});\n" for n, v in preferences.items())
    (profile / "user.js").write_text("".join(lines))
    command = [firefox(), "--headless", "--no-remote", "--profile", str(profile)]
    process = await asyncio.create_subprocess_exec(
        *(*command, "--remote-debugging-port", "0", "about:blank"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    connection = None
    try:
        async with asyncio.timeout(SECONDS):
            while not (match := LISTENING.search(await process.stderr.readline())):
                assert process.returncode is None, "Firefox does not start"
        rest = asyncio.ensure_future(process.stderr.read())
        connection = await websocket_connect(match[1].decode() + "/session")
        page = Page(connection, downloads)
        await page.open()
        yield page
        await page.call("browser.close")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        await rest
        if connection:
            connection.close()
            await asyncio.gather(page.reading, return_exceptions=True)


class Page:
    """One page. Every wait ends after `SECONDS` with a failure."""

    def __init__(self, connection, downloads):
        self._connection, self._downloads = connection, downloads
        self._numbers = count(1)
        self._answers = {}
        self._context = None
        self.reading = asyncio.ensure_future(self._read())

    async def open(self):
        """Begin a session over the first page."""
        await self.call("session.new", capabilities={})
        tree = await self.call("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]

    async def _read(self):
        while (text := await self._connection.read_message()) is not None:
            message = json.loads(text)
            if message.get("id") in self._answers:
                self._answers.pop(message["id"]).set_result(message)

    async def call(self, method, **params):
        """One command of the protocol; its result."""
        number = next(self._numbers)
        future = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._connection.write_message(
            json.dumps({"id": number, "method": method, "params": params})
        )
        answer = await asyncio.wait_for(future, SECONDS)
        assert answer["type"] == "success", (method, answer)
        return answer["result"]

    async def go(self, url):
        """Load an address."""
        await self.call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def click(self, selector):
        """Click an element as a script does."""
        await self.call(
            "script.evaluate",
            expression=f"document.querySelector({json.dumps(selector)}).click()",
            target={"context": self._context},
            awaitPromise=False,
        )

    async def downloaded(self, files):
        """Wait until so many files are there, whole; they."""
        until = time.monotonic() + SECONDS
        while True:
            found = sorted(self._downloads.iterdir())
            # While a file comes, its name is there with nothing in it, beside NAME.part.
            if len(found) == files and all(f.stat().st_size for f in found):
                return found
            assert time.monotonic() < until, found
            await asyncio.sleep(0.05)
