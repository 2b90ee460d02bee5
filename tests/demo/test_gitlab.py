"""The stand-in GitLab and its object store, as clients meet them over a socket."""

import hashlib
import http.client
import json
import subprocess
import sys
from urllib.parse import quote, urlsplit

import pytest

from demo.content import fill

TOKEN = "glpat-test"
API = "/api/v4/projects/11"
PACKAGE = f"{API}/packages/generic/pets/2.1.0"
LARGE = 300_000


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    directory = tmp_path_factory.mktemp("demo") / "content"
    fill(directory, large_bytes=LARGE)
    return directory


@pytest.fixture(scope="module")
def origins(content):
    """The addresses of a stand-in in a process of its own."""
    command = [sys.executable, "-m", "demo.standin", "--content", content]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"GITLAB_TOKEN": TOKEN}
    ) as process:
        yield json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(5) == 0


def ask(url, headers=None, method="GET"):
    """One request without redirects: status, headers, body."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(
            method, path, headers={"PRIVATE-TOKEN": TOKEN} if headers is None else headers
        )
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


@pytest.fixture
def gitlab(origins):
    return lambda path, *more: ask(origins["gitlab"] + path, *more)


@pytest.mark.parametrize(
    ("path", "headers", "status", "body"),
    [
        (API, {}, 401, {"message": "401 Unauthorized"}),
        (API, {"PRIVATE-TOKEN": "wrong"}, 401, {"message": "401 Unauthorized"}),
        (API, {"Authorization": "Bearer wrong"}, 401, {"message": "401 Unauthorized"}),
        ("/api/v4/projects/99", None, 404, {"message": "404 Project Not Found"}),
        ("/api/v4/projects/icarus%2Fnone", None, 404, {"message": "404 Project Not Found"}),
        (f"{API}/releases/v9", None, 404, {"message": "404 Not Found"}),
        (f"{PACKAGE}/none.zip", None, 404, {"message": "404 Not Found"}),
        (f"{API}/releases?per_page=0", None, 400, {"message": "400 per_page is invalid"}),
        ("/api/v4/nothing", None, 404, {"error": "404 Not Found"}),
    ],
)
def test_refusals(gitlab, path, headers, status, body):
    answer = gitlab(path, headers)
    assert (answer[0], json.loads(answer[2])) == (status, body)


@pytest.mark.parametrize("name", ["11", "icarus%2Fpets"])
@pytest.mark.parametrize("headers", [None, {"Authorization": f"Bearer {TOKEN}"}])
def test_a_project_by_number_and_path(gitlab, name, headers):
    status, _, body = gitlab(f"/api/v4/projects/{name}", headers)
    assert status == 200
    assert json.loads(body)["path_with_namespace"] == "icarus/pets"


def test_pages_follow_one_another(gitlab):
    tags, path = [], f"{API}/releases?per_page=3"
    while path:
        _, headers, body = gitlab(path)
        tags += [release["tag_name"] for release in json.loads(body)]
        following = [part for part in headers["Link"].split(", ") if 'rel="next"' in part]
        assert bool(following) == bool(headers["X-Next-Page"])
        parts = urlsplit(following[0].split(">")[0][1:]) if following else None
        path = f"{parts.path}?{parts.query}" if parts else None
    assert headers["X-Total"] == str(len(tags)) == "8"
    assert tags[:3] == ["v3.0.0", "v2.2.0-rc.1", "v2.1.0"]
    assert len(set(tags)) == 8


def test_a_list_that_has_not_changed(gitlab):
    etag = gitlab(f"{API}/releases")[1]["ETag"]
    assert etag.startswith('W/"')
    status, _, body = gitlab(f"{API}/releases", {"PRIVATE-TOKEN": TOKEN, "If-None-Match": etag})
    assert (status, body) == (304, b"")


def test_one_release(gitlab, origins):
    release = json.loads(gitlab(f"{API}/releases/v2.1.0")[2])
    links = {link["name"]: link for link in release["assets"]["links"]}
    linux = links["Linux"]
    assert linux["url"] == f"{origins['gitlab']}{PACKAGE}/pets-2.1.0-linux.tar.gz"
    assert linux["direct_asset_url"].endswith(
        "/icarus/pets/-/releases/v2.1.0/downloads/binaries/pets-linux.tar.gz"
    )
    assert links["Windows"]["direct_asset_url"] == links["Windows"]["url"]
    assert links["Guide"]["url"].startswith(origins["objects"])
    assert release["assets"]["count"] == len(links) + 4
    ids = [link["id"] for link in release["assets"]["links"]]
    assert ids == sorted(ids, reverse=True)


@pytest.mark.parametrize(("tag", "upcoming"), [("v2.1.0", False), ("v3.0.0", True)])
def test_upcoming(gitlab, tag, upcoming):
    assert json.loads(gitlab(f"{API}/releases/{tag}")[2])["upcoming_release"] is upcoming


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        (f"{API}/releases/permalink/latest", f"{API}/releases/v2.2.0-rc.1"),
        (
            f"{API}/releases/v2.1.0/downloads/binaries/pets-linux.tar.gz",
            f"{PACKAGE}/pets-2.1.0-linux.tar.gz",
        ),
        (
            "/icarus/pets/-/releases/v2.1.0/downloads/binaries/pets-linux.tar.gz",
            f"{PACKAGE}/pets-2.1.0-linux.tar.gz",
        ),
        (
            "/icarus/pets/-/releases/permalink/latest/downloads/a/b.zip",
            "/icarus/pets/-/releases/v2.2.0-rc.1/downloads/a/b.zip",
        ),
        (
            "/icarus/pets/info/refs?service=git-upload-pack",
            "/icarus/pets.git/info/refs?service=git-upload-pack",
        ),
    ],
)
def test_redirects(gitlab, path, leads_to):
    status, headers, _ = gitlab(path)
    assert status in (301, 302)
    assert headers["Location"].endswith(leads_to)


@pytest.mark.parametrize(
    "path",
    ["/icarus/pets/-/archive/v2.1.0/pets-v2.1.0.zip", "/icarus/pets/-/releases/v2.1.0/downloads/x"],
)
def test_strangers_are_sent_to_the_sign_in_page(gitlab, path):
    status, headers, _ = gitlab(path, {})
    assert (status, headers["Location"][-14:]) == (302, "/users/sign_in")
    assert gitlab("/users/sign_in", {})[0] == 200


def test_package_files(gitlab):
    packages = json.loads(gitlab(f"{API}/packages?package_name=pets&package_type=generic")[2])
    number = next(p["id"] for p in packages if p["version"] == "2.1.0")
    path = f"{API}/packages/{number}/package_files"
    status, headers, body = gitlab(f"{path}?per_page=1&page=2")
    assert (status, headers["X-Total"], len(json.loads(body))) == (200, "4", 1)
    files = {file["file_name"]: file for file in json.loads(gitlab(path)[2])}
    assert files["pets-2.1.0-soak.bin"]["size"] == LARGE
    status, headers, body = gitlab(f"{PACKAGE}/SHA256SUMS")
    assert headers["X-Checksum-SHA256"] == files["SHA256SUMS"]["file_sha256"]
    assert hashlib.sha256(body).hexdigest() == files["SHA256SUMS"]["file_sha256"]


ETAG, DATE = "{etag}", "{date}"


@pytest.mark.parametrize(
    ("conditions", "status", "span"),
    [
        ({}, 200, (0, None)),
        ({"Range": "bytes=0-"}, 206, (0, None)),
        ({"Range": "bytes=5-9"}, 206, (5, 10)),
        ({"Range": "bytes=-7"}, 206, (-7, None)),
        ({"Range": "bytes=5-999999999"}, 206, (5, None)),
        ({"Range": "bytes=9-5"}, 200, (0, None)),
        ({"Range": "bytes=0-1,4-5"}, 200, (0, None)),
        ({"Range": "bytes=999999999-"}, 416, (0, 0)),
        ({"Range": "bytes=5-9", "If-Range": ETAG}, 206, (5, 10)),
        ({"Range": "bytes=5-9", "If-Range": DATE}, 206, (5, 10)),
        ({"Range": "bytes=5-9", "If-Range": '"old"'}, 200, (0, None)),
        ({"If-None-Match": ETAG}, 304, (0, 0)),
        ({"If-None-Match": '"old"', "If-Modified-Since": DATE}, 200, (0, None)),
        ({"If-Modified-Since": DATE}, 304, (0, 0)),
        ({"If-Match": ETAG}, 200, (0, None)),
        ({"If-Match": '"old"'}, 412, (0, 0)),
        ({"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 412, (0, 0)),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("origin", ["gitlab", "objects"])
def test_conditions_and_ranges(origins, origin, method, conditions, status, span):
    path = f"{PACKAGE}/SHA256SUMS" if origin == "gitlab" else "/public/pets/2.1.0/100%25-tame.zip"
    token = {"PRIVATE-TOKEN": TOKEN} if origin == "gitlab" else {}
    url = origins[origin] + path
    _, headers, whole = ask(url, token)
    known = {"etag": headers["ETag"], "date": headers["Last-Modified"]}
    asked = {name: value.format(**known) for name, value in conditions.items()}
    answer = ask(url, token | asked, method)
    wanted = whole[slice(*span)]
    assert answer[0] == status
    assert answer[2] == (b"" if method == "HEAD" else wanted)
    if status in (200, 206):
        assert answer[1]["Content-Length"] == str(len(wanted))
    if status == 206:
        assert answer[1]["Content-Range"].endswith(f"/{len(whole)}")


@pytest.fixture(scope="module")
def presigned(origins):
    url = f"{origins['gitlab']}{PACKAGE}/pets-2.1.0-soak.bin"
    status, headers, _ = ask(url)
    assert status == 302
    assert headers["Location"].startswith(origins["objects"])
    return headers["Location"], headers["X-Checksum-SHA256"]


def test_a_presigned_address(presigned):
    status, headers, body = ask(presigned[0], {})
    assert status == 200
    assert hashlib.sha256(body).hexdigest() == presigned[1]
    assert "pets-2.1.0-soak.bin" in headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("method", "change", "headers", "status", "code"),
    [
        ("HEAD", ("", ""), {}, 403, b""),
        ("PUT", ("", ""), {}, 403, b"SignatureDoesNotMatch"),
        ("GET", ("soak.bin?", "soak.bin2?"), {}, 403, b"SignatureDoesNotMatch"),
        ("GET", ("X-Amz-Expires=600", "X-Amz-Expires=9999"), {}, 403, b"SignatureDoesNotMatch"),
        ("GET", ("&X-Amz-Signature=", "&Other="), {}, 403, b"AccessDenied"),
        ("GET", ("", ""), {"Authorization": "Bearer x"}, 400, b"InvalidArgument"),
        ("GET", ("", ""), {"PRIVATE-TOKEN": TOKEN}, 400, b"InvalidArgument"),
    ],
)
def test_what_the_object_store_refuses(presigned, method, change, headers, status, code):
    answer = ask(presigned[0].replace(*change), headers, method)
    assert answer[0] == status
    assert code in answer[2]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/public/pets/2.1.0/" + quote("Führer für Größen 騎獣.txt"), 200),
        ("/public/pets/2.1.0/Mount%20guide.txt", 200),
        ("/public/none", 404),
        ("/public/..%2f..%2fstamp", 404),
        ("/packages/pets/2.1.0/pets-2.1.0-soak.bin", 403),
    ],
)
def test_public_objects(origins, path, status):
    assert ask(origins["objects"] + path, {})[0] == status
