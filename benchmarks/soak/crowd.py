"""Load generator of idle and slow connections, in a process of its own.

    python -m benchmarks.soak.crowd PORT SECONDS

A connection that the portal closes is opened again at once. It prints
`{"opened": {kind: how often}, "bytes": ...}`.
"""

import contextlib
import json
import socket
import sys
import time
from collections import Counter

from benchmarks import content
from benchmarks.client import SLOW_RECEIVE_BUFFER, connect

TICK = 0.2  # seconds
IDLE, READERS, HEADERS, BODIES = 1000, 200, 50, 50
READER_BYTES = 20 << 10  # in each tick: 100 KiB/s
FILE = f"/downloads/{content.SLUG}/{content.VERSION}/{content.MANY}"
BODY_BYTES = 1 << 20


class Slow:
    """One connection: it sends its first bytes, then reads or sends a little in each tick."""

    def __init__(self, port: int, kind: str, number: int) -> None:
        self.kind = kind
        self._port, self._number = port, number
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Connect and send the first bytes."""
        self.close()
        buffer = SLOW_RECEIVE_BUFFER if self.kind == "reader" else 0
        self._socket = connect(self._port, buffer)
        client = f"203.0.{self._number >> 8}.{self._number & 255}"
        head = f"Host: soak\r\nX-Forwarded-For: {client}\r\n"
        body = f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {BODY_BYTES}\r\n"
        first = {
            "idle": f"GET /healthz HTTP/1.1\r\n{head}\r\n",
            "reader": f"GET {FILE} HTTP/1.1\r\n{head}Connection: close\r\n\r\n",
            "header": f"GET / HTTP/1.1\r\n{head}X-Slow: ",
            "body": f"POST /pets HTTP/1.1\r\n{head}{body}\r\n--x\r\n",
        }
        self._socket.sendall(first[self.kind].encode())
        self._socket.setblocking(False)

    def turn(self) -> int:
        """Do one tick; the number of bytes received. Raises OSError if the portal closed it."""
        assert self._socket
        with contextlib.suppress(BlockingIOError):
            if self.kind in ("header", "body"):
                self._socket.send(b"x")
            data = self._socket.recv(READER_BYTES)
            if not data:
                raise ConnectionResetError
            return len(data)
        return 0

    def close(self) -> None:
        """Close the connection."""
        if self._socket:
            self._socket.close()


def main(port: int, seconds: float) -> None:
    """Run for the given time, then print."""
    kinds = ["idle"] * IDLE + ["reader"] * READERS + ["header"] * HEADERS + ["body"] * BODIES
    crowd = [Slow(port, kind, number) for number, kind in enumerate(kinds)]
    opened, total = Counter(kinds), 0
    began = time.monotonic()
    for one in crowd:
        one.open()
    tick = 0
    while (tick := tick + 1) * TICK < seconds:
        time.sleep(max(0.0, began + tick * TICK - time.monotonic()))
        for number, one in enumerate(crowd):
            # Idle connections send nothing and are checked only now and then.
            if one.kind == "idle" and (number + tick) % 10:
                continue
            try:
                total += one.turn()
            except OSError:
                opened[one.kind] += 1
                one.open()
    for one in crowd:
        one.close()
    print(json.dumps({"opened": opened, "bytes": total}))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
