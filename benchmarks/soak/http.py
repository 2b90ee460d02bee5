"""A small HTTP/1.1 client on asyncio's streams: cheap, and strict about lengths."""

import asyncio
from typing import NamedTuple

from benchmarks.children import ADDRESS

PIECE = 64 << 10


class Answer(NamedTuple):
    """One answer; `body` is empty if the bytes were only counted, in `size`."""

    status: int
    body: bytes
    size: int


class Connection:
    """One keep-alive connection, opened when needed; for one task at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self,
        method: str,
        path: str,
        client: str,
        body: bytes = b"",
        kind: str = "",
        keep: bool = True,
    ) -> Answer:
        """One exchange; `keep` returns the body too. Raises OSError or EOFError if it breaks."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(ADDRESS, self._port)
        reader, writer = self._streams
        lines = [f"{method} {path} HTTP/1.1", "Host: soak", f"X-Forwarded-For: {client}"]
        lines += ["Accept: application/json" if kind else "Accept: text/html"]
        if body:
            lines += [f"Content-Length: {len(body)}", f"Content-Type: {kind}"]
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            answer = await self._answer(reader, keep)
        except BaseException:
            self.close()
            raise
        return answer

    async def _answer(self, reader: asyncio.StreamReader, keep: bool) -> Answer:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head[9:12])
        _, named, rest = head.partition(b"\r\ncontent-length:")
        if not named:
            return Answer(status, *await self._chunks(reader))
        size = left = int(rest.partition(b"\r\n")[0])
        if keep:
            return Answer(status, await reader.readexactly(size), size)
        while left:
            data = await reader.read(min(left, PIECE))
            if not data:
                raise EOFError
            left -= len(data)
        return Answer(status, b"", size)

    async def _chunks(self, reader: asyncio.StreamReader) -> tuple[bytes, int]:
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return body, len(body)

    def close(self) -> None:
        """Close the connection; the next exchange opens another."""
        if self._streams:
            self._streams[1].close()
        self._streams = None
