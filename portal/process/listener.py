"""A listening socket that waits while nothing can be accepted.

Tornado accepts whenever the kernel says that somebody waits. With no descriptor left that fails, at
once and again: a loop that does nothing else, and a traceback each time. So the socket is left
alone for a moment, as nginx and Go's net/http do.
"""

import errno
import logging
import socket
from typing import Any

from tornado.ioloop import IOLoop

log = logging.getLogger("portal.accepting")

PAUSE_SECONDS = 0.1
SAY_SECONDS = 60.0  # it is logged this often
# accept(2): the process's descriptors, the machine's, memory for one more.
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Listener(socket.socket):
    """Takes the place of a bound socket, which must not be used any more; for one event loop."""

    def __init__(self, bound: socket.socket) -> None:
        super().__init__(fileno=bound.detach())
        self._said = -SAY_SECONDS

    def accept(self) -> tuple[socket.socket, Any]:
        """As of any socket; BlockingIOError, too, where whoever waits must wait on."""
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            self._rest(error)
            raise BlockingIOError from error

    def _rest(self, error: OSError) -> None:
        loop = IOLoop.current()
        if loop.time() - self._said >= SAY_SECONDS:
            log.error("no connection can be accepted: %s", error.strerror)
            self._said = loop.time()
        loop.update_handler(self, 0)
        loop.call_later(PAUSE_SECONDS, self._look_again, loop)

    def _look_again(self, loop: IOLoop) -> None:
        if self.fileno() >= 0:  # closed where the server has stopped
            loop.update_handler(self, IOLoop.READ)
