"""Git against the stand-in: the real program, over a socket."""

import contextlib
import gzip
import http.client
import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from demo.content import fill
from demo.git import ENVIRONMENT, commit_of
from demo.projects import find
from tests.support.running import wait_for

TOKEN = "glpat-test"


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    directory = tmp_path_factory.mktemp("demo") / "content"
    fill(directory, large_bytes=1000)
    return directory


@pytest.fixture(scope="module")
def host(content):
    """host:port of a stand-in in a process of its own."""
    command = [sys.executable, "-m", "demo.standin", "--content", content]
    environment = {"GITLAB_TOKEN": TOKEN, "PATH": os.environ["PATH"]}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        yield urlsplit(json.loads(process.stdout.readline())["gitlab"]).netloc
        process.stdin.close()
        process.wait(5)


def run(*arguments, cwd=None):
    return subprocess.run(
        ["git", *arguments], cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=20
    )


@pytest.mark.parametrize("path", ["icarus/pets.git", "icarus/pets", "icarus/prospects.git"])
@pytest.mark.parametrize(
    "options",
    [
        ["-c", "protocol.version=0"],
        ["-c", "protocol.version=1"],
        ["-c", "protocol.version=2"],
        ["--depth=1"],
        ["--filter=blob:none"],
    ],
)
def test_clone(host, tmp_path, path, options):
    url = f"http://oauth2:{TOKEN}@{host}/{path}"
    answer = run("clone", "--quiet", *options, url, tmp_path / "clone")
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "clone" / "README.md").exists()
    assert "warning: filtering not recognized" not in answer.stderr
    if options[0] == "-c":
        assert run("fsck", cwd=tmp_path / "clone").returncode == 0


def test_a_fetch_that_negotiates(host, tmp_path):
    """Sixty commits that only the client has: several requests, gzipped beyond 1,024 bytes."""
    url = f"http://oauth2:{TOKEN}@{host}/icarus/pets.git"
    run("clone", "--quiet", "--branch=v1.0.0", "--single-branch", "--no-tags", url, tmp_path / "c")
    for number in range(60):
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        run(*identity, "commit", "--quiet", "--allow-empty", f"-m{number}", cwd=tmp_path / "c")
    fetch = ("fetch", "--quiet", "origin", "refs/heads/*:refs/remotes/origin/*")
    answer = run(*fetch, cwd=tmp_path / "c")
    assert answer.returncode == 0, answer.stderr
    assert run("log", "origin/main", cwd=tmp_path / "c").stdout.count("commit ") >= 15


def test_push_is_refused(host, tmp_path):
    url = f"http://oauth2:{TOKEN}@{host}/icarus/pets.git"
    run("clone", "--quiet", url, tmp_path / "c")
    answer = run("push", "origin", "HEAD:refs/heads/new", cwd=tmp_path / "c")
    assert "remote: You are not allowed to push code to this project." in answer.stderr


BASIC = "Basic b2F1dGgyOmdscGF0LXRlc3Q="  # oauth2:glpat-test
UPLOAD_PACK = "application/x-git-upload-pack-request"
ADVERTISEMENT = "info/refs?service=git-upload-pack"


@pytest.mark.parametrize(
    ("method", "path", "authorization", "status"),
    [
        ("GET", f"icarus/pets.git/{ADVERTISEMENT}", BASIC, 200),
        ("GET", f"icarus/pets.git/{ADVERTISEMENT}", "", 401),
        ("GET", f"icarus/pets.git/{ADVERTISEMENT}", "Basic b2F1dGgyOndyb25n", 401),
        ("GET", f"icarus/pets.git/{ADVERTISEMENT}", "Basic *", 401),
        ("GET", f"icarus/none.git/{ADVERTISEMENT}", "", 401),
        ("GET", f"icarus/none.git/{ADVERTISEMENT}", BASIC, 404),
        ("GET", "icarus/pets.git/info/refs", BASIC, 403),
        ("HEAD", f"icarus/pets.git/{ADVERTISEMENT}", BASIC, 403),
        ("POST", "icarus/pets.git/git-upload-pack", "", 401),
        ("POST", "icarus/pets.git/git-receive-pack", BASIC, 403),
    ],
)
def test_answers(host, method, path, authorization, status):
    body = b"0000" if method == "POST" else None
    answer, text = ask(host, method, path, body, {"Authorization": authorization})
    assert answer.status == status
    assert answer.headers["WWW-Authenticate"] == ('Basic realm="GitLab"' if status == 401 else None)
    if status == 200:
        assert answer.headers["Cache-Control"] == "no-cache, max-age=0, must-revalidate"
        assert text.startswith(b"001e# service=git-upload-pack\n0000")


def ask(host, method, path, body=None, headers=None):
    """One request; the answer and its body."""
    with contextlib.closing(http.client.HTTPConnection(host, timeout=5)) as connection:
        connection.request(method, f"/{path}", body, headers or {})
        answer = connection.getresponse()
        return answer, answer.read()


def wanting(commit):
    """A request of protocol version 0 for all of a commit."""
    return f"0032want {commit}\n00000009done\n".encode()


@pytest.mark.parametrize(
    ("encode", "headers"),
    [
        (bytes, {}),
        (gzip.compress, {"Content-Encoding": "gzip"}),
        (lambda body: iter([body[:20], body[20:]]), {}),  # chunked
        (lambda body: iter([gzip.compress(body)]), {"Content-Encoding": "gzip"}),
    ],
)
def test_request_bodies(host, content, encode, headers):
    commit = commit_of(find(content, "icarus/pets").repository, "v2.1.0")
    headers = headers | {"Authorization": BASIC, "Content-Type": UPLOAD_PACK}
    path = "icarus/pets.git/git-upload-pack"
    answer, text = ask(host, "POST", path, encode(wanting(commit)), headers)
    assert answer.status == 200
    assert text.startswith(b"0008NAK\nPACK")


def test_a_client_that_leaves_takes_its_git_along(host, content):
    repository = find(content, "icarus/prospects").repository
    noise = io.BytesIO(b"commit refs/large/one\ncommitter A <a@example.org> 0 +0000\ndata 0\n")
    noise.seek(0, io.SEEK_END)
    size = 24 * 1024 * 1024
    noise.write(b"M 644 inline noise\ndata %d\n" % size + os.urandom(size) + b"\n")
    command = ["git", "fast-import", "--quiet"]
    subprocess.run(command, input=noise.getvalue(), cwd=repository, env=ENVIRONMENT, check=True)
    with socket.create_connection(host.split(":"), 5) as client:
        body = wanting(commit_of(repository, "refs/large/one"))
        client.sendall(
            f"POST /icarus/prospects.git/git-upload-pack HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: {BASIC}\r\nContent-Type: {UPLOAD_PACK}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
        assert backends(content)
    wait_for(lambda: not backends(content))


def backends(content):
    """The processes whose environment names this folder as git's root."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"GIT_PROJECT_ROOT={content}".encode() in (process / "environ").read_bytes():
                found.append(process.name)
    return found
