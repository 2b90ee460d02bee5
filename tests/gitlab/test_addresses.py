"""Which address of the API a link becomes, and which links become none."""

import pytest

from portal.gitlab.addresses import Kind, ProjectLocation, read_address

GITLAB = "https://gl.example"
PLACE = ProjectLocation((GITLAB, "http://git.example:8080"), ("a/b",), 7)
API = f"{GITLAB}/api/v4/projects/7"
HEX = "0123456789abcdef" * 2
FILE, FOREIGN, PAGE, ELSEWHERE = Kind.FILE, Kind.FOREIGN, Kind.PAGE, Kind.ELSEWHERE


def read(path, place=PLACE, refs=("release/2.1",)):
    return read_address(path if "://" in path else GITLAB + path, place, refs)


@pytest.mark.parametrize(
    ("path", "asked", "name"),
    [
        (f"/-/project/7/uploads/{HEX}/x%20y.zip", f"/uploads/{HEX}/x%20y.zip", "x y.zip"),
        (f"/a/b/uploads/{HEX}/x.zip", f"/uploads/{HEX}/x.zip", "x.zip"),
        (f"/A/B/uploads/{HEX}/x.zip", f"/uploads/{HEX}/x.zip", "x.zip"),
        (
            "/a/b/-/jobs/artifacts/v1/download?job=linux%20x&job_token=s",
            "/jobs/artifacts/v1/download?job=linux%20x",
            "",
        ),
        (
            "/a/b/-/jobs/artifacts/release/2.1/raw/bin/x?job=l",
            "/jobs/artifacts/release%2F2.1/raw/bin/x?job=l",
            "x",
        ),
        ("/a/b/-/jobs/5/artifacts/download", "/jobs/5/artifacts", ""),
        ("/a/b/-/jobs/5/artifacts/download?file_type=archive", "/jobs/5/artifacts", ""),
        ("/a/b/-/jobs/5/artifacts/raw/bin/x.exe", "/jobs/5/artifacts/bin/x.exe", "x.exe"),
        (
            "/a/b/-/raw/v1/docs/x.md?inline=false",
            "/repository/files/docs%2Fx.md/raw?ref=v1",
            "x.md",
        ),
        (
            "/a/b/-/raw/release/2.1/x.md",
            "/repository/files/x.md/raw?ref=release%2F2.1",
            "x.md",
        ),
    ],
)
def test_web_addresses_are_translated(path, asked, name):
    address = read(path)
    assert (address.kind, address.url, address.name) == (FILE, API + asked, name)
    # The other name of the same GitLab, and what was translated already, give the same.
    assert read(path.replace("/", "http://git.example:8080/", 1)).url == API + asked
    assert read(address.url) == address


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("packages/generic/p/1/dir%2Fx", ""),
        ("packages/5/package_files/6/download", ""),
        ("packages/maven/org/x/1/x-1.jar", ""),
        (f"packages/pypi/files/{HEX * 2}/x-1.whl", ""),
        ("packages/npm/@a/b/-/b-1.tgz", ""),
        ("repository/archive.zip", "?sha=v1"),
        ("repository/archive", "?sha=v1&path=docs"),
        ("repository/files/a%2Fb/raw", "?ref=main"),
        ("releases/v1/downloads/x", ""),
        ("jobs/artifacts/v1/download", "?job=x"),
        ("jobs/artifacts/v1/raw/x", "?job=x"),
        ("jobs/5/artifacts", ""),
        ("jobs/5/artifacts/bin/x", ""),
        (f"uploads/{HEX}/x", ""),
    ],
)
@pytest.mark.parametrize("project", ["7", "a%2Fb", "A%2fB"])
def test_forms_of_the_api_are_asked_as_they_are(path, query, project):
    address = read(f"/api/v4/projects/{project}/{path}{query}")
    assert address.kind is FILE
    assert address.url.endswith(f"/{path}{query}")
    more = "&" if query else "?"
    secret = read(f"/api/v4/projects/{project}/{path}{query}{more}private_token=s&sudo=root")
    assert secret == address


ARCHIVE = "/a/b/-/archive/release/2.1/b-release-2.1.tar.gz"


@pytest.mark.parametrize("tag", ["release%2F2.1", "release/2.1", "permalink/latest"])
def test_permalinks_are_asked_where_they_are(tag):
    path = f"/a/b/-/releases/{tag}/downloads/bin/x"
    assert read(f"{path}?private_token=s").url == GITLAB + path


