"""One run of the demo: starts the stand-in and the portal, and ends both."""

import asyncio
import json
import signal
from asyncio.subprocess import Process
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demo import addresses, children, configuration

START_SECONDS = 30.0
STOP_SECONDS = 10.0


class DemoError(Exception):
    """The demo cannot run; the text is a sentence for the user."""


@dataclass(slots=True)
class Demo:
    """One run; `shown_token` is the token in the printed /metrics address."""

    server: Path
    port: int
    data_dir: Path
    environment: Mapping[str, str]
    shown_token: str

    async def run(self) -> int:
        """Start both, print the addresses, wait until one ends. Returns server.py's status."""
        try:
            self.port = children.free_port(self.port)
        except OSError:
            raise DemoError(
                f"Port {self.port} cannot be used: something else listens there, or it is not "
                "yours. Give another one: make run PORT=8001"
            ) from None
        standin = await self._start_standin()
        try:
            return await self._run_portal(standin)
        finally:
            await children.end(standin, STOP_SECONDS)

    async def _start_standin(self) -> Process:
        command = ["-m", "demo.standin", "--content", str(self.data_dir / "demo" / "content")]
        standin = await children.start(command, self.environment, piped=True)
        assert standin.stdout is not None  # noqa: S101 - for the type checker
        ready = await standin.stdout.readline()
        if not ready:
            await standin.wait()
            raise DemoError("The stand-in GitLab did not start; its reason is above.")
        origins = json.loads(ready)
        configuration.write(self._config, self.port, self.data_dir, origins)
        return standin

    @property
    def _config(self) -> Path:
        return self.data_dir / "demo" / "portal.toml"

    async def _run_portal(self, standin: Process) -> int:
        command = [str(self.server), "--config", str(self._config)]
        portal = await children.start(command, self.environment)
        signalled = asyncio.Event()
        _forward_signals(portal, signalled)
        ends = [asyncio.create_task(process.wait()) for process in (portal, standin)]
        greeting = asyncio.create_task(self._greet(portal))
        await asyncio.wait([*ends, greeting], return_when=asyncio.FIRST_COMPLETED)
        if greeting.done() and not greeting.result():
            await children.end(portal, STOP_SECONDS)
            raise DemoError(f"The portal did not answer within {START_SECONDS:.0f} seconds.")
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        greeting.cancel()
        if portal.returncode is None:
            await children.end(portal, STOP_SECONDS)
            raise DemoError("The stand-in GitLab ended; the portal was stopped.")
        return self._status(portal.returncode, greeting, signalled.is_set())

    async def _greet(self, portal: Process) -> bool:
        """Wait until the portal answers and print the addresses; False if it does not answer."""
        base = f"http://127.0.0.1:{self.port}"
        if not await children.answers(f"{base}/healthz", START_SECONDS):
            return False
        if portal.returncode is None:
            print(addresses.text(base, self.shown_token), flush=True)
        return True

    def _status(self, status: int, greeting: asyncio.Task[bool], signalled: bool) -> int:
        """The exit status after a signal. Raises DemoError if server.py ended by itself."""
        if signalled:
            return status if status >= 0 else 128 - status
        when = "" if greeting.done() and not greeting.cancelled() else " before it answered"
        raise DemoError(f"The portal ended with status {status}{when}; its reason is above.")


def _forward_signals(portal: Process, signalled: asyncio.Event) -> None:
    def forward(number: int) -> None:
        signalled.set()
        children.send(portal, number)

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, forward, number)
