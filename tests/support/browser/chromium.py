"""A headless Chromium, driven over the DevTools protocol (chromedevtools.github.io)."""

import asyncio
import base64
import contextlib
import json
import shutil
import subprocess
import time
from itertools import count

from tornado.websocket import websocket_connect

SECONDS = 15


def chromium():
    """The program's path; None where there is none."""
    return shutil.which("chromium") or shutil.which("google-chrome")


@contextlib.asynccontextmanager
async def browsing(directory):
    """A page in a fresh browser whose profile and downloads are in `directory`."""
    profile = directory / "profile"
    command = [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    command += ["--disable-background-networking", "--remote-debugging-port=0"]
    # A page that is left is over: what it kept for the way back would go on asking.
    command += ["--disable-features=BackForwardCache"]
    command += ["--disable-dev-shm-usage", f"--user-data-dir={profile}", "about:blank"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    connection = None
    try:
        connection = await websocket_connect(await address(profile), max_message_size=64 << 20)
        page = Page(connection)
        await page.open(directory / "downloads")
        yield page
    finally:
        process.terminate()
        await process.wait()
        if connection:
            connection.close()
            await asyncio.gather(page.reading, return_exceptions=True)


async def address(profile):
    """Where a browser listens that has just been started."""
    active = profile / "DevToolsActivePort"
    until = time.monotonic() + SECONDS
    while True:
        with contextlib.suppress(FileNotFoundError):
            lines = active.read_text().splitlines()
            if len(lines) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        assert time.monotonic() < until, "Chromium does not start"
        await asyncio.sleep(0.05)


class Page:
    """One page. Every wait ends after `SECONDS` with a failure."""

    def __init__(self, connection):
        self._connection = connection
        self._numbers = count(1)
        self._answers = {}
        self._session = None
        self.events = []
        self.reading = asyncio.ensure_future(self._read())

    async def open(self, downloads):
        """Attach to a page of its own."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        await self.call(
            "Browser.setDownloadBehavior",
            behavior="allow",
            downloadPath=str(downloads),
            eventsEnabled=True,
        )
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "DOM", "Network", "Log"):
            await self.call(f"{domain}.enable")

    async def _read(self):
        while (text := await self._connection.read_message()) is not None:
            message = json.loads(text)
            if "id" in message:
                self._answers.pop(message["id"]).set_result(message)
            else:
                self.events.append((message["method"], message["params"]))

    async def call(self, method, within=SECONDS, **params):
        """One command of the protocol; its result."""
        number = next(self._numbers)
        future = self._answers[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        await self._connection.write_message(json.dumps(message))
        answer = await asyncio.wait_for(future, within)
        assert "error" not in answer, (method, answer)
        return answer["result"]

    async def evaluate(self, script, within=SECONDS):
        """What a script gives."""
        answer = await self.call(
            "Runtime.evaluate", within, expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, (script, answer)
        return answer["result"].get("value")

    async def until(self, script):
        """Wait until an expression is true, on whatever page."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(AssertionError):  # between two pages there is none
                if await self.evaluate(f"!!({script})"):
                    return
            await asyncio.sleep(0.03)
        raise AssertionError(f"never: {script}\n{await self.text()}")

    async def go(self, url):
        """Load an address."""
        await self.call("Page.navigate", url=url)
        await self.until(f"location.href == {json.dumps(url)} && document.readyState == 'complete'")

    async def click(self, selector):
        """Click an element as a script does."""
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    async def fill(self, selector, value):
        """Type into a field."""
        quoted = json.dumps(value)
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).value = {quoted}")

    async def drop(self, *paths):
        """Drop files on the middle of the page."""
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            await self.call("Input.dispatchDragEvent", type=kind, x=200, y=200, data=data)

    async def choose(self, selector, *paths):
        """Pick files in a field, as with the dialog."""
        root = (await self.call("DOM.getDocument"))["root"]["nodeId"]
        found = await self.call("DOM.querySelector", nodeId=root, selector=selector)
        files = [str(path) for path in paths]
        await self.call("DOM.setFileInputFiles", nodeId=found["nodeId"], files=files)

    async def downloaded(self):
        """Wait for a download to end."""
        end = time.monotonic() + SECONDS
        while "completed" not in (states := self.download_states()):
            assert time.monotonic() < end, states
            await asyncio.sleep(0.03)

    def download_states(self):
        """How a download went so far."""
        return [p["state"] for name, p in self.events if name == "Browser.downloadProgress"]

    async def text(self):
        """What the page says."""
        return await self.evaluate("document.body.innerText")

    async def path(self):
        """Where the page is."""
        return await self.evaluate("location.pathname")

    def problems(self):
        """What the browser complains of: errors of scripts, what the policy forbids."""
        return [
            params
            for name, params in self.events
            if name == "Runtime.exceptionThrown"
            or (name == "Log.entryAdded" and params["entry"]["source"] in ("security", "violation"))
        ]

    async def picture(self, path, width=1200, dark=False):
        """A picture of the whole page."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        shot = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))
