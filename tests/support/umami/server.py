"""A stand-in Umami, as a program: what a real 3.1 takes, refuses, forgets and answers.

    python -m tests.support.umami.server DIRECTORY PORT [BASE_PATH]

It stores events in DIRECTORY/stored.jsonl and everything it is asked in DIRECTORY/asked.jsonl, and
looks in DIRECTORY/mode.json before each answer: {"<name>": "<behaviour>"}, where a name is what
follows /api/ in an address, or "script.js", or "*" for every other. A behaviour is "up", "hangs",
"fails", "closes", "throttles", "redirects", "babbles" or seconds to wait; "stores and " before it
lets the event be stored first. "database" is "there" or a name in tests.support.umami.faults: every
event is then that error of status 500, also within a batch that is answered with 200, while the
heartbeat answers.
"""

import asyncio
import contextlib
import json
import signal
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from tests.support.umami.rules import WEBSITE, Refused, Store

SLUG, TOKEN = "AbCdEfGh", "share-token"
SCRIPT = (
    "!function(t){'use strict';var e='umami';fetch('/api/send');"
    "window.umami||(window.umami={track:()=>{},identify:()=>{}})}(window);"
)


class Handler(RequestHandler):
    """What all addresses share: what is asked is written down, and may go wrong."""

    def initialize(self, store):
        self.store = store

    async def prepare(self):
        request = self.request
        asked = [request.method, request.uri, dict(request.headers), request.body.decode("utf-8")]
        self.store.asked.write(json.dumps(asked) + "\n")
        self.store.asked.flush()
        modes = {}
        with contextlib.suppress(FileNotFoundError):
            modes = json.loads((self.store.directory / "mode.json").read_text())
        name = request.path.partition("/api/")[2] or request.path.rpartition("/")[2]
        self.store.database = modes.get("database", "there")
        behaviour = modes.get(name, modes.get("*", "up"))
        if isinstance(behaviour, str) and behaviour.startswith("stores and "):
            behaviour = behaviour.removeprefix("stores and ")
            self.answer()
            self.clear()
        await self.misbehave(behaviour)

    async def misbehave(self, behaviour):
        if behaviour == "hangs":
            await asyncio.sleep(3600)
        elif behaviour == "fails":
            self.set_status(500)
            self.finish("Internal Server Error")
        elif behaviour == "throttles":
            self.set_status(429)
            self.finish("slow down")
        elif behaviour == "babbles":
            self.finish("<!doctype html>")
        elif behaviour == "redirects":
            self.redirect("http://127.0.0.2:1/elsewhere")
        elif behaviour == "closes":
            self.request.connection.stream.close()
            self._finished = True
        elif behaviour != "up":
            await asyncio.sleep(behaviour)

    def answer(self):
        """What a healthy one writes."""

    def get(self, *_):
        self.answer()

    def post(self, *_):
        self.answer()

    def body(self):
        try:
            return json.loads(self.request.body)
        except ValueError:
            return None

    def refuse(self, status, reason, more=None):
        self.set_status(status)
        self.write(error_of(status, reason, more))


def error_of(status, reason, more=None):
    """Umami's `badRequest` and so on (its src/lib/response.ts)."""
    codes = {
        400: "bad-request",
        401: "unauthorized",
        403: "forbidden",
        404: "not-found",
        500: "server-error",
    }
    return {"error": {"message": reason, "code": codes[status], "status": status, **(more or {})}}


class SendHandler(Handler):
    def answer(self):
        headers = {name.lower(): value for name, value in self.request.headers.items()}
        try:
            self.write(self.store.take(self.body(), headers, self.request.remote_ip, "send"))
        except Refused as refused:
            self.refuse(*refused.args)


class BatchHandler(Handler):
    def answer(self):
        batch, details, cache = self.body(), [], None
        if not isinstance(batch, list):
            self.refuse(400, "Bad request", {"errors": ["Invalid input: expected array"]})
            return
        headers = {name.lower(): value for name, value in self.request.headers.items()}
        for index, event in enumerate(batch):
            try:
                taken = self.store.take(event, headers, self.request.remote_ip, "batch")
                cache = taken.get("cache") or cache
            except Refused as refused:
                details.append({"index": index, "response": error_of(*refused.args)})
        errors = len(details)
        self.write({"size": len(batch), "processed": len(batch) - errors, "errors": errors,
                    "details": details, "cache": cache})  # fmt: skip


class HeartbeatHandler(Handler):
    def answer(self):
        self.write({"ok": True})


class ScriptHandler(Handler):
    def answer(self):
        kept = self.store.directory / "script.js"
        self.set_header("Content-Type", "application/javascript; charset=UTF-8")
        self.write(kept.read_bytes() if kept.exists() else SCRIPT)


class ShareHandler(Handler):
    def answer(self):
        if self.path_args == [SLUG]:
            self.write({"websiteId": WEBSITE, "token": TOKEN})
        else:
            self.refuse(404, "Not found")


class FiguresHandler(Handler):
    """stats and metrics, to whoever has the share page's token."""

    def answer(self):
        website, what = self.path_args
        headers = self.request.headers
        known = headers.get("x-umami-share-token") == TOKEN
        if website != WEBSITE or not known or headers.get("x-umami-share-context") != "1":
            self.refuse(401, "Unauthorized")
            return
        views = self.store.between(*(int(self.get_argument(n)) for n in ("startAt", "endAt")))
        if what == "stats":
            visitors = len({view["session"] for view in views})
            figures = {"pageviews": len(views), "visitors": visitors}
            if (self.store.directory / "version-2").exists():
                figures = {name: {"value": n, "prev": 0} for name, n in figures.items()}
            self.write(figures)
            return
        kind, limit = self.get_argument("type"), int(self.get_argument("limit"))
        found = Counter(name for name, _ in {(kinds(v)[kind], v["session"]) for v in views})
        ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps([{"x": x, "y": y} for x, y in ranked[:limit]]))


def kinds(view):
    """What a page view counts as."""
    agent = view["userAgent"]
    return {
        "referrer": urlsplit(view.get("referrer", "")).netloc,
        "browser": "firefox" if "Firefox" in agent else "chrome" if "Chrome" in agent else "other",
        "device": "mobile" if "Mobile" in agent else "desktop",
    }


async def main(directory, port, base):
    """Serve until SIGTERM."""
    given = {"store": Store(directory)}
    routes = [
        (r"/api/send", SendHandler, given),
        (r"/api/batch", BatchHandler, given),
        (r"/api/heartbeat", HeartbeatHandler, given),
        (r"/script\.js", ScriptHandler, given),
        (r"/api/share/([^/]+)", ShareHandler, given),
        (r"/api/websites/([^/]+)/(stats|metrics)", FiguresHandler, given),
    ]
    application = Application(
        [(base + path, *rest) for path, *rest in routes], log_function=lambda _: None
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = HTTPServer(application, max_body_size=8 << 20)
    server.listen(port, "127.0.0.1")
    sys.stdout.write("serving\n")
    sys.stdout.flush()
    await stop.wait()
    server.stop()
    await asyncio.sleep(0.2)  # for answers that are being written


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), "".join(sys.argv[3:])))
