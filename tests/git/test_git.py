"""Real git through a real portal: what arrives, what it says, and what is counted."""

import os
import socket
import subprocess
import time

import pytest

from portal.http.client import ip_hash
from tests.support.gitlab.faulty import FaultyGitLab
from tests.support.programs import needs
from tests.support.running import ask, begin, curl, git, parsed

REFS = "/info/refs?service=git-upload-pack"


@pytest.fixture
def repository(portal):
    """The address of a repository on the portal."""
    return f"{portal.url}/pets.git"


def head_of(directory):
    """The commit that is checked out."""
    return git("rev-parse", "HEAD", cwd=directory)[1].strip()


@pytest.fixture(scope="module")
def truth(content, tmp_path_factory):
    """A clone made without the portal."""
    directory = tmp_path_factory.mktemp("truth") / "pets"
    source = next((content / "pets").glob("*.git"))
    assert git("clone", "-q", source, directory)[0] == 0
    return directory


@pytest.mark.parametrize("version", [0, 1, 2])
def test_a_clone_is_whole_and_one_row(portal, repository, truth, clients, tmp_path, version):
    client = clients.new()
    options = ("-c", f"protocol.version={version}")
    status, output = git(*options, "clone", repository, tmp_path / "x", client=client)
    assert status == 0, output
    assert head_of(tmp_path / "x") == head_of(truth)
    assert git("fsck", "--strict", cwd=tmp_path / "x")[0] == 0
    rows = portal.rows(
        "select project, user_agent like 'git/%' from clones where ip_hash = ?", ip_hash(client, "")
    )
    assert rows == [("pets", 1)]


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (["--depth=1"], 1),
        (["--depth=3", "--no-single-branch"], 1),
        (["--branch=v2.1.0", "--single-branch"], 1),
        (["--bare"], 1),
        (["--mirror"], 1),
        (["--filter=blob:none"], 2),  # the checkout asks again for what it lacks
        (["--filter=blob:none", "--no-checkout"], 1),
    ],
)
def test_kinds_of_clones(portal, repository, clients, tmp_path, options, rows):
    client = clients.new()
    status, output = git("clone", *options, repository, tmp_path / "x", client=client)
    assert status == 0, output
    assert portal.count("clones", client) == rows


def test_fetches_and_ls_remote_are_rows(portal, repository, truth, clients, tmp_path):
    client = clients.new()
    clone = tmp_path / "x"
    assert git("clone", "-q", "--branch=v2.0.0", repository, clone, client=client)[0] == 0
    for command in (["fetch"], ["fetch", "--tags"], ["ls-remote"], ["fetch", "--unshallow"]):
        git(*command, cwd=clone, client=client)
    assert portal.count("clones", client) == 1 + 3  # --unshallow refuses before it asks
    git("reset", "--hard", "-q", "origin/HEAD", cwd=clone)
    assert head_of(clone) == head_of(truth)


@pytest.mark.parametrize("version", [0, 2])
@pytest.mark.parametrize(
    ("buffer", "header"),
    [(1 << 20, "content-encoding: gzip"), (1 << 16, "transfer-encoding: chunked")],
)
def test_long_negotiations(repository, truth, clients, tmp_path, version, buffer, header):
    """Many unrelated local commits make a long list of haves."""
    clone, trace = tmp_path / "x", tmp_path / "trace"
    git("init", "-q", clone)
    commits = "".join(
        f"commit refs/heads/local{i}\ncommitter a <a@b> {i} +0000\ndata 1\nx\n" for i in range(3000)
    )
    subprocess.run(["git", "fast-import", "--quiet"], input=commits.encode(), cwd=clone, check=True)
    status, output = git(
        *("-c", f"protocol.version={version}", "-c", f"http.postBuffer={buffer}"),
        *("fetch", repository, "HEAD"),
        cwd=clone,
        client=clients.new(),
        GIT_TRACE_CURL=str(trace),
    )
    assert status == 0, output
    assert header in trace.read_text(errors="replace").lower()
    assert git("rev-parse", "FETCH_HEAD", cwd=clone)[1].strip() == head_of(truth)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["push", "{url}/pets.git", "HEAD:refs/heads/x"], "clone and fetch only"),
        (["push", "{url}/pets", "HEAD:refs/heads/x"], "clone and fetch only"),
        (["ls-remote", "{url}/cats.git"], 'There is no project "cats"'),
        (["ls-remote", "{url}/cats"], "not found"),
    ],
)
def test_refusals_in_words_that_git_prints(portal, truth, clients, command, words):
    client = clients.new()
    status, output = git(*(c.format(url=portal.url) for c in command), cwd=truth, client=client)
    assert status != 0
    assert words in output
    assert "Username" not in output
    assert portal.count("clones", client) == 0


