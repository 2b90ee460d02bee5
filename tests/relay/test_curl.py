"""The client that asks GitLab's API, where the answer is no HTTP."""

import asyncio

import pytest

from portal.gitlab.requests import Failing
from tests.support.gitlab.api import PETS, api_to
from tests.support.gitlab.scripted import Upstream


@pytest.mark.parametrize("line", ["no name: x", "\xff\xfe\x80"])
def test_a_header_that_is_none(line, capfd):
    async def script(exchange):
        await exchange.send(f"HTTP/1.1 200 OK\r\n{line}\r\nContent-Length: 2\r\n\r\n[]")

    async def whole():
        async with Upstream(script) as upstream, api_to(upstream.url) as api:
            with pytest.raises(Failing):
                await api.releases(PETS)

    asyncio.run(whole())
    assert "Traceback" not in capfd.readouterr().err
