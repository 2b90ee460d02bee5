"""One relay between an upstream that follows a script and a client whose pace a test sets."""

import asyncio
from contextlib import asynccontextmanager

from tornado.httpclient import HTTPRequest
from tornado.iostream import StreamClosedError

from portal.config.model import Limits
from portal.relay.curl import CurlClient
from portal.relay.relay import Relay
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