def test_archives_are_asked_where_they_are():
    assert read(ARCHIVE).url == GITLAB + ARCHIVE
    assert read(ARCHIVE + "?path=docs&private_token=s").url == f"{GITLAB}{ARCHIVE}?path=docs"
    assert read("http://git.example:8080" + ARCHIVE).url == GITLAB + ARCHIVE


def test_a_package_file_waits_for_its_package():
    address = read("/a/b/-/package_files/501/download")
    assert (address.kind, address.package_file) == (FILE, 501)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        *((f"/api/v4/projects/7/{rest}", PAGE) for rest in ("variables", "issues", "hooks")),
        *((f"/api/v4/projects/7/{rest}", PAGE) for rest in ("members", "packages", "packages/5")),
        *((f"/api/v4/projects/7/{rest}", PAGE) for rest in ("jobs/5/trace", "jobs/5", "releases")),
        *((f"/api/v4/projects/7/{rest}", PAGE) for rest in ("export/download", "snapshot")),
        *((f"/api/v4/projects/7/{rest}", PAGE) for rest in ("repository/files/x", "uploads/x/y")),
        *((f"/api/v4/projects/7/{rest}", PAGE) for rest in ("packages/generic/p/1", "wikis/x")),
        ("/api/v4/projects/7", PAGE),
        ("/api/v4/personal_access_tokens/self", PAGE),
        ("/api/v4/groups/1/variables", PAGE),
        ("/api/graphql", PAGE),
        ("/", PAGE),
        ("", PAGE),
        ("/a/b", PAGE),
        ("/a/b/-/issues", PAGE),
        ("/a/b/-/packages/13", PAGE),
        ("/a/b/container_registry", PAGE),
        ("/a/b/-/jobs/5/artifacts/browse", PAGE),
        ("/a/b/uploads/0123/x.zip", PAGE),
        ("/users/sign_in", PAGE),
        ("https://user@gl.example/a/b/-/raw/v1/x", PAGE),
        ("/api/v4/projects/8/packages/generic/p/1/x", FOREIGN),
        ("/api/v4/projects/77/packages/generic/p/1/x", FOREIGN),
        ("/api/v4/projects/a%2Fbc/packages/generic/p/1/x", FOREIGN),
        (f"/-/project/8/uploads/{HEX}/x.zip", FOREIGN),
        ("/a/secret/-/archive/v1/b-v1.zip", FOREIGN),
        *((f"/api/v4/projects/7/{dots}/8/x", PAGE) for dots in ("..", "%2e%2e", "%252e%252e")),
        ("/api/v4/projects/7/packages/generic/p/1/..%2f..%2f..%2fvariables", PAGE),
        ("/api/v4/projects/7/packages/generic/p/1/..\\x", PAGE),
        ("/api/v4/projects/7//packages/generic/p/1/x", PAGE),
        ("https://gl.example:443/a/b/-/issues", PAGE),
        ("https://GL.example/a/b/-/issues", PAGE),
        ("http://gl.example/a/b/-/raw/v1/x", ELSEWHERE),
        ("https://objects.example/x.zip", ELSEWHERE),
        ("https://gl.example.evil.example/a/b/-/raw/v1/x", ELSEWHERE),
        ("https://[x/a.zip", ELSEWHERE),
    ],
)
def test_what_is_never_asked_with_the_token(url, kind):
    assert read(url).kind is kind


def test_while_the_number_is_not_known():
    place = ProjectLocation((GITLAB,), ("a/b",))
    assert read(f"/-/project/7/uploads/{HEX}/x", place).kind is FOREIGN
    assert read("/api/v4/projects/7/jobs/5/artifacts", place).kind is FOREIGN
    asked = read("/a/b/-/jobs/5/artifacts/download", place).url
    assert asked == f"{GITLAB}/api/v4/projects/a%2Fb/jobs/5/artifacts"


def test_a_relative_root():
    place = ProjectLocation((f"{GITLAB}/git",), ("a/b",), 7)
    assert read("/git/a/b/-/jobs/5/artifacts/download", place).url == (
        f"{GITLAB}/git/api/v4/projects/7/jobs/5/artifacts"
    )
    assert read("/a/b/-/jobs/5/artifacts/download", place).kind is PAGE
