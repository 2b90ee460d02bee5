"""Accept back-off: a listening socket that pauses while nothing can be accepted.

Tornado accepts whenever the kernel says that somebody waits. With no descriptor left that fails, at
once and again: a loop that does nothing else, and a traceback each time. So the socket is left
alone for a moment, as nginx and Go's net/http do. Connections that ask nothing are closed before
it comes to that.
"""

import errno
import logging
import resource
import socket
from collections.abc import Callable
from typing import Any

from tornado.ioloop import IOLoop

log = logging.getLogger("portal.accepting")

PAUSE_SECONDS = 0.1
SAY_SECONDS = 60.0  # it is logged this often
SHORT = 16  # descriptors run short when only one in so many is left
# accept(2): the process's descriptors, the machine's, memory for one more.
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Listener(socket.socket):
    """Takes the place of a bound socket, which must not be used any more; for one event loop."""

    def __init__(self, bound: socket.socket) -> None:
        super().__init__(fileno=bound.detach())
        self._said = self._told = -SAY_SECONDS
        self._shed_at = 0.0
        # Closes connections that can be done without, and returns how many.
        self.shed: Callable[[], int] = lambda: 0

    def accept(self) -> tuple[socket.socket, Any]:
        """As of any socket; BlockingIOError, too, where whoever waits must wait on."""
        try:
            accepted = super().accept()
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            self._rest(error)
            raise BlockingIOError from error
        # The kernel gives the lowest number that is free.
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if accepted[0].fileno() >= limit - limit // SHORT:
            self._make_room()
        return accepted

    def _make_room(self) -> None:
        now = IOLoop.current().time()
        if now - self._shed_at < PAUSE_SECONDS:
            return
        self._shed_at = now
        count = self.shed()
        if count and now - self._told >= SAY_SECONDS:
            log.warning("descriptors run short: %d connections that ask nothing are closed", count)
            self._told = now

    def _rest(self, error: OSError) -> None:
        loop = IOLoop.current()
        if loop.time() - self._said >= SAY_SECONDS:
            log.error("no connection can be accepted: %s", error.strerror)
            self._said = loop.time()
        self._make_room()
        loop.update_handler(self, 0)
        loop.call_later(PAUSE_SECONDS, self._look_again, loop)

    def _look_again(self, loop: IOLoop) -> None:
        if self.fileno() >= 0:  # closed where the server has stopped
            loop.update_handler(self, IOLoop.READ)
