"""A GitLab API over a real socket that answers as a test tells it to."""

import asyncio
import atexit
import json
import logging
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from portal.config.model import Config, GitLab, Limits, Project, UmamiConfig
from portal.config.site import Site
from portal.gitlab.api import GitLabApi
from portal.relay.curl import CurlClient

TOKEN = "secret-token"
NUMBER = 7
PETS = Project("pets", "example/pets", "Pets", "")
RELEASES = "/api/v4/projects/example%2Fpets/releases"
PACKAGES = "/api/v4/projects/example%2Fpets/packages"

logging.getLogger("tornado.access").setLevel(logging.CRITICAL)


@dataclass
class Answer:
    """What is sent: `body` as JSON unless it is bytes; with `silent`, nothing, for ever."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    silent: bool = False


@dataclass
class StandIn:
    """`answers[path]` is an Answer, or makes one of the request; what is not there is a 404."""

    answers: dict[str, Answer | Callable[[HTTPServerRequest], Answer]] = field(default_factory=dict)
    requests: list[HTTPServerRequest] = field(default_factory=list)
    url: str = ""

    def asked(self, path: str) -> int:
        """How many requests came for a path."""
        return sum(request.path == path for request in self.requests)


class _Handler(RequestHandler):
    async def get(self) -> None:
        standin = self.application.settings["standin"]
        if self.request.path.count("/") == 4:  # a project itself: only its number is asked for
            self.write({"id": NUMBER})
            return
        standin.requests.append(self.request)
        answer = standin.answers.get(self.request.path, Answer(status=404))
        if callable(answer):
            answer = answer(self.request)
        if answer.silent:
            await asyncio.sleep(60)
        self.set_status(answer.status)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        if answer.status != 304:
            body = answer.body
            self.write(body if isinstance(body, bytes) else json.dumps(body))

    def compute_etag(self) -> None:
        """The answers carry their own."""


@asynccontextmanager
async def running() -> AsyncIterator[StandIn]:
    """A stand-in on a free port of the loopback."""
    standin = StandIn()
    server = HTTPServer(Application([(".*", _Handler)], standin=standin))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    standin.url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    try:
        yield standin
    finally:
        server.stop()
        await server.close_all_connections()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()


@asynccontextmanager
async def api_to(url: str, *, seconds: float = 5) -> AsyncIterator[GitLabApi]:
    """The API's reader, on a client of its own."""
    client = CurlClient(force_instance=True)
    try:
        yield GitLabApi(gitlab(url), client, limits(seconds))
    finally:
        client.close()


FOLDERS = tempfile.mkdtemp(prefix="portal-listings-")
atexit.register(shutil.rmtree, FOLDERS, ignore_errors=True)


def gitlab(url: str, *, refresh_seconds: float = 0.05) -> GitLab:
    return GitLab(url, frozenset(), (ip_network("127.0.0.0/8"),), refresh_seconds, TOKEN)


def limits(seconds: float) -> Limits:
    return Limits(10, seconds, seconds, seconds, seconds, seconds)


def config(url: str, *projects: Project, refresh_seconds: float = 0.05) -> Config:
    return Config(
        data_dir=Path(tempfile.mkdtemp(dir=FOLDERS)),
        catalog_dir=Path("unused"),
        address="127.0.0.1",
        port=0,
        trusted_proxies=(),
        client_header="X-Forwarded-For",
        site=Site(),
        gitlab=gitlab(url, refresh_seconds=refresh_seconds),
        limits=limits(5),
        umami=UmamiConfig("http://127.0.0.1:3001", ""),
        projects=projects or (PETS,),
    )


def entry(version: str = "v1.0.0", *links: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A release as GitLab describes it."""
    return {
        "tag_name": version,
        "name": f"Pets {version}",
        "description": "Notes.",
        "created_at": "2026-01-01T00:00:00Z",
        "released_at": "2026-01-02T03:04:05.678+02:00",
        "upcoming_release": False,
        "assets": {
            "sources": [{"format": f, "url": "x"} for f in ("zip", "tar.gz", "tar.bz2", "tar")],
            "links": list(links),
        },
    } | changes


def link(url: str, **changes: Any) -> dict[str, Any]:
    return {"id": 1, "name": "A label", "url": url, "direct_asset_url": url} | changes


def run(test):
    """Run `test(standin, api)` on an event loop of its own."""

    async def whole():
        async with running() as standin, api_to(standin.url, seconds=1) as api:
            return await test(standin, api)

    return asyncio.run(whole())
