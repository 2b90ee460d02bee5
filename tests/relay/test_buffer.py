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


def moved(buffer):
    """The bytes of one turn."""
    buffer.begin_turn()
    count = 0
    while not buffer.full:
        buffer.put(bytes(PIECE))
        count += PIECE
        buffer.take()
    return count


@pytest.mark.parametrize(("streak", "together"), [(0, LOOP_BYTES), (1 << 40, FAST_LOOP_BYTES)])
@pytest.mark.parametrize(("count", "waiting"), [(1, 0), (16, 0), (16, 200), (50, 0), (200, 50)])
def test_many_share_a_turn(count, waiting, streak, together):
    budget = LoopBudget()
    buffers = [Buffer(budget) for _ in range(count + waiting)]
    for buffer in buffers[:count]:
        buffer.active = True
        buffer.wrote(streak)
    for buffer in buffers[count:]:
        buffer.active = True
        buffer.blocked()
    each = [moved(buffer) for buffer in buffers[:count]]
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
        budget, client = LoopBudget(), CurlClient(force_instance=True)
        async with Upstream(script) as upstream:
            relay = Relay(client, HTTPRequest(upstream.url), LIMITS, budget=budget)
            await relay.head()
            pumping = asyncio.ensure_future(relay.pump(Client()))
            if length > 100_000:
                with pytest.raises(UpstreamFailed):
                    await pumping
            await asyncio.wait([pumping])
        client.close()
        assert budget.count == 0

    asyncio.run(main())


@pytest.mark.parametrize(
    ("streak", "expected"), [(0, BATCH_MIN), (KERNEL_BYTES, BATCH_MIN), (1 << 40, BATCH_MAX)]
)
def test_a_batch_grows_with_the_streak_and_a_wait_makes_it_small(streak, expected):
    buffer = Buffer()
    buffer.wrote(streak)
    assert buffer.batch == expected
    buffer.blocked()
    assert buffer.batch == BATCH_MIN


@pytest.mark.parametrize(("active", "most"), [(False, HELD_BYTES), (True, TURN_BYTES)])
def test_what_is_held_is_bounded(active, most):
    buffer, count = Buffer(), 0
    buffer.active = active
    while not buffer.full:
        buffer.put(bytes(16 << 10))
        count += 16 << 10
        if buffer.batch_ready:
            assert len(buffer.take()) <= BATCH_MIN
    assert count == most
    buffer.begin_turn()
    assert buffer.full is not active
