"""Client address: read from the connection or a proxy's header, recorded only as a hash."""

import hashlib
import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path

KEY_BYTES = 32
_BRACKETED = re.compile(r"\[([^\[\]]*)\](?::\d{1,5})?", re.ASCII)
_PORT = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}", re.ASCII)
_FORWARDED = re.compile(r'(?:[^,"]|"(?:\\.|[^"\\])*(?:"|\Z))+')
_FOR = re.compile(r'(?:^|;)\s*for=("[^"]*"|[^\s;",]*)', re.IGNORECASE)
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def parse_address(text: str) -> Address | None:
    """The address, IPv4-mapped IPv6 as IPv4 and without a zone; None where it is not one."""
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def parse_hop(text: str) -> Address | None:
    """The address in one entry of X-Forwarded-For, in any form that proxies write.

    Those are `192.0.2.1`, `192.0.2.1:50123` (Azure's Application Gateway), `2001:db8::1`,
    `[2001:db8::1]`, `[2001:db8::1]:50123` (AWS with ports preserved), a zone (`fe80::1%eth0`), and
    each of them in quotes, as in Forwarded.
    """
    text = text.strip().strip('"')
    match = _BRACKETED.fullmatch(text) or _PORT.fullmatch(text)
    return parse_address(match[1] if match else text)


def _entries(values: Sequence[str], header: str) -> list[str]:
    """The entries of the header's lines, in order; empty ones are none (RFC 9110, 5.6.1).

    Of Forwarded (RFC 7239) only `for` is taken, "" where an entry has none. A comma in a quoted
    string separates nothing there.
    """
    if header.lower() != "forwarded":
        return [entry for entry in ",".join(values).split(",") if entry.strip()]
    entries = _FORWARDED.findall(",".join(values))
    found = (_FOR.search(entry) for entry in entries if entry.strip())
    return [match[1] if match else "" for match in found]


def client_address(
    peer: str,
    forwarded: Sequence[str],
    trusted: Sequence[Network],
    header: str = "X-Forwarded-For",
    unreadable: Callable[[], None] = lambda: None,
) -> str:
    """The client's address, in its canonical form.

    `peer` is the other end of the connection, `forwarded` the values of `header`, in order. They
    are believed only when the peer is a trusted proxy: then the client is the rightmost address
    that is not one, since everything to the left of it can be made up. Anything on the way there
    that cannot be read means the peer, and `unreadable` is called: all such clients count as one.
    """
    address = parse_address(peer)
    if address is None:
        return peer  # a Unix socket has no address
    if any(address in network for network in trusted):
        for entry in reversed(_entries(forwarded, header)):
            hop = parse_hop(entry)
            if hop is None:
                unreadable()
                break
            if not any(hop in network for network in trusted):
                return str(hop)
    return str(address)


def client_network(address: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 of an IPv6 address, which one gets."""
    parsed = parse_address(address)
    if parsed is None or parsed.version == 4:
        return address
    return str(IPv6Network((parsed, 64), strict=False))


def ip_hash(address: str, key: str) -> str:
    """The address as 64 hex digits: SHA-256, or HMAC-SHA-256 where a key is set.

    A bare hash of an IPv4 address can be reversed by trying all of them; a keyed one cannot.
    """
    if key:
        return hmac.new(key.encode(), address.encode(), hashlib.sha256).hexdigest()
    return hashlib.sha256(address.encode()).hexdigest()


def pseudonym(address: str, key: bytes) -> str:
    """The address as Umami is told it: a private IPv6 address (fd00::/8) made of 120 bits of
    HMAC-SHA-256, so that it is the same for each visit and leads nowhere.

    The message is not the one of `ip_hash`: what is recorded here and what is there must not match.
    """
    digest = hmac.digest(key, f"umami {address}".encode(), hashlib.sha256)
    return str(IPv6Address(b"\xfd" + digest[:15]))


def keep_key(path: Path) -> bytes:
    """32 random bytes that stay the same: those in the file, or new ones, now in it.

    Any number of processes may call this at once. Raises OSError, and ValueError where the file
    holds something else.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent)  # 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
                file.flush()
                os.fsync(descriptor)
            with suppress(FileExistsError):
                os.link(name, path)
        finally:
            Path(name).unlink()
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path} holds no key of {KEY_BYTES} bytes")
    return key
