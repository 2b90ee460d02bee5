"""HTTP load generators, in a process of their own so that their CPU time is not the proxy's.

    python -m benchmarks.client fetch    PORT PATH CLIENTS
    python -m benchmarks.client requests PORT PATH CLIENTS SECONDS
    python -m benchmarks.client slow     PORT PATH CLIENTS SECONDS

Each prints one JSON object. They use plain sockets: an HTTP library would cost more than what is
measured. Imports nothing of the project, so that it starts at once.
"""

import json
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

ADDRESS = "127.0.0.1"
HEAD_END = b"\r\n\r\n"
HEAD_BYTES = 16 << 10
BUFFER = memoryview(bytearray(1 << 20))

SLOW_TICK = 0.1  # seconds
SLOW_PIECE = 10 << 10  # bytes in each tick: 100 KiB/s
SLOW_RECEIVE_BUFFER = 64 << 10


class AnswerError(Exception):
    """An answer that is not a complete 200."""


class Answer:
    """One answer of known length, counted and discarded."""

    def __init__(self) -> None:
        self._head = b""
        self.body = 0
        self._length: int | None = None

    def feed(self, data: memoryview) -> bool:
        """Add received bytes; whether the answer is now complete. Raises AnswerError."""
        if self._length is None:
            self._head += data
            head, end, rest = self._head.partition(HEAD_END)
            if not end:
                return False
            self._length = content_length(head)
            self.body = len(rest)
        else:
            self.body += len(data)
        return self.body >= self._length


def content_length(head: bytes) -> int:
    """The Content-Length of a 200. Raises AnswerError."""
    if not head.startswith(b"HTTP/1.1 200 "):
        raise AnswerError(head[:200])
    _, name, rest = head.lower().partition(b"\r\ncontent-length:")
    if not name:
        raise AnswerError("an answer without Content-Length")
    return int(rest.partition(b"\r\n")[0])


def connect(port: int, receive_buffer: int = 0) -> socket.socket:
    """Open a connection; the receive buffer is set first, because it decides the TCP window."""
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.connect((ADDRESS, port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def request(port: int, path: str, connection: str) -> bytes:
    """The bytes of a GET."""
    lines = (f"GET {path} HTTP/1.1", f"Host: {ADDRESS}:{port}", f"Connection: {connection}")
    return "\r\n".join((*lines, "", "")).encode()


def receive(connection: socket.socket, answer: Answer) -> bool:
    """Read once; whether the answer is complete. Raises AnswerError if the connection ended."""
    count = connection.recv_into(BUFFER)
    if not count:
        raise AnswerError(f"the connection ended after {answer.body} bytes of the body")
    return answer.feed(BUFFER[:count])


def readable(selector: selectors.BaseSelector) -> Iterator[selectors.SelectorKey]:
    """Every connection that can be read, until none is registered."""
    while selector.get_map():
        for key, _ in selector.select():
            yield key


def fetch(port: int, path: str, clients: int) -> dict[str, float]:
    """Every client reads the file once, as fast as it can: `seconds` and `bytes` in all."""
    began = time.perf_counter()
    total = 0
    with selectors.DefaultSelector() as selector:
        for _ in range(clients):
            connection = connect(port)
            connection.sendall(request(port, path, "close"))
            selector.register(connection, selectors.EVENT_READ, Answer())
        for key in readable(selector):
            connection = key.fileobj  # type: ignore[assignment]
            if receive(connection, key.data):
                total += key.data.body
                selector.unregister(connection)
                connection.close()
    return {"seconds": time.perf_counter() - began, "bytes": total}


def requests(port: int, path: str, clients: int, seconds: float) -> dict[str, float]:
    """Every client asks for the file again and again on its one connection.

    `answers` and `seconds` in all, `p99` of one request in milliseconds. None is left unanswered.
    """
    get = request(port, path, "keep-alive")
    waits: list[float] = []
    began = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for _ in range(clients):
            connection = connect(port)
            connection.sendall(get)
            selector.register(connection, selectors.EVENT_READ, (time.perf_counter(), Answer()))
        for key in readable(selector):
            connection = key.fileobj  # type: ignore[assignment]
            sent, answer = key.data
            if not receive(connection, answer):
                continue
            now = time.perf_counter()
            waits.append(now - sent)
            if now - began < seconds:
                connection.sendall(get)
                selector.modify(connection, selectors.EVENT_READ, (now, Answer()))
            else:
                selector.unregister(connection)
                connection.close()
    waits.sort()
    return {
        "answers": len(waits),
        "seconds": time.perf_counter() - began,
        "p99": 1000 * waits[len(waits) * 99 // 100],
    }


def slow(port: int, path: str, clients: int, seconds: float) -> dict[str, float]:
    """Every client reads 100 KiB a second through a small receive buffer, then leaves.

    `bytes` is what all of them got, `rate` that of the slowest in bytes a second.
    """
    connections = [connect(port, SLOW_RECEIVE_BUFFER) for _ in range(clients)]
    for connection in connections:
        connection.sendall(request(port, path, "close"))
        connection.setblocking(False)
    got = [0] * clients
    began = time.perf_counter()
    for tick in range(1, round(seconds / SLOW_TICK) + 1):
        time.sleep(max(0.0, began + tick * SLOW_TICK - time.perf_counter()))
        for n, connection in enumerate(connections):
            with suppress(BlockingIOError):
                got[n] += connection.recv_into(BUFFER, SLOW_PIECE)
    elapsed = time.perf_counter() - began
    for connection in connections:
        connection.close()
    return {"seconds": elapsed, "bytes": sum(got), "rate": min(got) / elapsed}


def main(argv: list[str]) -> None:
    """The command line."""
    kind, port, path, clients = argv[0], int(argv[1]), argv[2], int(argv[3])
    if kind == "fetch":
        result = fetch(port, path, clients)
    else:
        loads = {"requests": requests, "slow": slow}
        result = loads[kind](port, path, clients, float(argv[4]))
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1:])
