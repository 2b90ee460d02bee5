"""GitLab's webhooks: who is believed, and how soon a release shows then."""

import asyncio
import json
import time

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.gitlab.inside import Inside

SECRET = "hook-secret"
RELEASE = {"object_kind": "release", "project": {"id": 1, "path_with_namespace": "icarus/pets"}}


def run(content, tmp_path, steps, **environ):
    async def main():
        inside = Inside(content, tmp_path, more="", refresh_seconds=3600)
        inside.environ = {"GITLAB_TOKEN": inside.standin.token, **environ}
        async with inside:
            await inside.until("/downloads/pets", lambda status, *_: status == 200)
            await steps(inside)

    asyncio.run(main())


async def post(inside, body, secret=SECRET, event="Release Hook"):
    client = AsyncHTTPClient(force_instance=True)
    headers = {"Content-Type": "application/json", "X-Gitlab-Event": event}
    if secret is not None:
        headers["X-Gitlab-Token"] = secret
    text = body if isinstance(body, str) else json.dumps(body)
    answer = await client.fetch(
        f"{inside.url}/hooks/gitlab", method="POST", body=text, headers=headers, raise_error=False
    )
    client.close()
    return answer.code, answer.body.decode()


def test_a_release_is_on_the_page_within_a_second(content, tmp_path):
    async def steps(inside):
        project = inside.standin.project("icarus/pets")
        releases = project.releases()
        try:
            new = {**releases[-1], "tag_name": "v9.9.9", "name": "new", "links": []}
            project.save_releases([new, *releases])
            await asyncio.sleep(0.5)
            assert "v9.9.9" not in (await inside.ask("/downloads/pets"))[2]
            began = time.monotonic()
            assert (await post(inside, RELEASE))[0] == 200
            await inside.until("/downloads/pets", lambda _, __, text: "v9.9.9" in text)
            assert time.monotonic() - began < 10  # polling would take an hour
        finally:
            project.save_releases(releases)

    run(content, tmp_path, steps, GITLAB_WEBHOOK_TOKEN=SECRET)


@pytest.mark.parametrize(
    ("secret", "event", "body", "status"),
    [
        (None, "Release Hook", RELEASE, 401),
        ("wrong", "Release Hook", RELEASE, 401),
        ("", "Release Hook", "[" * 5000, 401),
        (SECRET, "Release Hook", "{", 400),
        (SECRET, "Release Hook", {}, 400),
        (SECRET, "Release Hook", {"project": []}, 400),
        (SECRET, "Release Hook", {"project": {"id": 999, "path_with_namespace": "x/y"}}, 404),
        (SECRET, "Release Hook", {"project": {"id": "1"}}, 404),
        (SECRET, "Push Hook", RELEASE, 200),
        (SECRET, "Tag Push Hook", RELEASE, 200),
        (SECRET, "Issue Hook", RELEASE, 200),
        (SECRET, "Release Hook", json.dumps({"x": "x" * (2 << 20)}), 413),
    ],
)
def test_what_is_taken_and_what_is_not(content, tmp_path, secret, event, body, status):
    async def steps(inside):
        answered, text = await post(inside, body, secret, event)
        assert answered == status
        assert text

    run(content, tmp_path, steps, GITLAB_WEBHOOK_TOKEN=SECRET)


def test_guesses_are_slowed(content, tmp_path):
    async def steps(inside):
        codes = [(await post(inside, RELEASE, f"guess-{n}"))[0] for n in range(12)]
        assert codes == [401] * 10 + [429] * 2

    run(content, tmp_path, steps, GITLAB_WEBHOOK_TOKEN=SECRET)


def test_without_a_secret_there_is_no_such_address(content, tmp_path):
    async def steps(inside):
        assert (await post(inside, RELEASE, ""))[0] == 404

    run(content, tmp_path, steps)
