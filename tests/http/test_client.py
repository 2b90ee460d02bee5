"""Who the client is, and that it cannot be told from what is kept."""

import hashlib
import time
from ipaddress import ip_network

import pytest

from portal.http.client import client_address, ip_hash
from portal.process.logs import redact
from tests.support.running import TOKEN, ask

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),  # an untrusted peer is not believed
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("::1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),  # the left can be made up
        ("10.0.0.1", ["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, 10.9.9.9"], "198.51.100.7"),
        ("10.0.0.1", ["10.9.9.9"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7, 10.9.9.9, "], "198.51.100.7"),
        ("10.0.0.1", ["2001:DB8:0:0::1"], "2001:db8::1"),
        ("10.0.0.1", ["::ffff:198.51.100.7"], "198.51.100.7"),
        ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("::ffff:192.0.2.1", [], "192.0.2.1"),
        ("fe80::1%eth0", [], "fe80::1"),
        ("", [], ""),
    ],
)
def test_client_address(peer, forwarded, expected):
    assert client_address(peer, forwarded, TRUSTED) == expected


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        ("X-Forwarded-For", "198.51.100.7:50123", "198.51.100.7"),  # Azure's Application Gateway
        ("X-Forwarded-For", "[2001:db8::7]:50123", "2001:db8::7"),  # Azure, AWS
        ("X-Forwarded-For", "[2001:db8::7]", "2001:db8::7"),
        ("X-Forwarded-For", "2001:db8::7", "2001:db8::7"),  # nginx, HAProxy
        ("X-Forwarded-For", "fe80::7%eth0", "fe80::7"),
        ("X-Forwarded-For", "[fe80::7%25eth0]:1", "fe80::7"),
        ("X-Forwarded-For", "[::ffff:198.51.100.7]:1", "198.51.100.7"),
        ("X-Forwarded-For", "198.51.100.7,", "198.51.100.7"),
        ("X-Forwarded-For", "198.51.100.7 , ,, 10.9.9.9:80 ,", "198.51.100.7"),
        ("X-Forwarded-For", '"198.51.100.7:1"', "198.51.100.7"),
        ("X-Forwarded-For", "203.0.113.1:1, 198.51.100.7:2, 10.0.0.9:3", "198.51.100.7"),
        ("X-Forwarded-For", ",", "10.0.0.1"),
        ("X-Forwarded-For", "198.51.100.7, unknown", None),
        ("X-Forwarded-For", "198.51.100.7:port", None),
        ("X-Forwarded-For", "198.51.100.7:", None),
        ("X-Forwarded-For", "198.51.100.777", None),
        ("X-Forwarded-For", "[2001:db8::7", None),
        ("X-Forwarded-For", "example.com:80", None),
        ("X-Forwarded-For", "for=198.51.100.7", None),
        ("Forwarded", "for=198.51.100.7", "198.51.100.7"),
        ("Forwarded", 'For="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ("forwarded", "for=198.51.100.7;proto=http;by=203.0.113.43", "198.51.100.7"),
        ("Forwarded", "proto=http; for=198.51.100.7:80", "198.51.100.7"),
        ("Forwarded", "for=203.0.113.1, for=198.51.100.7, for=10.9.9.9", "198.51.100.7"),
        ("Forwarded", 'for=203.0.113.1, for=198.51.100.7;host="a,for=203.0.113.9"', "198.51.100.7"),
        ("Forwarded", "for=198.51.100.7,", "198.51.100.7"),
        ("Forwarded", "for=unknown", None),
        ("Forwarded", "for=_hidden", None),
        ("Forwarded", "proto=https", None),
        ("Forwarded", "198.51.100.7", None),
    ],
)
def test_what_proxies_write(header, value, expected):
    unreadable = []
    found = client_address("10.0.0.1", [value], TRUSTED, header, lambda: unreadable.append(1))
    assert (found, len(unreadable)) == (expected or "10.0.0.1", expected is None)


def test_what_cannot_be_read_is_said_once_and_counted(start_portal):
    with start_portal() as portal:
        for _ in range(3):
            assert (
                ask(
                    f"{portal.url}/pets.git/info/refs?service=git-upload-pack", "198.51.100.7 or so"
                )[0]
                == 200
            )
        until = time.monotonic() + 10
        line = "portal_unreadable_clients_total 3.0"
        url = f"{portal.url}/metrics?format=prometheus&token={TOKEN}"
        while line not in ask(url)[2].decode():
            assert time.monotonic() < until
            time.sleep(0.2)
        assert portal.log().count("X-Forwarded-For has no readable address") == 1
        assert "198.51.100.7" not in portal.log()


def test_forwarded_can_be_named_as_the_header(start_portal):
    with start_portal() as portal:
        portal.stop()
        portal.config.write_text(
            portal.config.read_text().replace("[limits]", 'client_header = "Forwarded"\n[limits]')
        )
        portal.write_config = lambda: None
        portal.start()
        value = 'for="[2001:db8::7]:1";proto=https'
        assert (
            ask(f"{portal.url}/pets.git/info/refs?service=git-upload-pack", Forwarded=value)[0]
            == 200
        )
        rows = portal.rows("select ip_hash from clones")
        assert rows == [(ip_hash("2001:db8::7", ""),)]


def test_hash_is_the_specified_one_without_a_key():
    assert ip_hash("192.0.2.1", "") == hashlib.sha256(b"192.0.2.1").hexdigest()


def test_hash_with_a_key_cannot_be_reversed_by_trying_addresses():
    plain, keyed, other = (ip_hash("192.0.2.1", key) for key in ("", "key", "other"))
    assert len({plain, keyed, other}) == 3
    assert all(len(value) == 64 for value in (plain, keyed, other))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Malformed HTTP message from 192.0.2.1: x", "Malformed HTTP message from -: x"),
        ("<socket raddr=('192.0.2.1', 80)>", "<socket raddr=('-', 80)>"),
        ("from 2001:db8::1 and ::ffff:1.2.3.4", "from - and -"),
        ("peer ('::1', 5, 0, 0)", "peer ('-', 5, 0, 0)"),
        ("version 2.0.1 of tornado", "version 2.0.1 of tornado"),
        ("error: no such thing", "error: no such thing"),
    ],
)
def test_redact(text, expected):
    assert redact(text) == expected