def test_dumb_http_is_refused_in_words(portal, clients):
    client = clients.new()
    status, output = git("ls-remote", f"{portal.url}/pets.git", client=client, GIT_SMART_HTTP="0")
    assert status != 0
    assert "smart HTTP protocol only" in output
    assert portal.count("clones", client) == 0


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("HEAD", f"/pets.git{REFS}", 405, b""),
        ("GET", "/pets.git/info/refs", 403, b"smart HTTP"),
        ("GET", "/pets.git/info/refs?service=git-receive-pack", 403, b"clone and fetch only"),
        ("GET", "/pets.git/HEAD", 403, b"smart HTTP"),
        ("GET", "/pets.git/objects/info/packs", 403, b"smart HTTP"),
        ("POST", "/pets.git/git-receive-pack", 403, b"clone and fetch only"),
        ("GET", "/pets.git/git-upload-pack", 405, b""),
        ("POST", "/pets.git/info/lfs/objects/batch", 501, b'"message"'),
        ("GET", "/pets.git", 302, b""),
        ("GET", "/pets", 200, b"Mounts.json"),
        ("GET", "/cats.git/info/refs", 404, b"no project"),
    ],
)
def test_other_requests(portal, method, path, status, words):
    answer = ask(portal.url + path, method=method)
    assert answer[0] == status
    assert words in answer[2]


def test_answers_are_not_cached_and_carry_no_credentials(portal):
    status, headers, body = ask(f"{portal.url}/pets.git{REFS}")
    assert status == 200
    assert body.startswith(b"001e# service=git-upload-pack")
    assert headers["cache-control"] == "private, no-cache"
    assert "www-authenticate" not in headers
    assert "glpat" not in str(headers)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("silent", "takes too long"),
        ("closes", "connection to the upstream server broke"),
        ("garbage", "upstream server"),
        ("401", "does not admit this portal"),
        ("403", "not available here"),
        ("404", "not available here"),
        ("429", "try again in 7 seconds"),
        ("500", "did not answer as a git server"),
        ("503", "try again in 9 seconds"),
        ("moved", "did not answer as a git server"),
        ("html", "did not answer as a git server"),
        ("truncated", "fatal:"),
    ],
)
def test_upstream_faults_reach_the_terminal(start_portal, clients, fault, words):
    with (
        FaultyGitLab(fault) as gitlab,
        start_portal(gitlab=gitlab.url, first_byte_seconds=0.5) as portal,
    ):
        client = clients.new()
        status, output = git("ls-remote", f"{portal.url}/pets.git", client=client)
        assert status != 0
        assert words in output
        assert "Username" not in output
        assert "secret stack trace" not in output
        assert portal.count("clones", client) == 1  # committed before anything goes upstream
        answer = curl("--data-binary", "0000", f"{portal.url}/pets.git/git-upload-pack")
        assert answer[4:8] == b"ERR " or fault == "429"


def test_upstream_down(start_portal, clients):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with start_portal(gitlab=url) as portal:
            status, output = git("clone", f"{portal.url}/pets.git", client=clients.new())
            assert status != 0
            assert "cannot be reached" in output


def test_out_of_slots(start_portal, clients):
    large = "/downloads/pets/v2.1.0/pets-2.1.0-soak.bin"
    with start_portal(transfers=1) as portal, begin(portal, large):
        status, output = git("ls-remote", f"{portal.url}/pets.git", client=clients.new())
        assert status != 0
        assert "slots are taken" in output
        for path in (REFS, "/git-upload-pack"):
            more = () if path == REFS else ("--data-binary", "0000")
            status, headers, body = parsed(curl("-D", "-", *more, f"{portal.url}/pets.git{path}"))
            assert (status, headers["retry-after"]) == (429, "15")
            assert b"slots are taken" in body


def test_a_client_that_sends_no_more_is_let_go(start_portal):
    with start_portal(transfers=1, client_stall_seconds=0.5) as portal:
        with socket.create_connection(("127.0.0.1", portal.port)) as connection:
            connection.sendall(
                b"POST /pets.git/git-upload-pack HTTP/1.1\r\nHost: x\r\n"
                b"Content-Length: 1000000\r\n\r\n0032want"
            )
            connection.settimeout(5)
            assert connection.recv(100) == b""
        assert git("ls-remote", f"{portal.url}/pets.git")[0] == 0


def test_a_client_that_leaves_in_the_middle_of_its_body_gives_its_slot_back(start_portal):
    with start_portal(transfers=1) as portal:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", portal.port)) as connection:
                connection.sendall(
                    b"POST /pets.git/git-upload-pack HTTP/1.1\r\nHost: x\r\n"
                    b"Content-Type: application/x-git-upload-pack-request\r\n"
                    b"Content-Length: 1000000\r\n\r\n0032want"
                )
        until = time.monotonic() + 5
        while git("ls-remote", f"{portal.url}/pets.git")[0] and time.monotonic() < until:
            time.sleep(0.05)
        assert time.monotonic() < until


@needs("git-lfs")
def test_lfs_is_refused_in_words(portal, tmp_path):
    clone = tmp_path / "x"
    git("clone", "-q", f"{portal.url}/pets.git", clone)
    (clone / ".gitattributes").write_text("*.bin filter=lfs\n")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 1\n"
    (clone / "a.bin").write_text(pointer)
    environ = {"GIT_LFS_SKIP_SMUDGE": "1", "HOME": os.fspath(tmp_path)}
    git("lfs", "install", "--local", cwd=clone, **environ)
    git("-c", "user.name=a", "-c", "user.email=a@b", "add", "-A", cwd=clone, **environ)
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x", cwd=clone, **environ)
    _, output = git("lfs", "fetch", "--all", cwd=clone, **environ)
    assert "does not serve Git LFS" in output
