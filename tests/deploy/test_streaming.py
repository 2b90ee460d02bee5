"""Caddy and nginx before the portal: streaming both ways, bounded memory, broken connections."""

import asyncio
import contextlib

import pytest

from tests.support.deploy.caddy import RunningCaddy, free_port, needs_caddy
from tests.support.deploy.nginx import RunningNginx, needs_nginx
from tests.support.gitlab.scripted import Upstream

pytestmark = pytest.mark.long

SECONDS = 20
CHUNK = bytes(1 << 20)
VERSIONS = pytest.mark.parametrize("version", ["--http1.1", "--http2"])
PROXIES = (
    pytest.param(RunningCaddy, marks=needs_caddy, id="caddy"),
    pytest.param(RunningNginx, marks=needs_nginx, id="nginx"),
)


@pytest.fixture(params=PROXIES)
def proxy(request):
    """The class of the proxy that is tried."""
    return request.param


@contextlib.asynccontextmanager
async def client(front, *arguments, path="/file"):
    """curl, fed and read by the test."""
    process = await asyncio.create_subprocess_exec(
        *("curl", "-sS", "-N", *front.flags(), *arguments, front.url + path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def served(script, directory, test, proxy):
    """Run `test(front, upstream)`, the proxy before an upstream that does what the script says."""

    async def main():
        async with Upstream(script) as upstream:
            with proxy(directory, f"127.0.0.1:{upstream.port}") as front:
                await asyncio.wait_for(test(front, upstream), 2 * SECONDS)

    asyncio.run(main())


@VERSIONS
def test_bytes_arrive_while_more_are_to_come(proxy, tmp_path, version):
    """As git's progress does: a few bytes, with nothing behind them yet."""
    arrived = asyncio.Event()

    async def script(exchange):
        await exchange.send("HTTP/1.1 200 X\r\nContent-Length: 11\r\n\r\nfirst")
        await asyncio.wait_for(arrived.wait(), SECONDS)
        await exchange.send("second")

    async def test(front, _):
        async with client(front, version) as curl:
            assert await asyncio.wait_for(curl.stdout.readexactly(5), SECONDS) == b"first"
            arrived.set()
            assert await curl.stdout.read() == b"second"
            assert await curl.wait() == 0

    served(script, tmp_path, test, proxy)


@VERSIONS
def test_a_body_arrives_while_more_is_to_come(proxy, tmp_path, version):
    """As the packs that a large negotiation posts do."""
    arrived = asyncio.Event()
    got = []

    async def script(exchange):
        got.append(await exchange.reader.readuntil(b"first\r\n"))
        arrived.set()
        got.append(await exchange.reader.readuntil(b"0\r\n\r\n"))
        await exchange.answer(200, b"thanks")

    async def test(front, upstream):
        async with client(front, version, "-X", "POST", "-T", ".") as curl:
            curl.stdin.write(b"first")
            await asyncio.wait_for(arrived.wait(), SECONDS)
            curl.stdin.write(b"second")
            curl.stdin.close()
            assert await curl.stdout.read() == b"thanks"
        assert upstream.requests[0].headers["transfer-encoding"] == "chunked"
        assert got[1] == b"6\r\nsecond\r\n0\r\n\r\n"

    served(script, tmp_path, test, proxy)


@VERSIONS
@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\nsome"])
def test_a_client_that_leaves_is_told_of(proxy, tmp_path, version, sent):
    """Before the first byte too, when GitLab still thinks."""
    asked = asyncio.Event()

    async def script(exchange):
        await exchange.send(sent)
        asked.set()
        await exchange.hang()

    async def test(front, upstream):
        async with client(front, version):
            await asyncio.wait_for(asked.wait(), SECONDS)
            assert not upstream.closed.is_set()
        await asyncio.wait_for(upstream.closed.wait(), SECONDS)

    served(script, tmp_path, test, proxy)


@VERSIONS
def test_an_upstream_that_breaks_is_told_of(proxy, tmp_path, version):
    """A short file is never taken for a whole one."""

    async def script(exchange):
        await exchange.send("HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\nsome")
        raise ConnectionError

    async def test(front, _):
        async with client(front, version) as curl:
            assert b"some".startswith(await curl.stdout.read())
            assert await curl.wait() in (18, 92)  # short; an HTTP/2 stream that was not closed

    served(script, tmp_path, test, proxy)


@VERSIONS
def test_a_stalled_client_holds_little(proxy, tmp_path, version):
    """Of 256 MiB at most 32 are on the way while it reads nothing; then it gets them all."""
    count, moved, stalled = 256, [], asyncio.Event()

    async def script(exchange):
        await exchange.send(f"HTTP/1.1 200 X\r\nContent-Length: {count * len(CHUNK)}\r\n\r\n")
        for number in range(count):
            sending = asyncio.ensure_future(exchange.send(CHUNK))
            if not (stalled.is_set() or (await asyncio.wait([sending], timeout=2))[0]):
                moved.append(number)
                stalled.set()
            await sending

    async def test(front, _):
        async with client(front, version) as curl:
            await stalled.wait()
            assert moved[0] < 32
            size = 0
            while data := await curl.stdout.read(len(CHUNK)):
                size += len(data)
            assert size == count * len(CHUNK)
            assert front.peak_memory() < 128 << 20

    served(script, tmp_path, test, proxy)


def test_a_request_that_was_taken_is_not_sent_again(proxy, tmp_path):
    """The portal may have counted it; only one that nobody took waits for a restart."""

    async def script(_):
        raise ConnectionError

    async def test(front, upstream):
        assert (await asyncio.to_thread(front.ask, "/file"))[0] == 502
        assert len(upstream.requests) == 1

    served(script, tmp_path, test, proxy)


@needs_caddy
def test_a_restart_of_the_portal_is_waited_for(tmp_path):
    """A request while nobody listens is answered by who listens soon; else with a sentence."""
    port = free_port()

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 4\r\nConnection: close\r\n\r\nback")
        writer.close()

    async def main():
        with RunningCaddy(tmp_path, f"127.0.0.1:{port}") as front:
            status, headers, body = await asyncio.to_thread(front.ask, "/")
            assert (status, headers["retry-after"]) == (502, "10")
            assert body == (
                b"This site cannot answer at the moment. Please try again in a minute.\n"
            )
            assert headers["strict-transport-security"] == "max-age=31536000"
            async with client(front, "-v") as curl:
                while b"> GET" not in (line := await curl.stderr.readline()):
                    assert line
                with pytest.raises(TimeoutError):  # no answer yet, not even a bad one
                    await asyncio.wait_for(curl.stdout.read(1), 0.5)
                server = await asyncio.start_server(answer, "127.0.0.1", port)
                assert await curl.stdout.read() == b"back"
                server.close()

    asyncio.run(main())
