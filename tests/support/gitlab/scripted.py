"""An upstream that does exactly what a test tells it to, over a real socket."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

Script = Callable[["Exchange"], Awaitable[None]]


class Exchange:
    """One connection to the scripted upstream: what was asked, and the means to answer."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.line = ""
        self.headers = {}

    async def read_head(self):
        """Read the request line and the headers (names in lower case)."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin1").split("\r\n")
        self.line = head[0]
        self.headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)

    async def send(self, data):
        """Send bytes as they are."""
        self.writer.write(data if isinstance(data, bytes) else data.encode("latin1"))
        await self.writer.drain()

    async def hang(self):
        """Do nothing until the other side closes the connection."""
        await self.reader.read()
        raise ConnectionError

    async def answer(self, status, body=b"", **headers):
        """Send a whole answer."""
        fields = {"Content-Length": str(len(body)), **headers}
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
        await self.send(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body)


class Upstream:
    """Serves `script` once a request, on a free port of the loopback; an async context."""

    def __init__(self, script: Script):
        self.script = script
        self.requests = []
        self.closed = asyncio.Event()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._tasks = set()
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.server.wait_closed()

    def _accept(self, reader, writer):
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader, writer):
        try:
            while True:
                exchange = Exchange(reader, writer)
                await exchange.read_head()
                self.requests.append(exchange)
                await self.script(exchange)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.closed.set()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
