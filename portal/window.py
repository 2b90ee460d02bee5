"""How much of an answer is held for one client.

While writes finish at once, bytes go on in batches from within libcurl's own callbacks, and only
the bytes of one turn of the event loop are bounded, so that no transfer keeps the others waiting.
While a write waits for the client, little is held, so that many slow clients hold little together.
A batch is small until more went without a wait than the kernel alone can take, since only then the
client truly reads: the last batch of a slow client stays in memory for as long as it is slow.
"""

HELD_BYTES = 64 << 10
BATCH_MIN = 64 << 10
BATCH_MAX = 512 << 10
TURN_BYTES = 2 << 20
KERNEL_BYTES = 4 << 20  # Linux: net.ipv4.tcp_wmem's maximum


class Window:
    """The bytes between one upstream and one client; for one event loop, touched by nothing else.

    `put()` until `full`; `take()` all at once when `ripe` or at the turn's end, then say `went()`
    or `waited()`. `flowing` says that the client is there and no write waits.
    """

    def __init__(self) -> None:
        self.flowing = False
        self.batch = BATCH_MIN
        self._chunks: list[bytes] = []
        self._held = 0
        self._turn = 0
        self._streak = 0

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._chunks)

    @property
    def full(self) -> bool:
        """Whether no more should be put in for now."""
        return self._turn >= TURN_BYTES if self.flowing else self._held >= HELD_BYTES

    @property
    def ripe(self) -> bool:
        """Whether a batch can be written."""
        return self.flowing and self._held >= self.batch

    def begin_turn(self) -> None:
        """The event loop has come round."""
        self._turn = 0

    def put(self, data: bytes) -> None:
        """Add a piece."""
        self._chunks.append(data)
        self._held += len(data)
        self._turn += len(data)

    def take(self) -> bytes:
        """Everything that waits, as one piece."""
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._held = 0
        return data

    def went(self, count: int) -> None:
        """So many bytes were written without a wait."""
        self._streak += count
        if self._streak > KERNEL_BYTES:
            self.batch = BATCH_MAX

    def waited(self) -> None:
        """A write waits for the client."""
        self.flowing = False
        self._streak = 0
        self.batch = BATCH_MIN
