"""The addresses and services that git clients ask for, however they are written."""

import subprocess

import pytest

from portal.http.client import ip_hash
from portal.http.pktline import encode
from tests.support.gitlab.faulty import ADVERTISEMENT, FaultyGitLab, _head
from tests.support.programs import needs
from tests.support.running import ask, curl, git, parsed
from tests.support.wire import exchange

SERVICE = "/info/refs?service="
REFS = f"{SERVICE}git-upload-pack"
# Whatever stands before /info/refs and /git-upload-pack.
WRITTEN = (
    "/pets.git",
    "/pets",
    "/pets.git/",
    "/pets/",
    "//pets.git",
    "/Pets.git",
    "/PETS",
    "/pets.GIT",
)
LS_REFS = encode(b"command=ls-refs\n") + b"0001" + encode(b"ref-prefix HEAD\n") + b"0000"


@pytest.mark.parametrize("address", WRITTEN)
def test_every_way_to_write_an_address_is_cloned(portal, clients, tmp_path, address):
    client = clients.new()
    status, output = git("clone", portal.url + address, tmp_path / "x", client=client)
    assert status == 0, output
    assert (tmp_path / "x/README.md").exists()
    projects = "select project from clones where ip_hash = ?"
    assert portal.rows(projects, ip_hash(client, "")) == [("pets",)]


@pytest.mark.parametrize("address", WRITTEN)
def test_a_client_posts_where_it_asked(portal, clients, address):
    """As isomorphic-git does, even after a redirect; JGit follows an absolute address only."""
    client = clients.new()
    status, headers, _ = ask(portal.url + address + REFS, client, Git_Protocol="version=2")
    if address != "/pets.git":
        assert (status, headers["location"]) == (301, f"{portal.url}/pets.git{REFS}")
        assert portal.count("clones", client) == 0
        status, headers, _ = ask(headers["location"], client, Git_Protocol="version=2")
    assert (status, headers["content-type"]) == (200, ADVERTISEMENT)
    kind = "application/x-git-upload-pack-request"
    fields = ("-H", f"Content-Type: {kind}", "-H", "Git-Protocol: version=2")
    url = f"{portal.url}{address}/git-upload-pack"
    status, headers, body = parsed(
        curl("-D", "-", *fields, "--data-binary", LS_REFS.decode(), url, client=client)
    )
    assert (status, headers["content-type"]) == (200, "application/x-git-upload-pack-result")
    assert body.endswith(b"0000")
    assert b" HEAD" in body
    assert portal.count("clones", client) == 1


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/cats.git", 'There is no project "cats".'),
        ("/pet.git", "Clone {url}/pets.git instead."),
        ("/pet", "Clone {url}/pets.git instead."),
        ("/icarus/pets.git", "Clone {url}/pets.git instead."),
        ("/ICARUS/Pets", "Clone {url}/pets.git instead."),
        ("/git/icarus/pets.git", "Clone {url}/pets.git instead."),
        ("/downloads/pets", "Clone {url}/pets.git instead."),
        ("/wholly/other.git", "Clone {url}/pets.git or {url}/prospects.git instead."),
    ],
)
def test_what_is_not_there_says_what_to_clone(portal, clients, tmp_path, address, words):
    client = clients.new()
    status, output = git("clone", portal.url + address, tmp_path / "x", client=client)
    assert status != 0
    assert "remote: " + words.format(url=portal.url) in output
    assert "Username" not in output
    assert portal.count("clones", client) == 0


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ("git-receive-pack", b"clone and fetch only"),
        ("git-upload-archive", b"does not serve git archive --remote"),
        ("git-upload-pack2", b"no such service"),
        ("GIT-UPLOAD-PACK", b"no such service"),
        ("", b"smart HTTP protocol only"),
    ],
)
@pytest.mark.parametrize("address", WRITTEN)
def test_other_services_are_refused_in_words_and_are_no_rows(
    portal, clients, address, service, words
):
    client = clients.new()
    status, headers, body = ask(portal.url + address + SERVICE + service, client)
    assert (status, headers["content-type"]) == (403, "text/plain; charset=UTF-8")
    assert words in body
    if service in ("git-receive-pack", "git-upload-archive"):
        status, _, body = ask(f"{portal.url}{address}/{service}", client, "POST")
        assert status == 403
        assert words in body
    assert portal.count("clones", client) == 0


