"""The stand-in Umami as tests hold it: started, ended, misbehaving, and what it has stored."""

import asyncio
import json
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection, HTTPException

from tests.support.browser.chromium import browsing
from tests.support.deploy.caddy import free_port
from tests.support.running import ROOT, TOKEN, ask, curl, parsed
from tests.support.umami.rules import WEBSITE
from tests.support.umami.server import SLUG

SECONDS = 20
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36"


class Umami:
    """`tests.support.umami.server` over a directory; a context. It keeps its port over restarts."""

    def __init__(self, directory, base="", started=True):
        self.directory, self.base, self.started = directory, base, started
        directory.mkdir(exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}{base}"
        self.process = None

    @property
    def settings(self):
        """What stands under [umami] for it."""
        return {"url": self.url, "website": WEBSITE, "share": f"{self.base}/share/{SLUG}/site"}

    def start(self):
        """Begin to answer."""
        command = [sys.executable, "-m", "tests.support.umami.server"]
        command += [str(self.directory), str(self.port), self.base]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"serving\n"

    def stop(self):
        """Refuse connections from now on."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def behave(self, every="up", **names):
        """As the server's docstring says; `send="hangs"` is for /api/send."""
        partial = self.directory / "mode.partial"
        partial.write_text(json.dumps({"*": every, **names}))
        partial.replace(self.directory / "mode.json")

    def _lines(self, name):
        path = self.directory / name
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in text.split("\n")[:-1]]  # the last may not be whole

    def stored(self, name=None):
        """The page views and events that it has, in the order in which they came; those of a
        name."""
        events = [e for e in self._lines("stored.jsonl") if e["type"] != "performance"]
        return [e for e in events if name is None or e.get("name") == name]

    def vitals(self):
        """The web vitals that it has."""
        return [e for e in self._lines("stored.jsonl") if e["type"] == "performance"]

    def asked(self, path=""):
        """What it was asked: method, path, headers, body."""
        return [line for line in self._lines("asked.jsonl") if self.base + path in line[1]]

    def until(self, count, name=None):
        """Wait for so many events; all of them."""
        return eventually(lambda: self.stored(name), lambda events: len(events) >= count)

    def __enter__(self):
        if self.started:
            self.start()
        return self

    def __exit__(self, *_):
        self.stop()


def eventually(look, fine, seconds=SECONDS):
    """What a look gives once it is fine."""
    end = time.monotonic() + seconds
    while not fine(seen := look()):
        assert time.monotonic() < end, seen
        time.sleep(0.05)
    return seen


def event(url="/downloads", **more):
    """What a page posts."""
    payload = {
        "website": WEBSITE, "hostname": "127.0.0.1", "screen": "1200x900", "language": "en-GB",
        "title": "Downloads", "url": url, "referrer": "", **more,
    }  # fmt: skip
    return {"type": "event", "payload": payload}


def post(portal, body, client, path="/u/api/send", agent=FIREFOX, **headers):
    """Send an event as a page does; status, headers, body (as JSON)."""
    fields = {"Content-Type": "application/json", "User-Agent": agent, **headers}
    flags = [f"-H{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    text = body if isinstance(body, str) else json.dumps(body)
    answer = curl("-D", "-", "--data-binary", text, *flags, portal.url + path, client=client)
    status, headers, body = parsed(answer)
    return status, headers, json.loads(body) if body else None


def outbox(portal):
    """What the operator is told of the outbox."""
    _, _, body = ask(f"{portal.url}/metrics?format=json", Authorization=f"Bearer {TOKEN}")
    return json.loads(body)["house"]["outbox"]


def amounts(portal):
    """How many events came to which end."""
    outcomes = outbox(portal)["outcomes"]
    return {name: outcome["amount"] for name, outcome in outcomes.items() if outcome["amount"]}


def post_all(portal, events, agent=FIREFOX):
    """Send events, pairs of a client's address and a body, over one connection; how many of them
    were answered with 200 before the portal went away."""
    connection = HTTPConnection("127.0.0.1", portal.port, timeout=SECONDS)
    answered = 0
    with closing(connection):
        for client, body in events:
            headers = {"X-Forwarded-For": client, "User-Agent": agent}
            try:
                connection.request("POST", "/u/api/send", json.dumps(body), headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, HTTPException):
                break
            assert answer.status == 200
            answered += 1
    return answered


def walk(directory, steps):
    """Run `await steps(page)` in a browser that is none of Umami's robots, and complains of
    nothing."""

    async def main():
        async with browsing(directory) as page:
            await page.call("Network.setUserAgentOverride", userAgent=PHONE)
            await steps(page)
            assert page.problems() == []

    asyncio.run(main())
