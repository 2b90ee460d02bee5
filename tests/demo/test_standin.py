"""The stand-in in the test's own process: archives, changes while it runs, a clean stop."""

import asyncio
import base64
import io
import json
import tarfile
from urllib.parse import quote

import pytest
from tornado.httpclient import AsyncHTTPClient

from demo.content import fill
from demo.git import ENVIRONMENT
from demo.standin import StandIn


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    directory = tmp_path_factory.mktemp("demo") / "content"
    fill(directory, large_bytes=1000)
    return directory


def during(content, scenario):
    """Run `scenario(standin, get)` while the stand-in does; `get` asks with the token."""

    async def run():
        standin = StandIn(content)
        await standin.start()
        client = AsyncHTTPClient(force_instance=True)
        headers = {"PRIVATE-TOKEN": standin.token}

        async def get(path):
            return await client.fetch(standin.gitlab_url + path, headers=headers, raise_error=False)

        try:
            return await scenario(standin, get)
        finally:
            client.close()
            await standin.stop()

    return asyncio.run(run())


@pytest.mark.parametrize("form", ["tar.gz", "tar.bz2", "tar", "zip"])
@pytest.mark.parametrize("tag", ["v2.1.0", "release/2.1"])
def test_archives(content, tag, form):
    stem = f"pets-{tag.replace('/', '-')}"
    path = f"/icarus/pets/-/archive/{tag}/{stem}.{form}"
    by_api = f"/api/v4/projects/11/repository/archive.{form}?sha={quote(tag, safe='')}"

    async def scenario(_, get):
        return [await get(p) for p in (path, path, by_api)]

    first, second, third = during(content, scenario)
    assert "Content-Length" not in first.headers
    assert f'filename="{stem}.{form}"' in first.headers["Content-Disposition"]
    assert int(second.headers["Content-Length"]) == len(first.body)
    assert first.body == second.body
    assert third.code == 200
    if form != "zip":
        with tarfile.open(fileobj=io.BytesIO(first.body)) as archive:
            assert f"{stem}/README.md" in archive.getnames()


@pytest.mark.parametrize("revision", ["--output%3Dx", "none", ""])
def test_an_archive_of_nothing(content, revision):
    async def scenario(_, get):
        return await get(f"/api/v4/projects/11/repository/archive.zip?sha={revision}")

    answer = during(content, scenario)
    assert (answer.code, json.loads(answer.body)) == (404, {"message": "404 File Not Found"})


def test_releases_that_change(tmp_path):
    fill(tmp_path / "content", large_bytes=1000)

    async def scenario(standin, get):
        project = standin.project("icarus/prospects")
        project.save_releases(project.releases()[:2])
        return json.loads((await get("/api/v4/projects/12/releases")).body)

    tags = [release["tag_name"] for release in during(tmp_path / "content", scenario)]
    assert tags == ["v1.0.0", "v0.9.0"]


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
def test_an_outage(content, status):
    async def scenario(standin, get):
        standin.site.outage = status
        during_it = await get("/api/v4/projects/12/releases")
        standin.site.outage = None
        return during_it, await get("/api/v4/projects/12/releases")

    during_it, after = during(content, scenario)
    assert (during_it.code, after.code) == (status, 200)
    assert ("Retry-After" in during_it.headers) == (status in (429, 503))


def test_a_clone_and_a_stop_in_the_middle_of_another(content, tmp_path):
    async def scenario(standin, _):
        host = standin.gitlab_url.removeprefix("http://")
        url = f"http://oauth2:{standin.token}@{host}/icarus/pets.git"
        command = ["git", "clone", "--quiet", url, str(tmp_path / "clone")]
        clone = await asyncio.create_subprocess_exec(*command, env=ENVIRONMENT)
        assert await clone.wait() == 0
        _, writer = await asyncio.open_connection(*host.split(":"))
        writer.write(b"GET /icarus/pets.git/info/refs?service=git-upload-pack HTTP/1.1\r\n")
        writer.write(f"Host: {host}\r\nAuthorization: {basic(standin.token)}\r\n\r\n".encode())
        while not standin.site.relays:  # noqa: ASYNC110 - a test may poll
            await asyncio.sleep(0)
        await standin.stop()
        assert not standin.site.relays
        writer.close()

    during(content, scenario)
    assert (tmp_path / "clone" / "README.md").exists()


def basic(password):
    """An Authorization header with any user name."""
    return "Basic " + base64.b64encode(f"oauth2:{password}".encode()).decode()
