"""Whether Umami is asked at all, after it refused or failed."""

import asyncio

import pytest

from portal.analytics import circuit
from portal.analytics.circuit import MOST_AT_ONCE, Circuit


class Heart:
    """A heartbeat that answers what it is told; `beats` counts how often it was asked."""

    def __init__(self):
        self.alive, self.beats = False, 0

    async def beat(self):
        self.beats += 1
        return self.alive


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(circuit, "PROBE_SECONDS", 0.01)


def run(steps):
    """`await steps(circuit, heart)` on a loop of its own."""

    async def main():
        heart = Heart()
        tried = Circuit(heart.beat)
        await steps(tried, heart)
        await tried.stop()

    asyncio.run(main())


async def open_again(tried):
    """Wait until somebody is admitted, and let them leave."""
    for _ in range(2000):
        if tried.admit():
            tried.leave()
            return
        await asyncio.sleep(0.005)
    raise AssertionError("nobody is admitted again")


def admitted(tried):
    """How many at once."""
    count = 0
    while tried.admit():
        count += 1
    for _ in range(count):
        tried.leave()
    return count


def test_so_many_at_once_and_no_more():
    async def steps(tried, heart):
        assert admitted(tried) == MOST_AT_ONCE
        assert admitted(tried) == MOST_AT_ONCE
        assert heart.beats == 0

    run(steps)


@pytest.mark.parametrize("how", ["refused", "failed"])
def test_nobody_until_its_heart_beats(how):
    async def steps(tried, heart):
        getattr(tried, how)()
        while heart.beats < 3:
            assert not tried.admit()
            await asyncio.sleep(0.005)
        heart.alive = True
        await open_again(tried)
        assert tried.suspicious == (how == "failed")
        assert admitted(tried) == (1 if how == "failed" else MOST_AT_ONCE)

    run(steps)


def test_one_at_a_time_until_one_is_answered():
    """A heart that beats shows nothing of whether events are stored."""

    async def steps(tried, heart):
        heart.alive = True
        tried.failed()
        await open_again(tried)
        assert admitted(tried) == 1
        tried.answered()
        assert admitted(tried) == MOST_AT_ONCE

    run(steps)


def test_the_pause_doubles_with_each_failure_up_to_a_minute(monkeypatch):
    pauses = []

    async def note(_self, pause):
        pauses.append(pause)
        _self._probe = None

    monkeypatch.setattr(Circuit, "_wait", note)
    monkeypatch.setattr(circuit, "PROBE_SECONDS", 1.0)

    async def steps(tried, _):
        for _ in range(9):
            tried.failed()
            await asyncio.sleep(0)
        tried.answered()
        tried.failed()
        await asyncio.sleep(0)

    run(steps)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60, 1]


def test_those_that_fail_together_are_one_failure():
    async def steps(tried, heart):
        for _ in range(MOST_AT_ONCE):
            tried.failed()
        heart.alive = True
        await open_again(tried)
        assert tried._failures == 1

    run(steps)
