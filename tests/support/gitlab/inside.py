"""A portal and a stand-in GitLab in the test's own process, so that a test can change both."""

import asyncio
import contextlib
import os
import tomllib

from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from demo.standin import StandIn
from handlers import make_app
from portal.config.load import parse
from portal.gitlab.hints import Hints
from portal.metrics.access import Guesses
from portal.relay.slots import Transfers
from portal.services import Shared
from portal.startup import make_services
from sql.database import migrate
from tests.support.running import TOKEN, host

CONFIG = """
data_dir = "{data_dir}"
[gitlab]
url = "{gitlab}"
asset_hosts = ["{objects}"]
asset_networks = ["127.0.0.0/8"]
refresh_seconds = {refresh_seconds}
{more}
[[projects]]
slug = "pets"
gitlab = "{path}"
title = "Pets"
"""


class Inside:
    """Both, on the running loop; an async context. `environ` replaces GITLAB_TOKEN, if given."""

    def __init__(
        self, content, directory, environ=None, more="", path="icarus/pets", refresh_seconds=0.1
    ):
        self.standin = StandIn(content)
        self.directory, self.environ, self.more, self.path = directory, environ, more, path
        self.refresh_seconds, self.gitlab_url = refresh_seconds, ""

    async def __aenter__(self):
        await self.standin.start()
        text = CONFIG.format(
            data_dir=self.directory,
            gitlab=self.gitlab_url or self.standin.gitlab_url,
            refresh_seconds=self.refresh_seconds,
            objects=host(self.standin.objects_url),
            more=self.more,
            path=self.path,
        )
        environ = self.environ or {"GITLAB_TOKEN": self.standin.token}
        config = parse(tomllib.loads(text), {"METRICS_TOKEN": TOKEN, **environ})
        migrate(config.database)
        self._stack = contextlib.AsyncExitStack()
        self.services = make_services(
            self._stack, config, Shared(Transfers(10), Guesses(), Hints(1))
        )
        self._server = HTTPServer(make_app(self.services))
        sockets = bind_sockets(0, "127.0.0.1")
        self._server.add_sockets(sockets)
        self.url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        self._client = AsyncHTTPClient(force_instance=True)
        return self

    async def __aexit__(self, *_):
        self._client.close()
        self._server.stop()
        await self._server.close_all_connections()
        await self._stack.aclose()
        await self.standin.stop()

    async def ask(self, path, **headers):
        """Status, headers and text of an answer; as a browser asks, unless `Accept` is given."""
        fields = {"Accept": "text/html", **{n.replace("_", "-"): v for n, v in headers.items()}}
        answer = await self._client.fetch(
            self.url + path, headers=fields, raise_error=False, follow_redirects=False
        )
        return answer.code, answer.headers, answer.body.decode("utf-8", "replace")

    async def until(self, path, fine, **headers):
        """Ask until the answer is fine; the answer."""
        async with asyncio.timeout(20):
            while not fine(*(answer := await self.ask(path, **headers))):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return answer


def replace_token(path, *tokens):
    """Write a file of tokens anew, in one step."""
    partial = path.with_suffix(".new")
    partial.write_text("".join(f"{token}\n" for token in tokens))
    os.replace(partial, path)  # noqa: PTH105 - one step
