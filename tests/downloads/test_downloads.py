"""Downloads through a real portal: what arrives, what it says, and what is counted."""

import hashlib
import re
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from handlers.downloads import content_disposition
from portal.http.client import ip_hash
from tests.support.files import BIG, SMALL
from tests.support.running import ask, begin, curl, wait_for


@pytest.fixture(scope="module")
def sums(portal):
    """The SHA-256 of each asset of v2.1.0, from the release's own list."""
    lines = ask(portal.url + SMALL)[2].decode().splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


@pytest.mark.parametrize(
    "name",
    [
        "pets-2.1.0-windows.zip",
        "pets-linux.tar.gz",
        "pets-2.1.0-soak.bin",
        "Mount guide.txt",
        "Führer für Größen 騎獣.txt",
        "100%-tame.zip",
    ],
)
def test_a_file_arrives_whole_and_under_its_name(portal, sums, clients, name):
    client = clients.new()
    url = f"{portal.url}/downloads/pets/v2.1.0/{quote(name)}"
    status, headers, body = ask(url, client)
    assert status == 200
    assert hashlib.sha256(body).hexdigest() == sums[name]
    assert int(headers["content-length"]) == len(body)
    assert headers["x-content-type-options"] == "nosniff"
    assert f"filename*=UTF-8''{quote(name, safe='')}" in headers["content-disposition"]
    assert portal.rows(
        "select project, version, asset, user_agent like 'curl/%' from downloads where ip_hash = ?",
        ip_hash(client, ""),
    ) == [("pets", "v2.1.0", name, 1)]


@pytest.mark.parametrize("tag", ["release/2.1", "release%2F2.1", "release%2f2.1"])
def test_a_slash_in_a_tag_works_both_ways(portal, clients, tag):
    client = clients.new()
    assert ask(f"{portal.url}/downloads/pets/{tag}/pets-2.1-preview.zip", client)[0] == 200
    statement = "select version from downloads where ip_hash = ?"
    assert portal.rows(statement, ip_hash(client, "")) == [("release/2.1",)]


@pytest.mark.parametrize("form", ["tar.gz", "zip", "tar.bz2", "tar"])
def test_source_archives_count_like_assets(portal, clients, form):
    client = clients.new()
    name = f"pets-v2.1.0.{form}"
    _, headers, body = ask(f"{portal.url}/downloads/pets/v2.1.0/{name}", client)
    assert len(body) > 1000
    assert headers["cache-control"] == "private, no-cache"
    statement = "select asset from downloads where ip_hash = ?"
    assert portal.rows(statement, ip_hash(client, "")) == [(name,)]


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("pets-2.1.0.zip", "pets-2.1.0.zip"),
        ("Mount guide.txt", "Mount guide.txt"),
        ("\u65e5\u672c.zip", "%E6%97%A5%E6%9C%AC.zip"),
        ("\u4e2d\u56fd.zip", "%E4%B8%AD%E5%9B%BD.zip"),
        ("F\u00fchrer.txt", "F%C3%BChrer.txt"),
        ("100%-tame.zip", "100%25-tame.zip"),
        ('a"b\\c', "a%22b%5Cc"),
    ],
)
def test_names_differ_for_clients_that_read_only_the_old_parameter(name, plain):
    expected = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    assert content_disposition(name) == expected


def test_a_name_that_gets_too_long_by_its_encoding_is_shortened_to_one_of_its_own():
    plain = [
        re.search('filename="([^"]*)"', content_disposition(f"{letter * 85}.tar.gz"))[1]
        for letter in "\u65e5\u672c"
    ]
    assert len({*plain}) == 2
    assert all(len(name) < 64 and name.endswith(".gz") for name in plain)


def test_latest_is_the_newest_stable_release(portal, clients):
    client = clients.new()
    status, headers, _ = ask(f"{portal.url}/downloads/pets/latest/SHA256SUMS", client)
    assert (status, headers["location"]) == (302, SMALL)
    assert portal.count("downloads", client) == 0


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/downloads/cats", 'There is no project "cats".'),
        ("/downloads/cats/v1/x", 'There is no project "cats".'),
        ("/downloads/pets/v9/x.zip", 'Pets has no release "v9".'),
        ("/downloads/pets/v2.1.0/nothing.zip", 'has no file "nothing.zip".'),
        ("/downloads/pets/latest/nothing.zip", "Release v2.1.0 of Pets has no file"),
        ("/downloads/pets/v2.1.0/<b>", 'has no file "<b>".'),
        ("/downloads/pets/v2.1.0/..%2f..%2fetc%2fpasswd", "has no file"),
        ("/nothing/at/all", "There is no such page."),
    ],
)
def test_what_is_not_there(portal, clients, path, sentence):
    client = clients.new()
    status, headers, body = ask(portal.url + path, client)
    assert (status, headers["content-type"]) == (404, "text/plain; charset=UTF-8")
    assert sentence in body.decode()
    status, headers, body = ask(portal.url + path, client, Accept="text/html,*/*;q=0.8")
    assert (status, headers["content-type"]) == (404, "text/html; charset=UTF-8")
    assert b"<h1" in body
    assert b"<b>" not in body
    assert b'"error"' in ask(portal.url + path, client, Accept="application/json")[2]
    assert portal.count("downloads", client) == 0


