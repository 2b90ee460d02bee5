"""The relay against an upstream and a client that misbehave in every way we know of."""

import asyncio
import os
import time
from dataclasses import replace

import pytest
from tornado.httpclient import HTTPRequest
from tornado.iostream import StreamClosedError

from portal.errors import UpstreamFailed, UpstreamSlow
from portal.relay.buffer import BATCH_MIN
from portal.relay.curl import CurlClient
from portal.relay.relay import Relay
from portal.relay.transfer import READ_BYTES
from tests.support.exchanges import LIMITS, Client, exchange, run
from tests.support.gitlab.scripted import Upstream

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