@pytest.mark.parametrize("address", ["/pets.git", "/pets"])
def test_git_archive_ends_in_words(portal, clients, address):
    """git before 2.45 does not even ask over HTTP."""
    client = clients.new()
    status, output = git("archive", f"--remote={portal.url}{address}", "HEAD", client=client)
    assert status != 0
    assert "not supported by protocol" in output or "git archive --remote" in output
    assert portal.count("clones", client) == 0


@pytest.mark.parametrize(
    "content_type",
    [
        f"{ADVERTISEMENT}; charset=utf-8",
        f"{ADVERTISEMENT};charset=UTF-8",
        f"{ADVERTISEMENT} ; x=y",
        ADVERTISEMENT.upper(),
    ],
)
def test_a_parameter_of_the_content_type_is_no_fault(start_portal, content_type):
    """The client gets the bare type, which is all that JGit takes."""
    body = encode(b"# service=git-upload-pack\n") + b"0000" + encode(b"version 2\n") + b"0000"
    files = {"refs": _head(200, body, Content_Type=content_type)}
    with FaultyGitLab(files=files) as gitlab, start_portal(gitlab=gitlab.url) as portal:
        status, headers, answer = ask(f"{portal.url}/pets.git{REFS}")
        assert (status, headers["content-type"], answer) == (200, ADVERTISEMENT, body)


@pytest.mark.parametrize(("after", "seconds"), [("7", "7"), ("", "30"), ("nonsense", "30")])
def test_a_throttle_reaches_git_as_429(start_portal, after, seconds):
    """git 2.54 tries again after a 429, and after nothing else."""
    refusal = _head(429, b"Retry later", Content_Type="text/plain", Retry_After=after)
    files = {"refs": refusal, "git-upload-pack": refusal}
    with FaultyGitLab(files=files) as gitlab, start_portal(gitlab=gitlab.url) as portal:
        for path, more in ((REFS, ()), ("/git-upload-pack", ("--data-binary", "0000"))):
            status, headers, body = parsed(curl("-D", "-", *more, f"{portal.url}/pets.git{path}"))
            assert (status, headers["retry-after"]) == (429, seconds)
            assert headers["content-type"] == "text/plain; charset=UTF-8"
            assert b"busy" in body


@pytest.mark.parametrize("keep", ["", "Connection: keep-alive\r\n"])
def test_http_1_0_is_told_the_truth_about_its_connection(portal, keep):
    """An answer without a length ends with its connection, whatever was asked; others need not."""
    head = f"HTTP/1.0\r\nHost: x\r\n{keep}"
    answer = exchange(portal, f"GET /pets.git{REFS} {head}\r\n")
    fields, _, body = answer.partition(b"\r\n\r\n")
    assert fields.startswith(b"HTTP/1.1 200")
    assert b"chunked" not in fields.lower()
    assert body.endswith(b"0000")
    if b"content-length" not in fields.lower():
        assert b"connection: close" in fields.lower()
        assert b"keep-alive" not in fields.lower()
    twice = f"GET /pets.git{SERVICE}x {head}\r\n" * 2
    answer = exchange(portal, twice, seconds=2)
    assert answer.count(b"no such service") == (2 if keep else 1)


@needs("curl")
def test_http_1_0_clients_get_a_whole_pack(portal, tmp_path):
    """A clone through a proxy that speaks HTTP/1.0 to the portal, as nginx does by itself."""
    repository = tmp_path / "x.git"
    subprocess.run(["git", "init", "-q", "--bare", repository], check=True)
    refs = curl("-0", f"{portal.url}/pets.git{REFS}").decode(errors="replace")
    want = next(line for line in refs.splitlines() if "refs/heads/main" in line).split()[0][-40:]
    wants = encode(f"want {want}\n".encode()) + b"0000" + encode(b"done\n")
    fields = ("-H", "Content-Type: application/x-git-upload-pack-request")
    pack = curl(
        *("-0", "-H", "Connection: keep-alive", "--max-time", "20", *fields),
        *("--data-binary", wants.decode(), f"{portal.url}/pets.git/git-upload-pack"),
    )
    assert pack.startswith(b"0008NAK\nPACK")
    command = ["git", "index-pack", "--stdin", "--fix-thin"]
    done = subprocess.run(command, input=pack[8:], cwd=repository, capture_output=True)
    assert done.returncode == 0, done.stderr
