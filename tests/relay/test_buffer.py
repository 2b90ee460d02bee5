"""What all transfers of one event loop may move in one of its turns, and that none is forgotten."""

import asyncio

import pytest
from tornado.httpclient import HTTPRequest

from portal.errors import UpstreamFailed
from portal.relay.buffer import (
    BATCH_MAX,
    BATCH_MIN,
    FAST_LOOP_BYTES,
    HELD_BYTES,
    KERNEL_BYTES,
    LOOP_BYTES,
    TURN_BYTES,
    TURN_LEAST,
    Buffer,
    LoopBudget,
)
from portal.relay.curl import CurlClient
from portal.relay.relay import Relay
from tests.support.exchanges import LIMITS, Client
from tests.support.gitlab.scripted import Upstream

PIECE = 16 << 10


def moved(window):
    """The bytes of one turn."""
    window.begin_turn()
    count = 0
    while not window.full:
        window.put(bytes(PIECE))
        count += PIECE
        window.take()
    return count


@pytest.mark.parametrize(("streak", "together"), [(0, LOOP_BYTES), (1 << 40, FAST_LOOP_BYTES)])
@pytest.mark.parametrize(("count", "waiting"), [(1, 0), (16, 0), (16, 200), (50, 0), (200, 50)])
def test_many_share_a_turn(count, waiting, streak, together):
    flow = LoopBudget()
    windows = [Buffer(flow) for _ in range(count + waiting)]
    for window in windows[:count]:
        window.flowing = True
        window.went(streak)
    for window in windows[count:]:
        window.flowing = True
        window.waited()
    each = [moved(window) for window in windows[:count]]
    assert min(each) >= TURN_LEAST
    assert max(each) <= TURN_BYTES
    assert sum(each) <= together + count * PIECE
    if count <= together // TURN_BYTES:
        assert sum(each) == count * TURN_BYTES


@pytest.mark.parametrize("length", [100_000, 200_000], ids=["whole", "broken"])
def test_a_transfer_that_is_over_has_no_share(length):
    async def script(exchange):
        await exchange.send(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")
        await exchange.send(bytes(100_000))
        raise ConnectionError

    async def main():
        flow, client = LoopBudget(), CurlClient(force_instance=True)
        async with Upstream(script) as upstream:
            relay = Relay(client, HTTPRequest(upstream.url), LIMITS, flow=flow)
            await relay.head()
            pumping = asyncio.ensure_future(relay.pump(Client()))
            if length > 100_000:
                with pytest.raises(UpstreamFailed):
                    await pumping
            await asyncio.wait([pumping])
        client.close()
        assert flow.count == 0

    asyncio.run(main())


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
