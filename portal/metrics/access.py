"""Who may see /metrics: the token, and addresses that the page signs for its own links."""

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

LINK_SECONDS = 3600  # how long a signed address is good


class Credentials(Enum):
    """What a request's credentials are."""

    RIGHT = "right"
    MISSING = "missing"
    WRONG = "wrong"
    EXPIRED = "expired"


class Authenticator:
    """Compares in constant time; holds no state, so that any process takes what another signed."""

    def __init__(self, token: str) -> None:
        self._token = hashlib.sha256(token.encode()).digest()
        # Not the token itself: what a signature might give away must not open the page.
        self._key = hmac.digest(token.encode(), b"addresses of /metrics", "sha256")

    def is_token(self, offer: str) -> bool:
        """Whether it is the token. Hashed first, so that not even its length shows."""
        return hmac.compare_digest(hashlib.sha256(offer.encode()).digest(), self._token)

    def sign(self, query: Mapping[str, str], expires: int) -> str:
        """The query string of an address that opens this one thing until then (Unix seconds)."""
        signed = {**query, "expires": str(expires)}
        return urlencode({**signed, "signature": self._signature(signed)})

    def check(self, offers: list[str], query: Mapping[str, str], now: float) -> Credentials:
        """What the tokens offered, or the address itself, are worth."""
        if any([self.is_token(offer) for offer in offers]):  # noqa: C419 - all, whichever is right
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


_ENTRY = struct.Struct("<16sdd")  # who (hashed), the level when last seen, and when that was
_PROBES = 8


class Guesses:
    """How often each client was wrong lately, over all processes.

    A leaking bucket for each: a guess adds one, and one drains every SECONDS. Made before the
    processes are forked, in memory that they share, without a lock: two processes that write one
    entry at once lose a guess, which does no harm. An IPv6 client is its /64, which is what one
    gets. Nothing is kept of an address but a hash, in memory only.
    """

    FREE = 10
    SECONDS = 6.0

    def __init__(self, entries: int = 4096) -> None:
        self._entries = entries
        self._memory = mmap.mmap(-1, entries * _ENTRY.size)

    def wrong(self, client: str, now: float | None = None) -> int:
        """Note a wrong guess; 0, or after how many seconds the client may guess again."""
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
        """Its own entry, else a free one, else that of who guessed least."""
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
