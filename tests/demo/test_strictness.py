"""What the stand-in refuses and redirects, as GitLab does: a table of each kind."""

import asyncio
import io
import json
import tarfile
import zipfile

import pytest
from tornado.httpclient import AsyncHTTPClient

from demo.content import fill
from demo.secrets import VALUE
from demo.standin import StandIn

API = "/api/v4/projects/12"
BETA = "v2.0.0-beta.1"
UPLOAD = "uploads/{secret}/backup-checklist.md"


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    directory = tmp_path_factory.mktemp("demo") / "content"
    fill(directory, large_bytes=1000)
    return directory


def during(content, scenario, **site):
    """Run `scenario(standin, get)`; `get(path, method, headers)` follows no redirect."""

    async def run():
        standin = StandIn(content)
        await standin.start()
        for name, value in site.items():
            setattr(standin.site, name, value)
        client = AsyncHTTPClient(force_instance=True)

        async def get(path, method="GET", headers=None):
            return await client.fetch(
                path if path.startswith("http") else standin.gitlab_url + path,
                method=method,
                headers={"PRIVATE-TOKEN": standin.token} if headers is None else headers,
                raise_error=False,
                follow_redirects=False,
            )

        try:
            return await scenario(standin, get)
        finally:
            client.close()
            await standin.stop()

    return asyncio.run(run())


def asked(content, path, *more, **site):
    async def scenario(_, get):
        return await get(path, *more)

    return during(content, scenario, **site)


def secret(content):
    return json.loads((content / "prospects/uploads.json").read_text())[0]["secret"]


@pytest.mark.parametrize(
    "path",
    [
        f"/-/project/12/{UPLOAD}",
        f"/icarus/prospects/{UPLOAD}",
        f"/icarus/prospects/-/jobs/artifacts/{BETA}/download?job=linux",
        f"/icarus/prospects/-/jobs/artifacts/{BETA}/raw/bin/prospects-linux?job=linux",
        "/icarus/prospects/-/jobs/1200/artifacts/download",
        "/icarus/prospects/-/jobs/1200/artifacts/raw/bin/prospects-linux",
        "/icarus/prospects/-/package_files/12001/download",
        f"/icarus/prospects/-/raw/{BETA}/README.md",
        "/icarus/prospects/-/packages/1200",
        "/icarus/prospects/container_registry",
        "/icarus/prospects",
        "/icarus/none/-/issues",
    ],
)
@pytest.mark.parametrize("token", [True, False])
def test_a_token_opens_no_web_address_but_a_few(content, path, token):
    headers = None if token else {}
    answer = asked(content, path.format(secret=secret(content)), "GET", headers)
    assert (answer.code, answer.headers["Location"][-14:]) == (302, "/users/sign_in")


@pytest.mark.parametrize(
    ("path", "member"),
    [
        (f"/{UPLOAD}", None),
        (f"/jobs/artifacts/{BETA}/download?job=linux", "bin/prospects-linux"),
        (f"/jobs/artifacts/{BETA}/raw/bin/prospects-linux?job=linux", None),
        ("/jobs/1200/artifacts", "bin/prospects-linux"),
        ("/jobs/1200/artifacts/bin/prospects-linux", None),
        (f"/repository/files/docs%2Fbackup.md/raw?ref={BETA}", None),
    ],
)
def test_the_api_gives_what_the_web_does_not(content, path, member):
    path = API + path.format(secret=secret(content))
    answer = asked(content, path)
    assert answer.code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.body) > 0
    if member:
        assert zipfile.ZipFile(io.BytesIO(answer.body)).namelist() == [member]
    assert asked(content, path, "HEAD").headers["Content-Length"] == str(len(answer.body))
    assert asked(content, path, "GET", {}).code == 401


@pytest.mark.parametrize(
    "path",
    [
        f"/jobs/artifacts/{BETA}/download?job=none",
        "/jobs/1200/artifacts/bin/none",
        "/jobs/99/artifacts",
        f"/uploads/{'0' * 32}/backup-checklist.md",
        "/repository/files/none/raw?ref=main",
        "/packages/1200/package_files/12099/download",
    ],
)
def test_what_is_not_there(content, path):
    assert asked(content, API + path).code == 404


