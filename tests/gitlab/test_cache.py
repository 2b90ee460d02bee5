"""What is served while GitLab answers, fails, throttles, withdraws and comes back."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from portal.errors import NotFound, Unavailable
from portal.gitlab import cache as module
from portal.gitlab.cache import Listings, Pause
from tests.support.gitlab.api import (
    PETS,
    RELEASES,
    TOKEN,
    Answer,
    api_to,
    config,
    entry,
    link,
    running,
)


@asynccontextmanager
async def cache(standin, *projects, refresh_seconds=0.05):
    async with api_to(standin.url, seconds=0.5) as api:
        listings = Listings(config(standin.url, *projects, refresh_seconds=refresh_seconds), api)
        listings.start()
        try:
            yield listings
        finally:
            await listings.stop()
            assert len(asyncio.all_tasks()) < 4  # the stand-in's own


def run(test, first=None, **settings):
    async def whole():
        async with running() as standin:
            standin.answers[RELEASES] = first or Answer([entry("v1")])
            async with cache(standin, **settings) as listings:
                await test(standin, listings)

    asyncio.run(whole())


async def until(condition, seconds=3.0):
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is waited for is GitLab
            await asyncio.sleep(0.01)


async def asked_again(standin, times=2):
    """Wait until answers to new requests have been read."""
    before = standin.asked(RELEASES)

    async def enough():
        return standin.asked(RELEASES) >= before + times

    await until(enough)


def test_the_first_list_is_fetched_once_for_all_who_wait():
    async def test(standin, listings):
        first, *others = await asyncio.gather(*(listings.listing(PETS) for _ in range(20)))
        assert [r.version for r in first.releases] == ["v1"]
        assert not first.stale
        assert first.fetched_at.tzinfo
        assert all(other is first for other in others)
        assert standin.asked(RELEASES) == 1

    run(test, refresh_seconds=60)


def test_a_new_release_is_seen():
    async def test(standin, listings):
        await listings.listing(PETS)
        standin.answers[RELEASES] = Answer([entry("v2"), entry("v1")])
        await asked_again(standin)
        assert (await listings.listing(PETS)).release("v2")

    run(test)


BROKEN = {
    "500": Answer(b"", 500),
    "502": Answer(b"", 502),
    "503": Answer(b"", 503),
    "429": Answer(b"", 429),
    "302": Answer(b"", 302),
    "nonsense": Answer(b"<html>"),
    "silent": Answer(silent=True),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_the_last_list_is_served_while_gitlab_fails_and_it_recovers(answer, caplog):
    async def test(standin, listings):
        fresh = await listings.listing(PETS)
        standin.answers[RELEASES] = answer

        async def stale():
            return (await listings.listing(PETS)).stale

        await until(stale)
        kept = await listings.listing(PETS)
        assert kept.releases == fresh.releases
        standin.answers[RELEASES] = Answer([entry("v2")])

        async def recovered():
            return (await listings.listing(PETS)).release("v2")

        await until(recovered)
        assert not (await listings.listing(PETS)).stale

    run(test)
    assert TOKEN not in caplog.text
    assert "per_page" not in caplog.text


@pytest.mark.parametrize("status", [403, 404])
def test_a_withdrawn_project_is_gone_even_when_gitlab_then_fails(status):
    async def test(standin, listings):
        await listings.listing(PETS)
        standin.answers[RELEASES] = Answer(b"{}", status)

        async def gone():
            try:
                await listings.listing(PETS)
            except NotFound:
                return True

        await until(gone)
        standin.answers[RELEASES] = Answer(b"", 500)
        await asked_again(standin)
        with pytest.raises(NotFound) as caught:
            await listings.listing(PETS)
        assert caught.value.sentence == "Pets has no releases here at present."
        standin.answers[RELEASES] = Answer([entry("v1")])

        async def back():
            return not await gone()

        await until(back)

    run(test)


def test_never_known_and_failing():
    async def whole():
        async with running() as standin:
            standin.answers[RELEASES] = Answer(b"", 500)
            async with cache(standin) as listings:
                with pytest.raises(Unavailable) as caught:
                    await listings.listing(PETS)
                assert caught.value.retry_after >= 1
                standin.answers[RELEASES] = Answer([])
                await asked_again(standin)
                assert (await listings.listing(PETS)).releases == ()

    asyncio.run(whole())


def test_a_silent_gitlab_is_waited_for_only_so_long(monkeypatch):
    monkeypatch.setattr(module, "FIRST_SECONDS", 0.1)

    async def whole():
        async with running() as standin:
            standin.answers[RELEASES] = Answer(silent=True)
            async with cache(standin) as listings:
                with pytest.raises(Unavailable):
                    await listings.listing(PETS)

    asyncio.run(whole())


def test_retry_after_is_silence_for_every_project():
    cats = replace(PETS, slug="cats", path="example/cats")
    releases = "/api/v4/projects/example%2Fcats/releases"

    async def whole():
        async with running() as standin:
            standin.answers[RELEASES] = standin.answers[releases] = Answer([entry("v1")])
            async with cache(standin, PETS, cats) as listings:
                await listings.listing(PETS)
                assert not (await listings.listing(cats)).stale
                standin.answers[RELEASES] = Answer(b"", 429, {"Retry-After": "1"})

                async def stale():
                    return (await listings.listing(cats)).stale

                await until(stale)
                await asyncio.sleep(0.1)  # what was on its way
                before = len(standin.requests)
                standin.answers[RELEASES] = Answer([entry("v2")])
                await asyncio.sleep(0.5)
                assert len(standin.requests) == before
                assert (await listings.listing(PETS)).stale

                async def recovered():
                    return not (await listings.listing(PETS)).stale

                await until(recovered)
                assert (await listings.listing(PETS)).release("v2")

    asyncio.run(whole())


def test_packages_that_fail_do_not_make_the_list_stale():
    async def test(standin, listings):
        url = f"{standin.url}/api/v4/projects/1/packages/generic/pets/1/a.zip"
        standin.answers["/api/v4/projects/1/packages"] = Answer(b"", 500)
        standin.answers[RELEASES] = Answer([entry("v2", link(url))])
        await asked_again(standin)
        listing = await listings.listing(PETS)
        assert listing.release("v2")
        assert not listing.stale

    run(test)


def test_a_fault_of_our_own_does_not_end_the_refreshes(monkeypatch, caplog):
    async def test(standin, listings):
        await listings.listing(PETS)
        with monkeypatch.context() as patch:
            patch.setattr("portal.gitlab.api.read_release", None)
            standin.answers[RELEASES] = Answer(
                [entry("v3")]
            )  # one that has not changed is not read
            await asked_again(standin)
            assert (await listings.listing(PETS)).stale
        standin.answers[RELEASES] = Answer([entry("v2")])

        async def recovered():
            return (await listings.listing(PETS)).release("v2")

        await until(recovered)

    run(test)


def test_stopping_twice_and_serving_on():
    async def test(standin, listings):
        await listings.listing(PETS)
        await listings.stop()
        await listings.stop()
        asked = len(standin.requests)
        assert (await listings.listing(PETS)).releases
        await asyncio.sleep(0.2)
        assert len(standin.requests) == asked

    run(test)


@pytest.mark.parametrize(
    ("failures", "low", "high"),
    [(0, 27, 30), (1, 1.5, 2), (2, 3, 4), (5, 24, 32), (6, 45, 60), (10_000, 45, 60)],
)
def test_pauses(failures, low, high):
    pause = Pause(30)
    assert all(low <= pause.after(failures) <= high for _ in range(100))
