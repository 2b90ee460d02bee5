"""Asking GitLab's API: pages, what an answer means, what is sent and where."""

import asyncio
import gzip
import json
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from tornado.httputil import HTTPHeaders

from portal.gitlab import api as module
from portal.gitlab import requests
from portal.gitlab.requests import Failing, Withdrawn, following
from tests.support.gitlab.api import (
    PETS,
    RELEASES,
    TOKEN,
    Answer,
    api_to,
    entry,
    run,
)


def versions(releases):
    return [release.version for release in releases]


def test_what_is_sent():
    async def test(standin, api):
        standin.answers[RELEASES] = Answer([])
        assert await api.releases(PETS) == ()
        (request,) = standin.requests
        assert request.query == "per_page=100"
        assert request.headers["PRIVATE-TOKEN"] == TOKEN
        assert "gzip" in request.headers["Accept-Encoding"]
        assert "If-None-Match" not in request.headers

    run(test)


def test_every_page_is_read_and_an_unchanged_list_is_cheap():
    pages = {"1": ["v3", "v2"], "2": ["v1"]}

    async def test(standin, api):
        def answer(request):
            number = request.query_arguments.get("page", [b"1"])[0].decode()
            etag = f'W/"{number}"'
            if request.headers.get("If-None-Match") == etag:
                return Answer(status=304)
            headers = {"ETag": etag}
            if number == "1":
                # Its external address, which need not be the one that is asked.
                headers["Link"] = (
                    f'<https://elsewhere.example{RELEASES}?page=1>; rel="first", '
                    f'<https://elsewhere.example{RELEASES}?page=2&per_page=100>; rel="next"'
                )
            return Answer([entry(version) for version in pages[number]], headers=headers)

        standin.answers[RELEASES] = answer
        first = await api.releases(PETS)
        assert versions(first) == ["v3", "v2", "v1"]
        assert await api.releases(PETS) == first
        assert [r.headers.get("If-None-Match") for r in standin.requests] == [
            None,
            None,
            'W/"1"',
            'W/"2"',
        ]

    run(test)


def test_endless_pages_end(monkeypatch):
    monkeypatch.setattr(module, "PAGES", 3)

    async def test(standin, api):
        def endless(request):
            number = int(request.query_arguments.get("page", [b"1"])[0]) + 1
            return Answer([entry(f"v{number}")], headers={"Link": f'<?page={number}>; rel="next"'})

        standin.answers[RELEASES] = endless
        assert len(await api.releases(PETS)) == 3
        standin.answers[RELEASES] = Answer([], headers={"Link": '<?per_page=100>; rel="next"'})
        assert await api.releases(PETS) == ()
        assert len(standin.requests) == 4

    run(test)


@pytest.mark.parametrize(
    ("header", "query"),
    [
        ("", None),
        ('<http://x/a?page=2>; rel="next"', "page=2"),
        ("<http://x/a?page=2>; rel=next", "page=2"),
        ('<http://x/a?page=2> ; title="t"; rel="next"', "page=2"),
        ('<http://x/a?page=1>; rel="prev", <http://x/a?page=3>; rel="next"', "page=3"),
        ('<http://x/a?page=1>; rel="prev"', None),
        ('<http://x/a?page=1>; rel="next-archive"', None),
        ('<http://x/a>; rel="next"', None),
        ('<http://[x/a?page=2>; rel="next"', None),
        ('<http://x/a?page=\u00e9>; rel="next"', None),
        ('<http://x/a?page=1 2>; rel="next"', None),
    ],
)
def test_the_query_of_the_next_page(header, query):
    assert following(HTTPHeaders({"Link": header})) == query


@pytest.mark.parametrize("status", [403, 404])
def test_withdrawn(status):
    async def test(standin, api):
        standin.answers[RELEASES] = Answer(b"{}", status)
        with pytest.raises(Withdrawn):
            await api.releases(PETS)

    run(test)


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (Answer(b"", 500), None),
        (Answer(b"", 500, {"Retry-After": "5"}), None),
        (Answer(b"", 503, {"Retry-After": "5"}), 5),
        (Answer(b"", 429, {"Retry-After": "7"}), 7),
        (Answer(b"", 429, {"Retry-After": "0"}), 0),
        (Answer(b"", 429, {"Retry-After": "99999"}), 3600),
        (Answer(b"", 429, {"Retry-After": "-1"}), None),
        (Answer(b"", 429, {"Retry-After": "later"}), None),
        (Answer(b"", 429), None),
        (Answer(b"", 302, {"Location": "/users/sign_in"}), None),
        (Answer(b"", 304), None),
        (Answer(b"<html>"), None),
        (Answer(b"\xff"), None),
        (Answer(b"[" * 200_000), None),
        (Answer({"message": "x"}), None),
        (Answer(None), None),
        (Answer(b"x", headers={"Content-Encoding": "gzip"}), None),
        (Answer(silent=True), None),
    ],
    ids=str,
)
def test_failing(answer, wait):
    async def test(standin, api):
        standin.answers[RELEASES] = answer
        with pytest.raises(Failing) as caught:
            await api.releases(PETS)
        assert caught.value.wait == (wait if wait is None else pytest.approx(wait, abs=5))
        assert TOKEN not in str(caught.value)
        assert "per_page" not in str(caught.value)
        assert standin.asked("/users/sign_in") == 0

    run(test)


def test_nobody_there():
    async def test():
        async with api_to("http://127.0.0.1:1") as api:
            with pytest.raises(Failing):
                await api.releases(PETS)

    asyncio.run(test())


def test_no_answer_is_taken_beyond_the_bound(monkeypatch):
    monkeypatch.setattr(requests, "ANSWER_BYTES", 10_000)

    async def test(standin, api):
        bomb = gzip.compress(json.dumps([" " * 1_000_000]).encode())
        assert len(bomb) < 10_000
        standin.answers[RELEASES] = Answer(bomb, headers={"Content-Encoding": "gzip"})
        with pytest.raises(Failing):
            await api.releases(PETS)
        standin.answers[RELEASES] = Answer([entry()])
        assert len(await api.releases(PETS)) == 1

    run(test)


def test_the_environments_proxy_is_not_obeyed(monkeypatch):
    for name in ("http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def test(standin, api):
        standin.answers[RELEASES] = Answer([entry()])
        assert len(await api.releases(PETS)) == 1

    run(test)


def test_malformed_entries_are_left_out_with_one_warning(caplog):
    async def test(standin, api):
        standin.answers[RELEASES] = Answer([entry("v1"), entry(tag_name=None), None, entry("v1")])
        for _ in range(3):
            assert versions(await api.releases(PETS)) == ["v1"]

    run(test)
    said = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(said) == 2
    assert "a release is left out: it is not an object" in "".join(said)


def test_retry_after_can_be_a_date():
    async def test(standin, api):
        in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
        standin.answers[RELEASES] = Answer(b"", 429, {"Retry-After": in_a_minute})
        with pytest.raises(Failing) as caught:
            await api.releases(PETS)
        assert caught.value.wait == pytest.approx(60, abs=5)

    run(test)
