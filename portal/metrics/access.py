"""Access to /metrics: the token, links that the page signs, and limits on wrong guesses."""

import hashlib
import hmac
import math
import mmap
import struct
import time
from collections.abc import Mapping
from enum import Enum
from urllib.parse import urlencode

from portal.http.client import parse_address

LINK_SECONDS = 3600  # for which a signed link is valid


class Credentials(Enum):
    """The state of a request's credentials."""

    RIGHT = "right"
    MISSING = "missing"
    WRONG = "wrong"
    EXPIRED = "expired"


class Authenticator:
    """Checks tokens and signatures in constant time.

    It has no state besides the token, so each process accepts what another one signed.
    """

    def __init__(self, token: str) -> None:
        self._token = hashlib.sha256(token.encode()).digest()
        # A key derived from the token: a signature that leaks must not help to find the token.
        self._key = hmac.digest(token.encode(), b"addresses of /metrics", "sha256")

    def is_token(self, offer: str) -> bool:
        """Whether `offer` is the token; both are hashed first, so the time shows no length."""
        return hmac.compare_digest(hashlib.sha256(offer.encode()).digest(), self._token)

    def sign(self, query: Mapping[str, str], expires: int) -> str:
        """The query, signed; good for this one query until `expires` (Unix seconds)."""
        signed = {**query, "expires": str(expires)}
        return urlencode({**signed, "signature": self._signature(signed)})

    def check(self, offers: list[str], query: Mapping[str, str], now: float) -> Credentials:
        """The state of the tokens that were sent, or of the address's own signature."""
        if any([self.is_token(offer) for offer in offers]):  # noqa: C419 - compares all of them, so that the time does not show which is right
            return Credentials.RIGHT
        if "signature" in query:
            return self._check_signature(query, now)
        return Credentials.WRONG if any(offers) else Credentials.MISSING

    def _check_signature(self, query: Mapping[str, str], now: float) -> Credentials:
        signed = {name: value for name, value in query.items() if name != "signature"}
        right = self._signature(signed)
        if not hmac.compare_digest(right.encode(), query["signature"].encode()):
            return Credentials.WRONG
        return Credentials.RIGHT if int(signed["expires"]) > now else Credentials.EXPIRED

    def _signature(self, query: Mapping[str, str]) -> str:
        text = urlencode(sorted(query.items()))
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


_ENTRY = struct.Struct("<16sdd")  # hash of the client, level of its bucket, time of that level
_PROBES = 8


class Guesses:
    """Rate limit on wrong tokens by client, over all processes.

    Each client has a leaky bucket: a guess adds one, and one drains every SECONDS. The buckets are
    in memory that the processes share, made before they are forked, and there is no lock: when two
    processes write one entry at once, a guess is lost, which does no harm. An IPv6 client is its
    /64, since a subscriber gets a whole /64. Addresses are only held as hashes, in memory.
    """

    FREE = 10
    SECONDS = 6.0

    def __init__(self, entries: int = 4096) -> None:
        self._entries = entries
        self._memory = mmap.mmap(-1, entries * _ENTRY.size)

    def wrong(self, client: str, now: float | None = None) -> int:
        """Count a wrong guess; 0, or the seconds after which the client may guess again."""
        now = time.monotonic() if now is None else now
        who = hashlib.blake2b(_network(client).encode(), digest_size=16).digest()
        place = self._place(who, now)
        tag, level, seen = _ENTRY.unpack_from(self._memory, place)
        level = self._drained(level, seen, now) if tag == who else 0.0
        if level > self.FREE - 1:
            return math.ceil((level - self.FREE + 1) * self.SECONDS)
        _ENTRY.pack_into(self._memory, place, who, level + 1, now)
        return 0

    def _place(self, who: bytes, now: float) -> int:
        """The offset of the client's entry, else of the entry with the lowest level."""
        first = int.from_bytes(who[:4], "little")
        places = [(first + n) % self._entries * _ENTRY.size for n in range(_PROBES)]
        levels = {}
        for place in places:
            tag, level, seen = _ENTRY.unpack_from(self._memory, place)
            if tag == who:
                return place
            levels[place] = self._drained(level, seen, now)
        return min(levels, key=levels.__getitem__)

    def _drained(self, level: float, seen: float, now: float) -> float:
        return max(0.0, level - (now - seen) / self.SECONDS)


def _network(client: str) -> str:
    address = parse_address(client)
    if address is None or address.version == 4:
        return client
    return str(int(address) >> 64)
