"""A visitor who asks for what cannot be shown makes the portal ask GitLab sooner, and not often."""

import asyncio

import pytest

from portal.errors import PortalError
from portal.gitlab import pause
from portal.gitlab import project_listing as module
from tests.gitlab.test_cache import run, until
from tests.support.gitlab.api import PETS, RELEASES, Answer, entry

AN_HOUR = 3600


async def shown(listings):
    try:
        return await listings.listing(PETS)
    except PortalError:
        return None


@pytest.mark.parametrize("status", [401, 404, 500])
def test_who_asks_gets_the_list_soon(status, monkeypatch):
    monkeypatch.setattr(pause, "FIRST_PAUSE", AN_HOUR)
    monkeypatch.setattr(pause, "LONGEST_PAUSE", AN_HOUR)

    async def test(standin, listings):
        standin.answers[RELEASES] = Answer([], status=status)
        assert await shown(listings) is None
        before = standin.asked(RELEASES)
        begun = asyncio.get_running_loop().time()
        await until(lambda: asked(standin, listings, before + 2))
        # However many ask: once in a while.
        assert asyncio.get_running_loop().time() - begun >= module.WANTED_PAUSE
        standin.answers[RELEASES] = Answer([entry("v1")])
        await until(lambda: shown(listings))

    async def asked(standin, listings, count):
        await shown(listings)
        return standin.asked(RELEASES) >= count

    run(test, refresh_seconds=AN_HOUR, first=Answer([], status=status))


def test_nobody_asks_and_nothing_is_missing():
    async def test(standin, listings):
        for _ in range(20):
            assert await shown(listings)
            await asyncio.sleep(module.WANTED_PAUSE / 10)
        assert standin.asked(RELEASES) == 1

    run(test, refresh_seconds=AN_HOUR)
