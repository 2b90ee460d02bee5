"""Child processes of the launcher: each in its own session, all ended with the launcher."""

import asyncio
import ctypes
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from subprocess import PIPE

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


async def start(
    command: Sequence[str], environment: Mapping[str, str], *, piped: bool = False
) -> Process:
    """Start Python with these arguments; `piped` connects its standard input and output.

    The child has its own session, because Ctrl-C goes to every process in the terminal's
    foreground, and the signal that the launcher forwards would be a second one. Raises OSError.
    """
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        env=dict(environment),
        stdin=PIPE if piped else asyncio.subprocess.DEVNULL,
        stdout=PIPE if piped else None,
        start_new_session=True,
        preexec_fn=_end_with_parent,
    )


def _end_with_parent() -> None:
    """Ask the kernel to send SIGTERM when the launcher ends for any reason; Linux only."""
    if prctl := getattr(ctypes.CDLL(None), "prctl", None):
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def send(process: Process, number: int) -> None:
    """Send a signal, unless the process has ended."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


async def end(process: Process, seconds: float) -> int:
    """End it, by SIGKILL after so many seconds; its status."""
    if process.stdin:
        process.stdin.close()
    send(process, signal.SIGTERM)
    try:
        return await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        send(process, signal.SIGKILL)
        return await process.wait()


def free_port(wanted: int) -> int:
    """The port if it is free on 127.0.0.1 (0: any free port). Raises OSError if it is taken."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", wanted))
        listener.listen()
        port: int = listener.getsockname()[1]
        return port


async def answers(url: str, seconds: float) -> bool:
    """Whether the address answers 200 within so many seconds."""
    client = AsyncHTTPClient(force_instance=True)
    give_up = asyncio.get_running_loop().time() + seconds
    try:
        while asyncio.get_running_loop().time() < give_up:
            with suppress(OSError, HTTPClientError):
                if (await client.fetch(url, request_timeout=2)).code == 200:
                    return True
            await asyncio.sleep(0.05)
        return False
    finally:
        client.close()