@pytest.mark.parametrize(
    ("version", "anchor"),
    [
        ("release/2.1", "release-release_2F2.1"),
        ("release%2F2.1", "release-release_2F2.1"),
        ("v2.1.0", "release-v2.1.0"),
        ("latest", "release-v2.1.0"),
    ],
)
def test_a_version_alone_leads_to_its_place_on_the_page(portal, version, anchor):
    address = f"{portal.url}/downloads/pets/{version}"
    status, headers, _ = ask(address, Accept="text/html")
    assert (status, headers["location"]) == (302, f"/downloads/pets#{anchor}")
    status, headers, body = ask(address)  # curl's own Accept
    assert (status, headers["content-type"]) == (200, "text/plain; charset=UTF-8")
    assert f"{portal.url}/downloads/pets/" in body.decode()


def test_conditional_requests(portal, clients):
    client = clients.new()
    _, headers, body = ask(portal.url + SMALL, client)
    etag = headers["etag"]
    assert ask(portal.url + SMALL, client, If_None_Match=etag)[0] == 304
    assert ask(portal.url + SMALL, client, If_Match='"other"')[0] == 412
    assert portal.count("downloads", client) == 1
    status, headers, part = ask(portal.url + SMALL, client, Range="bytes=10-", If_Range=etag)
    assert (status, part) == (206, body[10:])
    assert headers["content-range"] == f"bytes 10-{len(body) - 1}/{len(body)}"
    status, _, whole = ask(portal.url + SMALL, client, Range="bytes=10-", If_Range='"other"')
    assert (status, whole) == (200, body)
    assert portal.count("downloads", client) == 1


def test_head_is_the_get_without_its_body(portal):
    got, asked = ask(portal.url + BIG, method="HEAD"), ask(portal.url + BIG)
    assert (got[0], got[2]) == (200, b"")
    for name in ("content-length", "content-type", "content-disposition", "etag"):
        assert got[1][name] == asked[1][name]


@pytest.mark.parametrize("more", [b"", b"\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_a_client_that_leaves_ends_its_transfer(portal, standin, clients, more):
    """The connection to the stand-in is closed soon after the client's: within a second, which a
    loaded machine cannot be held to."""
    client = clients.new()
    with begin(portal, BIG, client) as connection:
        connection.sendall(more)
        assert portal.count("downloads", client) == 1
        wait_for(lambda: connections(portal, standin) > 0)
    wait_for(lambda: connections(portal, standin) == 0)


def connections(portal, standin):
    """How many of the portal's connections to the object store carry bytes that wait."""
    port = int(standin["objects"].rsplit(":", 1)[1])
    count = 0
    with Path("/proc/net/tcp").open(encoding="ascii") as table:
        for line in list(table)[1:]:
            _, local, remote, state, queues, *_ = line.split()
            if state == "01" and port in (int(local[9:], 16), int(remote[9:], 16)):
                count += any(int(queue, 16) for queue in queues.split(":"))
    return count


def test_http_1_0_sees_the_end_of_a_file_without_a_length(portal, clients):
    """The first copy of an archive has no length; a keep-alive client would wait for ever."""
    for form in ("zip", "tar"):
        url = f"{portal.url}/downloads/prospects/v1.1.1/prospects-v1.1.1.{form}"
        fields = ("-H", "Connection: keep-alive")
        body = curl("-0", "--max-time", "5", *fields, url, client=clients.new())
        assert len(body) > 1000


def test_a_user_agent_is_kept_as_it_was_sent(portal, clients):
    client = clients.new()
    ask(portal.url + SMALL, client, User_Agent="Größe 騎獣")
    statement = "select user_agent from downloads where ip_hash = ?"
    assert portal.rows(statement, ip_hash(client, "")) == [("Größe 騎獣",)]


def test_beyond_the_limit_is_503(start_portal, clients):
    with start_portal(transfers=1) as portal:
        with begin(portal, BIG):
            client = clients.new()
            status, headers, body = ask(portal.url + SMALL, client)
            assert (status, headers["retry-after"]) == (503, "15")
            assert b"slots are taken" in body
            assert portal.count("downloads", client) == 0
            assert ask(portal.url + "/downloads/pets")[0] == 200
        for _ in range(50):
            if ask(portal.url + SMALL, client)[0] == 200:
                break
            time.sleep(0.02)
        assert portal.count("downloads", client) == 1
