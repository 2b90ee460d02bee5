"""What a refresh costs: nothing where nothing has changed, and never the event loop."""

import asyncio
import json
import time

import pytest

from portal.gitlab import decoding
from portal.gitlab import requests as module
from portal.gitlab.requests import Failing
from tests.gitlab.test_api import run
from tests.support.gitlab.api import PETS, RELEASES, Answer, entry, link

LARGE = 200, 8


def test_a_list_that_has_not_changed_is_not_read_again(monkeypatch):
    """By its ETag, and by its bytes where a proxy has taken the ETag away."""

    async def test(standin, api):
        standin.answers[RELEASES] = Answer([entry("v1")])
        first = await api.releases(PETS)
        with monkeypatch.context() as patch:
            patch.setattr(decoding, "entries", None)
            assert await api.releases(PETS) is first
            standin.answers[RELEASES] = Answer([entry("v2")])
            with pytest.raises(TypeError):
                await api.releases(PETS)
        assert [r.version for r in await api.releases(PETS)] == ["v2"]

    run(test)


def test_what_is_left_of_an_answer_that_is_no_list():
    for body in (b"", b"{}", b"[", b"[1", b"[1,", b"[1,]", b"[1 2]", b"\xff", b"[" * 9, b"nul"):
        with pytest.raises(decoding.NotAList):
            list(decoding.entries(body))
    assert list(decoding.entries(b" [ ] ")) == []
    assert list(decoding.entries(b' [1 , {"a": [2]}\n] ')) == [1, {"a": [2]}]


def test_entries_and_objects_are_bounded(monkeypatch):
    assert len(list(decoding.entries(json.dumps(list(range(500))).encode()))) == decoding.ENTRIES
    with pytest.raises(decoding.NotAList, match="too many objects"):
        list(decoding.entries(b"[" + b"[]," * decoding.CONTAINERS + b"[]]"))


def test_links_are_bounded_and_the_operator_is_told(monkeypatch, caplog):
    monkeypatch.setattr("portal.gitlab.entries.LINKS", 5)

    async def test(standin, api):
        links = [link(f"{standin.url}/example/pets/-/raw/v1/{i}.txt") for i in range(9)]
        standin.answers[RELEASES] = Answer([entry("v1", *links)])
        (release,) = await api.releases(PETS)
        assert len(release.assets) == 5
        assert {one.cause for one in api.left_out(PETS)} == {"too_many"}

    run(test)
    assert "more than 5 links" in caplog.text


def test_an_answer_beyond_the_bound_is_none(monkeypatch):
    monkeypatch.setattr(module, "ANSWER_BYTES", 1000)

    async def test(standin, api):
        standin.answers[RELEASES] = Answer([entry("v1", description="x" * 2000)])
        with pytest.raises(Failing):
            await api.releases(PETS)

    run(test)


def test_a_large_list_does_not_hold_the_loop():
    """The bar is 10 ms, in `benchmarks refresh`; a machine that others use too gets more."""
    releases, links = LARGE

    async def test(standin, api):
        places = [f"{standin.url}/example/pets/-/raw/v/{i}.txt" for i in range(links)]
        page = [entry(f"v{i}", *map(link, places)) for i in range(releases // 2)]

        def answer(request):
            number = int(request.query_arguments.get("page", [b"1"])[0])
            headers = {"Link": '<?page=2>; rel="next"'} if number == 1 else {}
            named = [{**one, "tag_name": f"{number}.{i}"} for i, one in enumerate(page)]
            return Answer(json.dumps(named).encode(), headers=headers)

        answers = {None: answer(_Query()), 2: answer(_Query(b"2"))}
        standin.answers[RELEASES] = lambda r: answers[2 if "page=2" in r.query else None]
        holds = []
        ticking = asyncio.create_task(_tick(holds))
        assert len(await api.releases(PETS)) == releases
        ticking.cancel()
        assert sorted(holds)[-3] < 0.05

    run(test)


class _Query:
    def __init__(self, number=b"1"):
        self.query_arguments = {"page": [number]}


async def _tick(holds):
    while True:
        begun = time.perf_counter()
        await asyncio.sleep(0.001)
        holds.append(time.perf_counter() - begun - 0.001)
