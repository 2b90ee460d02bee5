"""ETags of files whose SHA-256 GitLab names, against upstreams that know another ETag or none."""

import hashlib
import time

import pytest

from portal.http.validators import checksum_tag, file_caching, is_strong, names_tag
from tests.support.gitlab.registry import Registry
from tests.support.running import ask

OLD, NEW = b"old" * 1000, b"new" * 1000
ADDRESS = "/downloads/pets/v1/tool.bin"
COUNTER = iter(range(10**6))

# What upstreams say of one file, besides Last-Modified.
STORES = {
    "a strong ETag": {},
    "a weak ETag": {"tag": lambda _, content: f'W/"{len(content)}"'},
    "another ETag each time": {"tag": lambda *_: f'"{next(COUNTER)}"'},
    "no ETag": {"tag": lambda *_: None},
    "nothing": {"tag": lambda *_: None, "fields": {"Last_Modified": None}},
    "a file of just now": {"age": 0},
    "a checksum": {"age": 0, "fields": {"X_Checksum_SHA256": hashlib.sha256(OLD).hexdigest()}},
}


def tag_of(content):
    return checksum_tag(hashlib.sha256(content).hexdigest())


@pytest.fixture
def registry():
    with Registry(tool__bin=OLD) as registry:
        yield registry


@pytest.fixture
def portal(registry, start_portal):
    """A portal that knows the checksum, which it asks for after the list."""
    with start_portal(gitlab=registry.url, asset_host="") as portal:
        until = time.monotonic() + 20
        while not any(path.endswith("package_files") for _, path, _ in registry.requests):
            assert time.monotonic() < until
            time.sleep(0.05)
        until = time.monotonic() + 20
        while ask(portal.url + ADDRESS, "198.51.100.9", "HEAD")[1].get("etag") != tag_of(OLD):
            assert time.monotonic() < until
            time.sleep(0.05)
        yield portal


@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_what_is_asked_again_is_answered_by_the_checksum(registry, portal, clients, store):
    for name, value in store.items():
        setattr(registry, name, value)
    client, url = clients.new(), portal.url + ADDRESS
    status, headers, body = ask(url, client)
    assert (status, body, headers["etag"]) == (200, OLD, tag_of(OLD))
    for asked in (tag_of(OLD), f'"other", W/{tag_of(OLD)}', "*"):
        status, headers, body = ask(url, client, If_None_Match=asked)
        assert (status, headers.get("etag"), body) == (304, tag_of(OLD), b"")
        assert headers["cache-control"] == "private, no-cache"
        assert "content-length" not in headers or headers["content-length"] == str(len(OLD))
    assert ask(url, client, "HEAD", If_None_Match=tag_of(OLD))[0] == 304
    assert ask(url, client, If_Match=f"{tag_of(OLD)}")[0] == 200
    assert ask(url, client, If_Match=f"W/{tag_of(OLD)}")[0] == 412
    assert portal.count("downloads", client) == 2


@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_a_resume_goes_on_where_the_file_is_the_same(registry, portal, clients, store):
    for name, value in store.items():
        setattr(registry, name, value)
    client, url = clients.new(), portal.url + ADDRESS
    fields = {"Range": "bytes=1000-", "If_Range": tag_of(OLD)}
    status, headers, body = ask(url, client, **fields)
    assert (status, body, headers["etag"]) == (206, OLD[1000:], tag_of(OLD))
    assert headers["content-range"] == "bytes 1000-2999/3000"
    registry.files["tool.bin"] = NEW
    registry.age = 0
    if "X_Checksum_SHA256" in registry.fields:
        registry.fields = {"X_Checksum_SHA256": hashlib.sha256(NEW).hexdigest()}
    status, headers, body = ask(url, client, **fields)
    assert (status, body, headers["etag"]) == (200, NEW, tag_of(NEW))
    status, _, body = ask(url, client, Range="bytes=1000-", If_Range=tag_of(NEW))
    assert (status, body) == (206, NEW[1000:])
    assert ask(url, client, If_None_Match=tag_of(OLD))[2] == NEW


def test_asking_again_costs_the_upstream_no_bytes(registry, portal, clients):
    client, url = clients.new(), portal.url + ADDRESS
    ask(url, client)
    ask(url, client, If_None_Match=tag_of(OLD))
    assert registry.asked("tool.bin")[-1]["if-none-match"] == registry.tag("tool.bin", OLD)


def test_the_upstreams_own_tag_is_still_good(registry, portal, clients):
    """Of a client that came before the checksum was known."""
    client, url, theirs = clients.new(), portal.url + ADDRESS, registry.tag("tool.bin", OLD)
    status, headers, _ = ask(url, client, If_None_Match=theirs)
    assert (status, headers["etag"]) == (304, theirs)
    status, headers, body = ask(url, client, Range="bytes=1000-", If_Range=theirs)
    assert (status, headers["etag"], body) == (206, theirs, OLD[1000:])
    assert ask(url, client, Range="bytes=1000-", If_Range='"other"')[0] == 200
    assert ask(url, client, Range="bytes=1000-", If_Range="Thu, 01 Jan 1970 00:00:00 GMT")[0] == 200


def test_without_its_list_the_registry_is_believed_in_nothing(registry, portal, clients):
    """The file may be another: its own ETag is given, and ours is not confirmed."""
    client, url = clients.new(), portal.url + ADDRESS
    registry.lists, registry.age, registry.files["tool.bin"] = False, 0, NEW
    status, headers, body = ask(url, client, If_None_Match=tag_of(OLD))
    assert (status, body, headers["etag"]) == (200, NEW, registry.tag("tool.bin", NEW))
    registry.lists = True


@pytest.mark.parametrize("asked", ["bytes=0-9", "bytes=10-", "bytes=9999-", "bytes=-5"])
def test_head_knows_no_ranges(portal, clients, asked):
    status, headers, _ = ask(portal.url + ADDRESS, clients.new(), "HEAD", Range=asked)
    assert (status, headers["content-length"]) == (200, str(len(OLD)))
    assert "content-range" not in headers


@pytest.mark.parametrize(
    ("upstream", "ours"),
    [
        ("", "private, no-cache"),
        ("public, max-age=31536000, immutable", "private, no-cache"),
        ("max-age=0, private, must-revalidate", "private, no-cache"),
        ('private="X-A", no-cache="Set-Cookie"', "private, no-cache"),
        ("No-Store", "private, no-cache, no-store"),
        ("no-transform,max-age=5", "private, no-cache, no-transform"),
        ('x="no-store, no-transform"', "private, no-cache"),
        ("x=no-store", "private, no-cache"),
        (",,= ;\x7f", "private, no-cache"),
    ],
)
def test_caching_is_ours_or_stricter(upstream, ours):
    assert file_caching(upstream) == ours


@pytest.mark.parametrize(
    ("field", "weak", "strong"),
    [
        ('"a"', True, True),
        ('W/"a"', True, False),
        ('"b", "a"', True, True),
        ('"b","c"', False, False),
        ("*", True, True),
        ("", False, False),
        ('"a', False, False),
        ("a", False, False),
        ('"x"a"', False, False),
        ('"b, \\"a"', False, False),
    ],
)
def test_lists_of_tags(field, weak, strong):
    assert names_tag(field, '"a"', weak=True) is weak
    assert names_tag(field, '"a"', weak=False) is strong


@pytest.mark.parametrize(
    ("tag", "strong"), [('"a"', True), ('W/"a"', False), ("a", False), ("", False), ('"a" ', False)]
)
def test_strength(tag, strong):
    assert is_strong(tag) is strong
