"""Request bodies on their way to the upstream: unchanged, answered early, held back."""

import asyncio
import os
from dataclasses import replace

import pytest

from portal.errors import UpstreamFailed, UpstreamSlow
from portal.relay.request_body import KEEP_BYTES, RequestBody
from tests.support.exchanges import LIMITS, Client, exchange, run


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
