"""A request that never becomes whole: its head, its body and its pauses have limits."""

import resource
import socket
import time
from contextlib import ExitStack

import pytest

from portal.http import server
from tests.support.running import ask

HEAD = "{} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.9\r\n"
UNFINISHED = {
    "get-with-length": HEAD.format("GET /") + "Content-Length: 10\r\n\r\n",
    "post-nowhere": HEAD.format("POST /nowhere") + "Content-Length: 10\r\n\r\nabc",
    "put-catalog": HEAD.format("PUT /catalog") + "Content-Length: 65536\r\n\r\nabc",
    "chunked": HEAD.format("POST /downloads") + "Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    "chunk-size": HEAD.format("DELETE /readyz") + "Transfer-Encoding: chunked\r\n\r\n",
    "put-tool": HEAD.format("PUT /pets") + "Content-Length: 100\r\n\r\n",
    "put-git": HEAD.format("PUT /pets.git/git-upload-pack") + "Content-Length: 9\r\n\r\n",
    "expect": HEAD.format("POST /") + "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n",
    "post-tool": HEAD.format("POST /pets")
    + "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100\r\n\r\n--b",
    "post-events": HEAD.format("POST /u/api/send") + "Content-Length: 100\r\n\r\n{",
    "post-git": HEAD.format("POST /pets.git/git-upload-pack") + "Content-Length: 100\r\n\r\n0",
    "half-a-head": "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "nothing": "",
}


def send(port, text):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(text.encode())
    return connection


def closed(connection, seconds):
    """Whether the other side closes the connection within so long, whatever it sends before."""
    connection.settimeout(seconds)
    until = time.monotonic() + seconds
    try:
        while connection.recv(1 << 16):
            if time.monotonic() > until:
                return False
    except TimeoutError:
        return False
    except ConnectionResetError:
        pass
    return True


@pytest.mark.long
def test_no_request_waits_for_ever_for_its_body(start_portal):
    with start_portal(client_stall_seconds=2) as portal, ExitStack() as stack:
        began = time.monotonic()
        opened = {
            name: stack.enter_context(send(portal.port, text)) for name, text in UNFINISHED.items()
        }
        for name, connection in opened.items():
            limit = server.IDLE_SECONDS if name in ("half-a-head", "nothing") else 30
            assert closed(connection, began + limit + 5 - time.monotonic()), name
        assert ask(f"{portal.url}/healthz")[0] == 200
        assert "Traceback" not in portal.log()


@pytest.mark.parametrize("text", [UNFINISHED[n] for n in ("nothing", "half-a-head", "put-catalog")])
def test_those_that_ask_nothing_are_given_up_when_descriptors_run_short(start_portal, text):
    """300 connections at 200 descriptors: who asks something is answered all the same."""
    with start_portal() as portal, ExitStack() as stack:
        assert ask(f"{portal.url}/downloads")[0] == 200
        resource.prlimit(portal.process.pid, resource.RLIMIT_NOFILE, (200, 200))
        for _ in range(300):
            stack.enter_context(send(portal.port, text))
        time.sleep(1.5)
        for _ in range(5):
            began = time.monotonic()
            assert ask(f"{portal.url}/downloads", Accept="text/html")[0] == 200
            assert time.monotonic() - began < 3
        assert "ask nothing are closed" in portal.log()
        assert "Traceback" not in portal.log()
