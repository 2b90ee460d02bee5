"""A GitLab that fails on command: the demo's stand-in behind a TCP gateway that injects faults.

    python -m benchmarks.faults.gateway CONTENT GITLAB_PORT OBJECTS_PORT

Prints a line when it answers. Each line of standard input names a fault of `FAULTS`, or `none`. The
line is printed again when the fault is in effect, also for open connections; an answer that is
already being sent is completed. The process ends with its standard input. The ports are arguments,
so that a gateway that was killed can be started again at the same address.
"""

import asyncio
import os
import random
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from demo.standin import ADDRESS, StandIn

CHUNK = 64 << 10
TRICKLE = 16 << 10  # bytes between two pauses of a slow GitLab
TRICKLE_SECONDS = 0.05
TOO_MANY = b"Retry-After: 1\r\n"


def head(status: int, more: bytes = b"", body: bytes = b"no\n") -> bytes:
    """A complete answer that closes the connection."""
    return b"HTTP/1.1 %d X\r\nConnection: close\r\n%sContent-Length: %d\r\n\r\n%s" % (
        status,
        more,
        len(body),
        body,
    )


def redirect(request: bytes) -> bytes:
    """A redirect to the requested address itself."""
    return head(302, b"Location: %s\r\n" % request.split(b" ", 2)[1])


def garbage(_request: bytes) -> bytes:
    """Random bytes that are not HTTP."""
    return random.randbytes(2000) + b"\r\n\r\n"  # noqa: S311 - a load


# Faults that are answered at once, and faults that change the stand-in's own answer.
CANNED: dict[str, Callable[[bytes], bytes]] = {
    "401": lambda _: head(401, b'WWW-Authenticate: Basic realm="GitLab"\r\n'),
    "404": lambda _: head(404),
    "429": lambda _: head(429, TOO_MANY),
    "500": lambda _: head(500),
    "redirect loop": redirect,
    "garbage": garbage,
}
SPOILED = ("slow", "hangs after the head", "closes mid-body", "length too long", "length too short")
FAULTS = (*SPOILED, *CANNED)


class Gateway:
    """Passes connections on to one of the stand-in's two servers."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self.fault = "none"
        self.changed = asyncio.Event()

    def set(self, fault: str) -> None:
        """Set the fault for all further requests."""
        self.fault = fault
        self.changed.set()
        self.changed = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of the portal until either side closes it."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            theirs, ours = await asyncio.open_connection(ADDRESS, self._upstream)
            try:
                await self._exchange(reader, writer, theirs, ours)
            finally:
                ours.close()
        with suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()

    async def _exchange(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        theirs: asyncio.StreamReader,
        ours: asyncio.StreamWriter,
    ) -> None:
        """Forward requests until one must fail; libcurl sends each head in one piece."""
        answering = asyncio.create_task(self._pass(theirs, writer))
        try:
            while data := await reader.read(CHUNK):
                if data[:5] in (b"GET /", b"POST ") and self.fault != "none":
                    answering.cancel()
                    await asyncio.gather(answering, return_exceptions=True)
                    await self._fail(data, reader, writer, theirs, ours)
                    return
                ours.write(data)
                await ours.drain()
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _fail(
        self,
        request: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        theirs: asyncio.StreamReader,
        ours: asyncio.StreamWriter,
    ) -> None:
        """Answer this request with the fault and close the connection."""
        if canned := CANNED.get(self.fault):
            writer.write(canned(request))
            await writer.drain()
            return
        fault, changed = self.fault, self.changed
        ours.write(request.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nConnection: close\r\n", 1))
        more = asyncio.create_task(self._pass(reader, ours))  # the body of a POST
        try:
            answer = await theirs.readuntil(b"\r\n\r\n")
            await _spoil(fault, answer, theirs, writer, changed)
        finally:
            more.cancel()
            await asyncio.gather(more, return_exceptions=True)


async def _spoil(
    fault: str,
    answer: bytes,
    theirs: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    changed: asyncio.Event,
) -> None:
    if fault == "slow":
        writer.write(answer)
        while data := await theirs.read(TRICKLE):
            await asyncio.sleep(TRICKLE_SECONDS)
            writer.write(data)
            await writer.drain()
        return
    body = await theirs.read()
    if fault == "hangs after the head":
        writer.write(answer)
        await writer.drain()
        await changed.wait()
    elif fault == "closes mid-body":
        writer.write(answer + body[: len(body) // 2])
    else:
        by = 1000 if fault == "length too long" else -min(10, len(body))
        told = b"Content-Length: %d\r\n" % len(body), b"Content-Length: %d\r\n" % (len(body) + by)
        writer.write(answer.replace(*told) + body)
    await writer.drain()


async def main(content: Path, gitlab_port: int, objects_port: int) -> None:
    """Serve until standard input ends."""
    standin = StandIn(content, token=os.environ["GITLAB_TOKEN"])
    await standin.start()
    site = standin.site
    gateways = [Gateway(int(url.rpartition(":")[2])) for url in (site.gitlab_url, site.objects_url)]
    site.gitlab_url = f"http://{ADDRESS}:{gitlab_port}"
    site.objects_url = f"http://{ADDRESS}:{objects_port}"
    ports = (gitlab_port, objects_port)
    servers = [
        await asyncio.start_server(gateway.serve, ADDRESS, port, backlog=1024)
        for gateway, port in zip(gateways, ports, strict=True)
    ]
    print("ready", flush=True)
    while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
        for gateway in gateways:
            gateway.set(line)
        print(line, flush=True)
    for server in servers:
        server.close()
    await standin.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
