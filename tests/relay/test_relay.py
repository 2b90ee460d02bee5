"""The relay against an upstream and a client that misbehave in every way we know of."""

import asyncio
import os
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from tornado.httpclient import HTTPRequest
from tornado.iostream import StreamClosedError

from portal.config.model import Limits
from portal.errors import UpstreamFailed, UpstreamSlow
from portal.relay.buffer import BATCH_MAX, BATCH_MIN, HELD_BYTES, KERNEL_BYTES, TURN_BYTES, Buffer
from portal.relay.curl import CurlClient
from portal.relay.relay import READ_BYTES, Relay
from portal.relay.request_body import KEEP_BYTES, RequestBody
from tests.support.gitlab.scripted import Upstream

LIMITS = Limits(
    transfers=10,
    connect_seconds=2,
    first_byte_seconds=5,
    upstream_stall_seconds=5,
    client_stall_seconds=5,
    drain_seconds=1,
)


class Client:
    """A sink whose reader can be slow, stalled or gone."""

    def __init__(self, pace=None):
        self.received = bytearray()
        self.pace = pace
        self.held = 0
        self.most = 0
        self.closed = asyncio.Event()

    def write(self, data):
        self.received += data
        self.most = max(self.most, len(data))
        done = asyncio.get_running_loop().create_future()
        if self.pace is None:
            done.set_result(None)
        else:
            self.held += 1
            self.taking = asyncio.ensure_future(self._take(done))
        return done

    async def _take(self, done):
        pace = asyncio.ensure_future(self.pace())
        closed = asyncio.ensure_future(self.closed.wait())
        await asyncio.wait({pace, closed}, return_when=asyncio.FIRST_COMPLETED)
        pace.cancel()
        closed.cancel()
        if self.closed.is_set():
            done.set_exception(StreamClosedError())
        else:
            done.set_result(None)

    def unacknowledged(self):
        return self.held

    def close(self):
        self.closed.set()


@asynccontextmanager
async def exchange(script, limits=LIMITS, upload=None, **request):
    client = CurlClient(force_instance=True, max_clients=4, max_body_size=1 << 60)
    try:
        async with Upstream(script) as upstream:
            asked = HTTPRequest(
                upstream.url + "/x", request_timeout=0, follow_redirects=False, **request
            )
            relay = Relay(client, asked, limits, upload)
            yield relay, upstream
            relay.abort()
            await asyncio.sleep(0)
    finally:
        client.close()


def run(main):
    asyncio.run(asyncio.wait_for(main(), 20))


BODY = os.urandom(1 << 20)


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_body_arrives_unchanged(framing):
    async def script(x):
        if framing == "length":
            await x.answer(200, BODY, ETag='"a"')
        elif framing == "chunked":
            await x.send('HTTP/1.1 200 OK\r\nETag: "a"\r\nTransfer-Encoding: chunked\r\n\r\n')
            for i in range(0, len(BODY), 100_000):
                piece = BODY[i : i + 100_000]
                await x.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            await x.send("0\r\n\r\n")
        else:
            await x.send(b'HTTP/1.0 200 OK\r\nETag: "a"\r\n\r\n' + BODY)
            raise ConnectionError

    async def main():
        async with exchange(script) as (relay, _):
            status, headers = await relay.head()
            assert (status, headers["ETag"]) == (200, '"a"')
            client = Client()
            await relay.pump(client)
            assert client.received == BODY

    run(main)


def test_early_answers_are_not_the_head():
    async def script(x):
        await x.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        await x.answer(404, b"no")

    async def main():
        async with exchange(script) as (relay, _):
            status, headers = await relay.head()
            assert (status, "Link" in headers) == (404, False)

    run(main)


@pytest.mark.parametrize(
    "ending",
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
    ],
)
def test_a_broken_upstream_is_a_broken_transfer(ending):
    async def script(x):
        await x.send(ending)
        raise ConnectionError

    async def main():
        async with exchange(script) as (relay, _):
            await relay.head()
            with pytest.raises(UpstreamFailed):
                await relay.pump(Client())

    run(main)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "SSH-2.0-OpenSSH\r\n",
        "\n\n\n",
        "HTTP/2\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\n" + "X-Long: y\r\n" * 20_000 + "\r\n",
    ],
)
def test_no_proper_answer(answer, capfd):
    async def script(x):
        await x.send(answer)
        raise ConnectionError

    async def main():
        async with exchange(script) as (relay, _):
            with pytest.raises(UpstreamFailed):
                await relay.head()

    run(main)
    assert "Traceback" not in capfd.readouterr().err


def test_nobody_listens():
    async def main():
        client = CurlClient(force_instance=True)
        relay = Relay(client, HTTPRequest("http://127.0.0.1:1/"), LIMITS)
        with pytest.raises(UpstreamFailed, match="cannot be reached"):
            await relay.head()
        client.close()

    run(main)


