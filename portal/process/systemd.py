"""What systemd is told of this service: sd_notify(3), without its library.

`Pulse` says when all processes serve, and goes on saying so only while all of their event loops
turn: a process that hangs is noticed as one that died is.
"""

import asyncio
import logging
import mmap
import os
import socket
import struct
import time
from collections.abc import Mapping

log = logging.getLogger("portal.notify")

SEND_SECONDS = 1.0  # for a socket whose queue is full
START_SECONDS = 0.1  # between two looks whether all processes serve
_BEAT = struct.Struct("d")


class Notifier:
    """Sends states to $NOTIFY_SOCKET; without one it does nothing.

    `watchdog_seconds` is the silence after which systemd ends the service, 0 where it does not
    watch this process (sd_watchdog_enabled(3)).
    """

    def __init__(self, environ: Mapping[str, str], pid: int) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        if self._address and self._address[0] not in "/@":
            log.warning("systemd is told nothing: NOTIFY_SOCKET is neither a path nor abstract")
            self._address = ""
        microseconds = environ.get("WATCHDOG_USEC", "")
        watched = self._address and environ.get("WATCHDOG_PID", str(pid)) == str(pid)
        self.watchdog_seconds = int(microseconds) / 1e6 if watched and microseconds.isdigit() else 0

    @property
    def listens(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._address)

    def send(self, state: str) -> None:
        """Send lines of `NAME=value`; a failure is logged, for nobody could be told of it."""
        if not self._address:
            return
        address = self._address
        if address.startswith("@"):
            address = "\0" + address[1:]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
                connection.settimeout(SEND_SECONDS)
                connection.connect(address)
                connection.send(state.encode())
        except OSError as error:
            log.warning("systemd cannot be told %s: %s", state, error)


class Pulse:
    """The last beat of each process's event loop, in shared memory; made before they are forked.

    Each process runs `keep` for its own slot. Only the process that made this tells systemd
    anything; where it forked others, it calls `report` every `report_seconds`. A silence is a hang
    after half of what systemd allows, so that a process can be started again before systemd ends
    them all.
    """

    def __init__(self, notifier: Notifier, slots: int) -> None:
        self._notifier = notifier
        self._owner = os.getpid()
        self.slots = slots
        self._beats = mmap.mmap(-1, slots * _BEAT.size)
        self._started = [0.0] * slots
        self._ready = self._stopping = False
        self._beat_seconds = notifier.watchdog_seconds / 4

    @property
    def report_seconds(self) -> float:
        """How long to wait with the next report; 0 where none is needed."""
        starting = self._notifier.listens and not self._ready
        return START_SECONDS if starting else self._beat_seconds

    def start(self, slot: int) -> None:
        """A process is about to be started in this slot."""
        self._started[slot] = time.monotonic()
        _BEAT.pack_into(self._beats, slot * _BEAT.size, 0.0)

    async def keep(self, slot: int) -> None:
        """Beat while this slot's event loop turns, which serves by now. Returns if none watches."""
        while True:
            _BEAT.pack_into(self._beats, slot * _BEAT.size, time.monotonic())
            self.report()
            if not self._beat_seconds:
                return
            await asyncio.sleep(self._beat_seconds)

    def late(self) -> list[int]:
        """The slots whose process hangs; none where systemd does not watch."""
        limit = self._notifier.watchdog_seconds / 2
        since = time.monotonic() - limit
        last = [max(self._last(slot), self._started[slot]) for slot in range(self.slots)]
        return [slot for slot, moment in enumerate(last) if limit and moment < since]

    def report(self) -> None:
        """Tell systemd what is so now."""
        if os.getpid() != self._owner:
            return
        if not self._ready and all(map(self._last, range(self.slots))):
            self._ready = True
            self._notifier.send("READY=1")
        # While it stops, processes end one after the other, and systemd's limit is another.
        if self._ready and self._beat_seconds and (self._stopping or not self.late()):
            self._notifier.send("WATCHDOG=1")

    def stop(self) -> None:
        """Tell systemd, once, that the service is stopping."""
        if os.getpid() == self._owner and not self._stopping:
            self._stopping = True
            self._notifier.send("STOPPING=1")

    def _last(self, slot: int) -> float:
        (moment,) = _BEAT.unpack_from(self._beats, slot * _BEAT.size)
        return float(moment)
