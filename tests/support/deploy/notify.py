"""systemd's end of sd_notify(3): a datagram socket that a service is told of."""

import socket
import time


class NotifySocket:
    """`address` is what NOTIFY_SOCKET says: a path, or an abstract name where it begins with @."""

    def __init__(self, address):
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.states = []

    def receive(self, seconds):
        """The next state, which is kept in `states` too; None when none comes in time."""
        self._socket.settimeout(max(seconds, 0.001))
        try:
            state = self._socket.recv(4096).decode()
        except TimeoutError:
            return None
        self.states.append(state)
        return state

    def until(self, state, seconds=20):
        """Wait for a state; what came before it is in `states`."""
        end = time.monotonic() + seconds
        while self.receive(end - time.monotonic()) != state:
            assert time.monotonic() < end, (state, self.states)

    def silent(self, seconds):
        """Whether nothing comes for so long, once what is there has been read."""
        while self.receive(0):
            pass
        return self.receive(seconds) is None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()