@pytest.mark.parametrize("after", ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
def test_an_upstream_that_stalls_is_slow(after):
    async def script(x):
        await x.send(after)
        await x.hang()

    async def main():
        limits = replace(LIMITS, first_byte_seconds=0.2, upstream_stall_seconds=0.2)
        async with exchange(script, limits) as (relay, upstream):
            with pytest.raises(UpstreamSlow):
                await relay.head()
                await relay.pump(Client())
            await asyncio.wait_for(upstream.closed.wait(), 1)

    run(main)


def big(x):
    return x.answer(200, bytes(32 << 20))


def test_a_stalled_client_holds_a_bounded_buffer_and_is_closed():
    async def main():
        limits = replace(LIMITS, client_stall_seconds=0.4, upstream_stall_seconds=0.2)
        async with exchange(big, limits) as (relay, upstream):
            await relay.head()
            client = Client(pace=asyncio.Event().wait)
            with pytest.raises(StreamClosedError):
                await relay.pump(client)
            assert len(client.received) <= 2 * BATCH_MIN
            relay.abort()
            await asyncio.wait_for(upstream.closed.wait(), 1)

    run(main)


def test_a_slow_client_is_no_stall_and_gets_everything():
    async def main():
        limits = replace(LIMITS, client_stall_seconds=0.5, upstream_stall_seconds=0.5)
        async with exchange(lambda x: x.answer(200, BODY[:200_000]), limits) as (relay, _):
            await relay.head()
            client = Client()

            async def slowly():
                for _ in range(6):
                    await asyncio.sleep(0.1)
                    client.held += 1  # the kernel's buffer moves although the write waits

            client.pace = slowly
            await relay.pump(client)
            assert client.received == BODY[:200_000]
            assert client.most <= BATCH_MIN + READ_BYTES

    run(main)


@pytest.mark.parametrize("moment", ["connecting", "head", "body", "paused"])
def test_an_abort_ends_the_upstream_within_a_second(moment):
    async def script(x):
        if moment == "paused":
            await big(x)
        elif moment == "body":
            await x.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        await x.hang()

    async def main():
        async with exchange(script) as (relay, upstream):
            if moment != "connecting":
                await asyncio.sleep(0.1)
            if moment in ("body", "paused"):
                await relay.head()
            begun = time.monotonic()
            relay.abort()
            relay.abort()
            with pytest.raises(UpstreamFailed):
                await relay.head()
                await relay.pump(Client())
            if upstream.requests:
                await upstream.closed.wait()
            assert time.monotonic() - begun < 1

    run(main)


@pytest.mark.parametrize("size", [0, 10, KEEP_BYTES, 5 << 20])
@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_arrives_unchanged(size, chunked):
    body = os.urandom(size)
    got = bytearray()

    async def script(x):
        if chunked:
            while (length := int(await x.reader.readline(), 16)) or True:
                got.extend(await x.reader.readexactly(length))
                await x.reader.readexactly(2)
                if not length:
                    break
        else:
            got.extend(await x.reader.readexactly(int(x.headers["content-length"])))
        await x.answer(200, b"ok")

    async def main():
        headers = {"Transfer-Encoding": "chunked"} if chunked else {}
        upload = RequestBody(None if chunked else size)
        async with exchange(script, upload=upload, method="POST", body=b"", headers=headers) as (
            relay,
            _,
        ):
            for i in range(0, size, 65_536):
                await relay.feed(body[i : i + 65_536])
            relay.end()
            assert (await relay.head())[0] == 200
            assert got == body
            client = Client()
            await relay.pump(client)
            assert client.received == b"ok"

    run(main)


def test_an_upload_that_is_answered_early_does_not_hang():
    async def script(x):
        await x.answer(413, b"", Connection="close")
        raise ConnectionError

    async def main():
        upload = RequestBody(100 << 20)
        async with exchange(script, upload=upload, method="POST", body=b"") as (relay, _):
            for _ in range(100):
                await relay.feed(bytes(1 << 20))
            relay.end()
            with pytest.raises(UpstreamFailed):
                status, _headers = await relay.head()
                assert status == 413
                raise UpstreamFailed("answered early")

    run(main)


def test_an_upload_waits_for_a_slow_upstream():
    async def script(x):
        await asyncio.sleep(60)

    async def main():
        limits = replace(LIMITS, upstream_stall_seconds=0.3)
        upload = RequestBody(100 << 20)
        async with exchange(script, limits, upload, method="POST", body=b"") as (relay, _):
            sent = 0
            while not relay.over:
                await relay.feed(bytes(1 << 20))
                sent += 1
            assert sent < 30  # the rest was never taken: the kernel's buffers were full
            with pytest.raises(UpstreamSlow):
                await relay.head()

    run(main)


def test_a_short_body_can_be_discarded_and_the_connection_used_again():
    async def main():
        client = CurlClient(force_instance=True)
        ports = set()

        async def script(x):
            ports.add(x.writer.get_extra_info("peername"))
            await x.answer(302, b"moved")

        async with Upstream(script) as upstream:
            for _ in range(3):
                relay = Relay(client, HTTPRequest(upstream.url), LIMITS)
                await relay.head()
                relay.discard()
                await asyncio.sleep(0.05)
        client.close()
        assert len(ports) == 1

    run(main)


@pytest.mark.parametrize(
    ("streak", "expected"), [(0, BATCH_MIN), (KERNEL_BYTES, BATCH_MIN), (1 << 40, BATCH_MAX)]
)
def test_a_batch_grows_with_the_streak_and_a_wait_makes_it_small(streak, expected):
    window = Buffer()
    window.went(streak)
    assert window.batch == expected
    window.waited()
    assert window.batch == BATCH_MIN


@pytest.mark.parametrize(("flowing", "most"), [(False, HELD_BYTES), (True, TURN_BYTES)])
def test_what_is_held_is_bounded(flowing, most):
    window, count = Buffer(), 0
    window.flowing = flowing
    while not window.full:
        window.put(bytes(16 << 10))
        count += 16 << 10
        if window.ripe:
            assert len(window.take()) <= BATCH_MIN
    assert count == most
    window.begin_turn()
    assert window.full is not flowing
