"""One run of `git http-backend`, a CGI program (RFC 3875), with back-pressure."""

import asyncio
import os
import signal
import subprocess
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import IO

from tornado.httputil import HTTPHeaders

from demo.git import ENVIRONMENT

CHUNK = 64 * 1024


class Backend:
    """A running backend: its headers first, then its body. Not safe for two readers."""

    def __init__(self, process: Process, output: asyncio.StreamReader) -> None:
        self._process = process
        self._output = output

    @classmethod
    @asynccontextmanager
    async def running(
        cls, variables: Mapping[str, str], body: IO[bytes] | None
    ) -> AsyncIterator["Backend"]:
        """Start it with the CGI variables and the request body; it is ended at exit."""
        length = {"CONTENT_LENGTH": str(os.fstat(body.fileno()).st_size)} if body else {}
        process = await asyncio.create_subprocess_exec(
            "git",
            "http-backend",
            env={**ENVIRONMENT, **variables, **length},
            stdin=body or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that upload-pack and pack-objects end with it
        )
        assert process.stdout is not None  # noqa: S101 - for the type checker
        backend = cls(process, process.stdout)
        try:
            yield backend
        finally:
            await asyncio.shield(backend._end())

    async def headers(self) -> tuple[int, HTTPHeaders]:
        """The status and the headers; 500 if the backend ended without any."""
        try:
            text = (await self._output.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            return 500, HTTPHeaders()
        headers = HTTPHeaders.parse(text.rstrip("\r\n"))
        status = int(headers.pop("Status", "200 OK").split()[0])
        return status, headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, piece by piece. If nobody reads, the pipe fills and the backend waits."""
        while chunk := await self._output.read(CHUNK):
            yield chunk

    def kill(self) -> None:
        """End it and its children at once; may be called at any time."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _end(self) -> None:
        self.kill()
        while await self._output.read(CHUNK):
            pass  # asyncio closes the pipe only after it was read to the end
        await self._process.wait()
