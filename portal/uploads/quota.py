"""Memory budget of one process for save files that are being received or sent."""

from collections import Counter

from portal.errors import TooMany, Unavailable

MOST_BYTES = 192 << 20  # in one process
MOST_AT_ONCE = 4  # of one client; a page needs one
RETRY_SECONDS = 10


class Holding:
    """The bytes that requests hold now, in all and by client; belongs to the event loop."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._clients: Counter[str] = Counter()

    def hold(self, client: str) -> "Held":
        """A share for one request. Raises `TooMany` where the client has several already."""
        if self._clients[client] >= MOST_AT_ONCE:
            raise TooMany(
                "Too many files of yours are on their way at once.",
                "Please wait until one is done.",
                RETRY_SECONDS,
            )
        self._clients[client] += 1
        return Held(self, client)

    def add(self, count: int) -> None:
        """Hold so many more. Raises `Unavailable` where that is more than memory is meant for."""
        if self._bytes + count > self._most:
            raise Unavailable(
                "Too many files are on their way at the moment.", retry_after=RETRY_SECONDS
            )
        self._bytes += count

    def let_go(self, client: str, count: int) -> None:
        """Give back `count` bytes when the client's request is over."""
        self._bytes -= count
        self._clients[client] -= 1
        if not self._clients[client]:
            del self._clients[client]


class Held:
    """One request's share."""

    def __init__(self, holding: Holding, client: str) -> None:
        self._holding: Holding | None = holding
        self._client = client
        self._bytes = 0

    def add(self, count: int) -> None:
        """Hold so many more bytes. Raises `Unavailable`."""
        if self._holding:
            self._holding.add(count)
            self._bytes += count

    def release(self) -> None:
        """The request is over; a second time this does nothing."""
        holding, self._holding = self._holding, None
        if holding:
            holding.let_go(self._client, self._bytes)
