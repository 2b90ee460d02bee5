"""Who asked, without keeping who it was."""

import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path

KEY_BYTES = 32
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def parse_address(text: str) -> Address | None:
    """The address, IPv4-mapped IPv6 as IPv4 and without a zone; None where it is not one."""
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def client_address(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The client's address, in its canonical form.

    `peer` is the other end of the connection, `forwarded` the values of the configured header, in
    order. They are believed only when the peer is a trusted proxy: then the client is the
    rightmost address that is not one, since everything to the left of it can be made up. Anything
    that cannot be parsed on the way there means the peer.
    """
    address = parse_address(peer)
    if address is None:
        return peer  # a Unix socket has no address
    if any(address in network for network in trusted):
        for entry in reversed(",".join(forwarded).split(",")):
            hop = parse_address(entry)
            if hop is None:
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
