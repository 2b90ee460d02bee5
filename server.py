"""The portal's one command: configuration, database, services, application, graceful stop."""

import argparse
import asyncio
import contextlib
import faulthandler
import gc
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path

from tornado.netutil import bind_sockets

from handlers import make_app
from portal import __version__
from portal.config.load import ConfigError, load
from portal.config.model import Config
from portal.gitlab.hints import Hints
from portal.http.server import SheddingServer
from portal.metrics.access import Guesses
from portal.operations import checks, commands
from portal.operations.probe import probe
from portal.process import logs
from portal.process.binding import bind_fault
from portal.process.descriptors import allow_descriptors, open_standard_streams
from portal.process.heap import keep_heap
from portal.process.listener import Listener
from portal.process.supervisor import EX_UNAVAILABLE, SIGNALS, Supervisor
from portal.process.systemd import Notifier, Pulse
from portal.relay.slots import Transfers
from portal.services import Services, Shared
from portal.startup import make_services
from sql import catalog
from sql.database import migrate
from sql.errors import SqlError

log = logging.getLogger("portal.server")

BACKLOG = 4096
EXAMPLES = """\
examples:
  serve:                   server.py --config portal.toml
  serve with 4 processes:  server.py --config portal.toml --processes 4
  check the file:          server.py --config portal.toml --check-config
  ask GitLab and Umami:    server.py --config portal.toml --check-config --probe
  copy the database:       server.py --config portal.toml --backup portal-backup.sqlite3
  correct the totals:      server.py --config portal.toml --rebuild-totals
  delete old rows:         server.py --config portal.toml --prune-before 2024-01-01
"""


class Portal:
    """One process of the portal, on its own event loop."""

    def __init__(
        self, config: Config, shared: Shared, sockets: list[Listener], pulse: Pulse
    ) -> None:
        self._config = config
        self._shared = shared
        self._sockets = sockets
        self._pulse = pulse
        self._signals = 0
        self._stop = asyncio.Event()
        self._at_once = asyncio.Event()

    async def serve(self, slot: int, lifeline: int | None = None) -> None:
        """Serve until SIGTERM or SIGINT, then let transfers end; a second signal ends at once."""
        config = self._config
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._signalled)
        if lifeline is not None:
            loop.add_reader(lifeline, self._orphaned, lifeline)
        self._shared.transfers.start(slot)
        async with contextlib.AsyncExitStack() as stack:
            services = make_services(stack, config, self._shared, slot, self._pulse.slots)
            server = SheddingServer(make_app(services))
            for listener in self._sockets:
                listener.shed = server.shed
            server.add_sockets(self._sockets)
            # What was made until now lives as long as the process, so no collection looks at it.
            gc.freeze()
            log.info("serving on http://%s:%d", config.address, self._sockets[0].getsockname()[1])
            beating = asyncio.create_task(self._pulse.keep(slot))
            await self._stop.wait()
            server.stop()
            await self._drain(services)
            await server.close_all_connections()
        beating.cancel()
        log.info("stopped")

    def _signalled(self) -> None:
        """Stop gracefully at the first signal, at once at the second."""
        self._pulse.stop()
        self._signals += 1
        self._stop.set()
        if self._signals > 1:
            self._at_once.set()

    def _orphaned(self, lifeline: int) -> None:
        """Stop gracefully: the supervisor has ended, which closes the other end of the lifeline."""
        asyncio.get_running_loop().remove_reader(lifeline)
        self._stop.set()

    async def _drain(self, services: Services) -> None:
        """Wait until no request runs, `drain_seconds` have passed or a second signal has come."""
        if services.running:
            log.info("stopping; %d requests still run", len(services.running))
        deadline = asyncio.get_running_loop().time() + self._config.limits.drain_seconds
        while services.running and not self._at_once.is_set():
            if asyncio.get_running_loop().time() > deadline:
                log.warning("%d requests did not end in time", len(services.running))
                break
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._at_once.wait(), 0.05)


def port_number(text: str) -> int:
    """A port of the command line. Raises ValueError, which argparse turns into a sentence."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError
    return number


def arguments(argv: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="server.py",
        description="Serve the portal, or do one thing for its operator.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, required=True, help="the TOML file")
    parser.add_argument(
        "--port", type=port_number, help="listen on this port instead of the file's"
    )
    parser.add_argument("--data-dir", type=Path, help="write here instead of the file's data_dir")
    parser.add_argument("--processes", type=int, default=1, help="over one database (default: 1)")
    parser.add_argument(
        "--check-config",
        action="store_true",
        help="say what is wrong in the file, its folders included, and end",
    )
    parser.add_argument(
        "--probe",
        action="store_true",
        help="with --check-config: ask GitLab and Umami, send one event, try the folders",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands.add_arguments(parser)
    options = parser.parse_args(argv)
    if options.probe and not options.check_config:
        parser.error("--probe goes with --check-config")
    return options


def configure(options: argparse.Namespace) -> Config:
    """The configuration, in which options of the command line replace settings.

    Raises `ConfigError`.
    """
    config = load(options.config, os.environ)
    if options.port is not None:
        config = replace(config, port=options.port)
    if options.data_dir is not None:
        config = replace(config, data_dir=options.data_dir)
    return config


def run(config: Config, processes: int) -> int:
    """Prepare what all processes share, then serve; returns the exit status."""
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate(config.database)
    if why := catalog.prepare(config.catalog_index):
        log.warning("the catalog's index is made anew: %s", why)
    allow_descriptors(config.limits.transfers)
    try:
        bound = bind_sockets(config.port, config.address, backlog=BACKLOG)
    except OSError as error:
        log.critical("cannot run: %s", bind_fault(error, config.address, config.port))
        return 1
    sockets = [Listener(each) for each in bound]
    pulse = Pulse(Notifier(os.environ, os.getpid()), processes)
    shared = Shared(
        Transfers(config.limits.transfers, processes), Guesses(), Hints(len(config.projects))
    )

    def serve(slot: int, lifeline: int | None = None) -> int:
        async def main() -> None:
            await Portal(config, shared, sockets, pulse).serve(slot, lifeline)

        try:
            asyncio.run(main())
        except SqlError as error:
            log.critical("cannot run: %s", error)
            return EX_UNAVAILABLE
        return 0

    def close() -> None:
        # The kernel accepts connections for as long as one process holds the socket open.
        for listening in sockets:
            listening.close()

    return serve(0) if processes == 1 else Supervisor(processes, serve, close, pulse).run()


def main(argv: list[str]) -> int:
    """Run the command; the exit status is 0 after a graceful stop, 2 for a wrong configuration."""
    open_standard_streams()
    options = arguments(argv)
    try:
        config = configure(options)
    except ConfigError as error:
        sys.stderr.writelines(f"{fault}\n" for fault in error.faults)
        return 2
    if options.check_config:
        if faults := checks.faults(config):
            sys.stderr.writelines(f"{fault}\n" for fault in faults)
            return 2
        return asyncio.run(probe(config)) if options.probe else 0
    if command := commands.chosen(options):
        return command(config)
    logs.setup()
    faulthandler.enable()  # a process that is aborted by systemd or its parent prints where it was
    keep_heap()
    try:
        return run(config, max(1, options.processes))
    except (OSError, SqlError) as error:
        log.critical("cannot run: %s", error)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
