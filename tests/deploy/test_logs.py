"""What Caddy's logs hold, and what they must not, when all goes well and when it does not."""

import asyncio
import socket
import ssl

import pytest

from tests.deploy.test_streaming import client
from tests.support.deploy.caddy import (
    COOKIE,
    OPERATOR,
    PASSWORD,
    VISITOR,
    RunningCaddy,
    Upstream,
    needs_caddy,
)
from tests.support.gitlab.scripted import Upstream as Scripted

pytestmark = [pytest.mark.long, needs_caddy]

SECRET = "s3cret-of-a-query"
UPLOAD = "0123456789abcdef0123456789abcdee"
FORGED = "203.0.113.77"
ACCESS = "http.log.access.log0"


async def script(exchange):
    """The portal's part: files that break, that never begin and that never end."""
    path = exchange.line.split()[1].partition("?")[0]
    if path == "/breaks":
        await exchange.send("HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\nsome")
        raise ConnectionError
    if path == "/endless":
        await exchange.send("HTTP/1.1 200 X\r\nContent-Length: 999999999999\r\n\r\n")
        while True:
            await exchange.send(bytes(1 << 16))
    if path in ("/upload", "/silent"):
        await exchange.hang()
    await exchange.answer(200, b"fine", Set_Cookie=SECRET, Location=f"/?{SECRET}")


def ordinary(caddy):
    """Requests that are answered; one is led to https, two are refused."""
    flags = ["-H", f"X-Forwarded-For: {FORGED}", "-A", SECRET, "-e", f"https://x/?{SECRET}"]
    caddy.ask(f"/metrics?token={SECRET}", *flags)
    caddy.ask(f"/pets/{UPLOAD}/edit?x={SECRET}", *flags)
    caddy.ask(f"/prospects/{UPLOAD}", "-X", "POST", "-d", SECRET)
    caddy.ask("/downloads/pets/v1/file.zip")
    caddy.ask(f"/umami/share/{SECRET}/site", "-u", PASSWORD, address=OPERATOR)
    caddy.ask("/umami/x", "-u", f"{SECRET}:{SECRET}", address=OPERATOR)
    caddy.ask("/umami/x", "-u", PASSWORD)
    address = f"http://localhost:{caddy.http}/metrics?token={SECRET}"
    caddy.curl("", "--interface", VISITOR, "-o", "/dev/null", address)
    caddy.curl(f"/?{SECRET}", "-H", f"Host: {SECRET}.example")


def malformed(caddy):
    """What is no TLS, no HTTP, or for another name."""
    context = ssl.create_default_context(cafile=caddy.authority)
    for data in (b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", caddy.https), 5, (VISITOR, 0)) as plain:
            plain.sendall(data)
            plain.recv(1000)
        with (
            socket.create_connection(("127.0.0.1", caddy.https), 5, (VISITOR, 0)) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as wrapped,
        ):
            wrapped.sendall(data)
            wrapped.recv(1000)


async def broken(caddy):
    """Transfers that end in the middle, by either side, in both versions of HTTP."""
    for version in ("--http1.1", "--http2"):
        async with client(caddy, version, path=f"/breaks?{SECRET}") as curl:
            await curl.wait()
        async with client(caddy, version, path=f"/endless?{SECRET}") as curl:
            await curl.stdout.readexactly(1 << 20)
        async with client(caddy, version, "-m", "0.5", path=f"/silent?{SECRET}") as curl:
            await curl.wait()
        length = ("-X", "POST", "-H", "Content-Length: 9999999", "-T", ".")
        async with client(caddy, version, *length, path=f"/upload?{SECRET}") as curl:
            curl.stdin.write(bytes(1 << 20))
            await curl.stdin.drain()
    async with asyncio.timeout(20):
        while "write tcp" not in caddy.log():  # that Caddy writes just then is a matter of luck
            async with client(caddy, "--http1.1", path="/endless") as curl:
                await curl.stdout.readexactly(1 << 20)


def told(entries, logger, **fields):
    """How many entries a logger has with such fields."""
    return sum(
        entry.get("logger") == logger and fields.items() <= entry.items() for entry in entries
    )


async def until(condition):
    """Wait for a condition, with a bound."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(0.05)


def test_no_address_no_query(tmp_path):
    """After all that a client and an upstream can do."""
    asyncio.run(misbehave(tmp_path))


async def misbehave(directory):
    """Everything above, then look."""
    with Upstream() as umami:
        async with Scripted(script) as portal:
            caddy = RunningCaddy(directory, f"127.0.0.1:{portal.port}", umami.address)
            with caddy:
                await asyncio.to_thread(ordinary, caddy)
                await asyncio.to_thread(malformed, caddy)
                await broken(caddy)
                await until(lambda: told(caddy.entries(), ACCESS) >= 17)
                await portal.__aexit__()
                assert (await asyncio.to_thread(caddy.ask, f"/down?{SECRET}"))[0] == 502
                await until(lambda: told(caddy.entries(), ACCESS, status=502))
                look(caddy)


def look(caddy):
    """Nothing that must not be there; and what is there can be used."""
    log = caddy.log()
    for trace in (VISITOR, OPERATOR, FORGED, SECRET, UPLOAD, PASSWORD, COOKIE, "geheim"):
        assert trace not in log
    entries = caddy.entries()
    requests = [entry["request"] for entry in entries if entry.get("logger") == ACCESS]
    assert all(set(request) == {"proto", "method", "host", "uri"} for request in requests)
    seen = {(request["method"], request["uri"]) for request in requests}
    assert {
        ("GET", "/metrics?-"),
        ("GET", "/pets/-/edit?-"),
        ("POST", "/prospects/-"),
        ("GET", "/downloads/pets/v1/file.zip"),
        ("GET", "/umami/share/-/site"),
        ("GET", "/down?-"),
    } <= seen
    fields = {"level", "ts", "logger", "msg", "request", "duration", "size", "status"}
    assert all(set(entry) == fields for entry in entries if entry.get("logger") == ACCESS)
    aborted = "aborting with incomplete response"
    proxy = "http.handlers.reverse_proxy"
    assert told(entries, proxy, msg=aborted, error="unexpected EOF") >= 1
    assert "write tcp -->-: " in log
    assert told(entries, ACCESS, status=502, level="error") >= 1
