"""Who the client is, and that it cannot be told from what is kept."""

import hashlib
from ipaddress import ip_network

import pytest

from portal.http.client import client_address, ip_hash
from portal.process.logs import redact

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
        ("10.0.0.1", ["198.51.100.7, 10.9.9.9, "], "10.0.0.1"),
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
