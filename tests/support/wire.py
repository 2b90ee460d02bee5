"""Bytes over a socket to a portal, as they are."""

import contextlib
import socket


def exchange(portal, request, source="127.0.0.1", seconds=10):
    """Send and read until the other side ends, for so long at most; what came back."""
    answer = b""
    data = request if isinstance(request, bytes) else request.encode("latin1")
    connection = socket.create_connection(
        ("127.0.0.1", portal.port), timeout=seconds, source_address=(source, 0)
    )
    with connection, contextlib.suppress(ConnectionError, TimeoutError):
        connection.sendall(data)
        while piece := connection.recv(1 << 16):
            answer += piece
    return answer


def request(target, *fields, method="GET", host="x", body=""):
    """A request, after which the connection is to be closed."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", *fields]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def answers(data):
    """The status of each answer in what came back, the fields of the first, and its body."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines[1:])
    statuses = [int(part.split(b" ", 1)[0]) for part in data.split(b"HTTP/1.1 ")[1:]]
    return statuses, {name.lower(): value for name, value in pairs}, body
