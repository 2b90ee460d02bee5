"""The stand-in GitLab and its object store, in this process or as one of its own.

    python -m demo.standin --content DIR

prints `{"gitlab": "http://…", "objects": "http://…"}` when both answer and ends when its standard
input does, so that it never outlives who started it. GITLAB_TOKEN is the token it accepts; without
one it makes its own and prints it too, as "token".
"""

import argparse
import asyncio
import json
import os
import secrets
import signal
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from demo import routes
from demo.answers import DemoSite
from demo.content import fill
from demo.presign import Presigner
from demo.projects import DemoProject, find

ADDRESS = "127.0.0.1"


class StandIn:
    """Both servers over one filled folder.

    Start and stop it on a running event loop; it uses that loop only. `site.outage = 503` makes
    GitLab answer nothing else until it is None again.
    """

    def __init__(self, content: Path, *, token: str | None = None) -> None:
        self.token = token if token is not None else f"glpat-{secrets.token_urlsafe(15)}"
        self.site = DemoSite(content, self.token, Presigner(secrets.token_bytes(32)))
        self._servers: list[HTTPServer] = []

    @property
    def gitlab_url(self) -> str:
        """GitLab's origin, once started."""
        return self.site.gitlab_url

    @property
    def objects_url(self) -> str:
        """The object store's origin, once started."""
        return self.site.objects_url

    async def start(self) -> None:
        """Listen on two free ports of 127.0.0.1."""
        self.site.gitlab_url = self._listen(routes.gitlab(self.site))
        self.site.objects_url = self._listen(routes.objects(self.site))

    async def stop(self) -> None:
        """Close both servers and every connection, running transfers too."""
        for server in self._servers:
            server.stop()
            await server.close_all_connections()
        self._servers.clear()
        if self.site.relays:
            await asyncio.wait(self.site.relays)

    def project(self, name: str) -> DemoProject:
        """A project by number or path, whose releases can be changed. Raises KeyError."""
        project = find(self.site.content, name)
        if project is None:
            raise KeyError(name)
        return project

    def _listen(self, application: Application) -> str:
        sockets = bind_sockets(0, ADDRESS)
        server = HTTPServer(application)
        server.add_sockets(sockets)
        self._servers.append(server)
        return f"http://{ADDRESS}:{sockets[0].getsockname()[1]}"


async def serve(content: Path) -> None:
    """Run until standard input ends."""
    token = os.environ.get("GITLAB_TOKEN")
    standin = StandIn(content, token=token or None)
    await standin.start()
    ready = {"gitlab": standin.gitlab_url, "objects": standin.objects_url}
    print(json.dumps(ready if token else {**ready, "token": standin.token}), flush=True)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(0, lambda: None if os.read(0, 4096) else ended.set())
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()
    await standin.stop()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.standin", description="a stand-in GitLab")
    parser.add_argument("--content", type=Path, required=True, help="filled where it is missing")
    content: Path = parser.parse_args().content
    if not (content / "stamp").exists():
        fill(content)
    asyncio.run(serve(content))


if __name__ == "__main__":
    main()