def test_a_package_file_by_number_needs_its_package(content):
    (package,) = (
        p
        for p in json.loads(asked(content, f"{API}/packages?per_page=100").body)
        if p["version"] == "2.0.0-beta.1"
    )
    files = json.loads(asked(content, f"{API}/packages/{package['id']}/package_files").body)
    (number,) = (f["id"] for f in files if f["file_name"] == "prospects-numbered.tar.gz")
    answer = asked(content, f"{API}/packages/{package['id']}/package_files/{number}/download")
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as archive:
        assert "prospects-2.0.0-beta.1/README.md" in archive.getnames()


@pytest.mark.parametrize("kind", ["variables", "issues", "hooks", "members"])
def test_a_token_may_read_what_nobody_may_publish(content, kind):
    assert VALUE in asked(content, f"{API}/{kind}").body.decode()


@pytest.mark.parametrize(
    ("path", "status", "leads_to"),
    [
        ("/api/v4/projects/icarus%2Fworlds", 301, "/api/v4/projects/12"),
        (
            "/api/v4/projects/icarus%2Fworlds/releases?per_page=9",
            301,
            "/api/v4/projects/12/releases?per_page=9",
        ),
        (
            "/icarus/worlds/-/archive/v1.0.0/worlds-v1.0.0.zip",
            301,
            "/icarus/prospects/-/archive/v1.0.0/worlds-v1.0.0.zip",
        ),
    ],
)
def test_a_project_that_has_moved(content, path, status, leads_to):
    answer = asked(content, path)
    assert answer.code == status
    assert answer.headers["Location"].endswith(leads_to)


@pytest.mark.parametrize(
    ("outage", "status", "body"),
    [
        ("expired", 401, "Token is expired."),
        ("revoked", 401, "Token was revoked."),
        ("insufficient_scope", 403, '"error": "insufficient_scope"'),
        ("banned", 403, "Forbidden\n"),
        ("throttled", 429, "Retry later\n"),
        ("maintenance", 503, "GitLab is not responding"),
        ("bad_gateway", 502, "Bad Gateway"),
    ],
)
def test_refusals_in_gitlabs_words(content, outage, status, body):
    answer = asked(content, f"{API}/releases", outage=outage)
    assert answer.code == status
    assert body in answer.body.decode()
    assert ("Retry-After" in answer.headers) == (status in (429, 503))


def test_an_expired_token_opens_no_archive(content):
    path = "/icarus/prospects/-/archive/v1.0.0/x.zip"
    assert asked(content, path).code == 200
    assert asked(content, path, outage="expired").code == 302


def test_archives_are_limited_for_each_project(content):
    async def scenario(_, get):
        path = "/icarus/prospects/-/archive/v1.0.0/x.zip"
        return [(await get(path)).code for _ in range(3)]

    assert during(content, scenario, archives_a_minute=2) == [200, 200, 429]


def test_the_external_name_is_in_every_answer(content):
    answer = asked(content, f"{API}/releases?per_page=1", external_url="https://git.example")
    (release,) = json.loads(answer.body)
    assert release["assets"]["sources"][0]["url"].startswith("https://git.example/icarus/")
    assert release["_links"]["self"].startswith("https://git.example/")
    assert "<https://git.example/api/v4/" in answer.headers["Link"]


def test_a_permalink_to_another_host_is_a_page(tmp_path):
    fill(tmp_path / "content", large_bytes=1000)

    async def scenario(standin, get):
        project = standin.project("icarus/prospects")
        releases = project.releases()
        link = {"id": 1, "name": "x", "filepath": "/x.zip", "link_type": "other"}
        releases[0]["links"] = [{**link, "url": "https://files.example.org/x.zip"}]
        project.save_releases(releases)
        tag = releases[0]["tag_name"]
        return await get(f"/icarus/prospects/-/releases/{tag}/downloads/x.zip")

    answer = during(tmp_path / "content", scenario)
    assert (answer.code, answer.headers["Content-Type"][:9]) == (200, "text/html")
    assert b"redirected away from GitLab" in answer.body


def test_what_a_token_says_of_itself(content):
    answer = json.loads(asked(content, "/api/v4/personal_access_tokens/self").body)
    assert (answer["scopes"], answer["access_level"]) == (["read_api", "read_repository"], 20)
    assert json.loads(asked(content, "/api/v4/metadata").body)["version"].startswith("18.")
