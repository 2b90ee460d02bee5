"""The packed part of a prospect: base64 of zlib, its SHA-1 and its lengths.

`Hash` is the lower-case hex SHA-1 of the unpacked bytes; `TotalLength` and `DataLength` are the
packed length, `UncompressedLength` the other, all in bytes. zlib's level 6 gives the bytes that the
game writes (checked on real saves).
"""

import base64
import binascii
import hashlib
import zlib
from dataclasses import dataclass

from portal.saves.errors import DAMAGED, SaveError
from portal.saves.jsontext import Node
from portal.saves.plain import Doubt

MAX_UNPACKED = 128 << 20  # bytes; the largest save documented has 34 MB
LEVEL = 6


@dataclass(frozen=True, slots=True)
class Blob:
    """The unpacked bytes, and what does not match them although they can be read."""

    payload: bytes
    doubts: tuple[Doubt, ...]


def unpack(node: Node) -> Blob:
    """Read a `ProspectBlob`. Never unpacks more than it announces, nor than `MAX_UNPACKED`."""
    packed = _packed(node)
    announced = _integer(node, "UncompressedLength")
    if announced is not None and not 0 <= announced <= MAX_UNPACKED:
        raise _too_large()
    payload = _inflate(packed, MAX_UNPACKED if announced is None else announced)
    if announced not in (None, len(payload)):
        raise SaveError("The save is damaged: it unpacks to less than it announces.", DAMAGED)
    return Blob(payload, tuple(_mismatches(node, packed, payload)))


def repack(node: Node, payload: bytes) -> list[tuple[Node, str]]:
    """The changes of a `ProspectBlob` that put other bytes in."""
    packed = zlib.compress(payload, LEVEL)
    new = {
        "BinaryBlob": f'"{base64.b64encode(packed).decode("ascii")}"',
        "Hash": f'"{_hash(payload)}"',
        "TotalLength": str(len(packed)),
        "DataLength": str(len(packed)),
        "UncompressedLength": str(len(payload)),
    }
    return [(member, new[key]) for key, member in node.members.items() if key in new]


def _packed(node: Node) -> bytes:
    member = node.get("BinaryBlob")
    text = member.string() if member else None
    if text is None:
        raise SaveError("The prospect has no BinaryBlob.", DAMAGED)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as e:
        raise SaveError("The prospect's BinaryBlob is cut off or not base64.", DAMAGED) from e


def _inflate(packed: bytes, limit: int) -> bytes:
    """At most `limit` bytes; one more is asked for, to see whether there are more."""
    inflater = zlib.decompressobj()
    try:
        payload = inflater.decompress(packed, limit + 1)
    except zlib.error as e:
        raise SaveError("The save is damaged: it cannot be unpacked.", DAMAGED) from e
    if len(payload) > MAX_UNPACKED:
        raise _too_large()
    if len(payload) > limit:
        raise SaveError("The save is damaged: it unpacks to more than it announces.", DAMAGED)
    if not inflater.eof or inflater.unused_data:
        raise SaveError("The save is damaged: its packed part is cut off or too long.", DAMAGED)
    return payload


def _too_large() -> SaveError:
    return SaveError(f"The save unpacks to more than {MAX_UNPACKED >> 20} MiB.", DAMAGED)


def _mismatches(node: Node, packed: bytes, payload: bytes) -> list[Doubt]:
    found = []
    member = node.get("Hash")
    if member and member.string() != _hash(payload):
        found.append(Doubt("hash", "The save's hash does not match what is in it."))
    lengths = [_integer(node, key) for key in ("TotalLength", "DataLength")]
    if any(length not in (None, len(packed)) for length in lengths):
        found.append(Doubt("length", "The save's lengths do not match what is in it."))
    return found


def _integer(node: Node, key: str) -> int | None:
    member = node.get(key)
    return member.integer() if member else None


def _hash(payload: bytes) -> str:
    return hashlib.sha1(payload, usedforsecurity=False).hexdigest()
