"""No raw client address anywhere: not in what is written, not in what is printed."""

import contextlib
import socket
from pathlib import Path

import pytest

from portal.http.client import ip_hash
from tests.support.running import TOKEN, ask, git

ADDRESSES = [f"198.51.100.{i}" for i in range(100, 120)] + [
    "203.0.113.77",
    "2001:db8:85a3::8a2e:370:7334",
    "2001:DB8:0:0:1:0:0:42",
    "::ffff:192.0.2.99",
]
# As they come, and in the forms that a program could write them in.
TRACES = [*ADDRESSES, "192.0.2.99", "2001:db8::1:0:0:42", "2001:0db8:85a3"]


def malformed(portal, address):
    """What Tornado itself complains about, naming the peer."""
    for request in (
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: " + address.encode() + b"\r\nBad\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ):
        with socket.create_connection(("127.0.0.1", portal.port)) as connection:
            connection.sendall(request)
            connection.settimeout(1)
            with contextlib.suppress(TimeoutError):
                connection.recv(1000)


@pytest.mark.parametrize("key", ["", "a-key"])
def test_no_address_is_kept(start_portal, tmp_path, key):
    with start_portal(environ={"IP_HASH_KEY": key}) as portal:
        file = f"{portal.url}/downloads/pets/v2.1.0/SHA256SUMS"
        for address in ADDRESSES:
            ask(file, address, User_Agent="a")
            ask(f"{file}x", address)
            ask(f"{portal.url}/metrics?token={TOKEN}", address)
            ask(f"{portal.url}/metrics?token=x", address)
            ask(f"{portal.url}/%ff", address)
            git("ls-remote", f"{portal.url}/pets.git", client=address)
        malformed(portal, ADDRESSES[0])
        written = [path for path in portal.data_dir.rglob("*") if path.is_file()]
        assert written
        found = search(written, portal)
        assert portal.stop() == 0
        found += search([p for p in portal.data_dir.rglob("*") if p.is_file()], portal)
        assert found == []
        assert portal.rows("select count(*) from downloads") == [(len(ADDRESSES),)]
        (first,) = portal.rows("select ip_hash from downloads order by id limit 1")
        assert first == (ip_hash(ADDRESSES[0], key),)
        # The loopback is every peer here, so it is searched for in the log alone, but for the
        # line that says where the portal listens.
        lines = [line for line in portal.log().splitlines() if "serving on" not in line]
        assert [line for line in lines if "127.0.0.1" in line] == []


def search(paths, portal):
    """Every file that holds an address, with the address."""
    paths = [*paths, portal.log_file, *Path("/tmp").glob("portal*")]
    return [
        (str(path), trace)
        for path in paths
        if path.is_file()
        for trace in TRACES
        if trace.lower().encode() in path.read_bytes().lower()
    ]
