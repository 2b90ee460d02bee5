"""Bounded buffer between one upstream and one client, and the byte budget of an event loop.

While the client takes every write at once, bytes go on in batches from within libcurl's own
callbacks. Then only the bytes of one turn of the event loop are bounded: by `TURN_BYTES` for each
transfer, and by a budget that all transfers share, since 200 that began at once blocked the loop
for 0.4 s when each could move 2 MiB. While a write waits for the client, at most `HELD_BYTES` are
buffered, so that many slow clients together take little memory.

A batch stays small until the client has taken more bytes without a wait than the kernel alone can
buffer, since only then it is sure that the client reads. The last batch of a client that stops
reading stays in memory for as long as it does not read.
"""

HELD_BYTES = 64 << 10
BATCH_MIN = 64 << 10
BATCH_MAX = 512 << 10
TURN_BYTES = 2 << 20
TURN_LEAST = 128 << 10
# Of all transfers in one turn: while it is not sure that the clients read (some 30 ms), and once
# they do. With 32 MiB for both, 50 fast clients cost a third more processor time.
LOOP_BYTES = 32 << 20
FAST_LOOP_BYTES = 128 << 20
KERNEL_BYTES = 4 << 20  # Linux: the maximum in net.ipv4.tcp_wmem


class LoopBudget:
    """The bytes of one turn of an event loop, shared by its active transfers; `count` of these."""

    def __init__(self) -> None:
        self.count = 0

    def share(self, fast: bool) -> int:
        """The bytes that one active transfer may move in one turn of the loop."""
        together = FAST_LOOP_BYTES if fast else LOOP_BYTES
        return max(TURN_LEAST, min(TURN_BYTES, together // max(1, self.count)))


class Buffer:
    """The bytes between one upstream and one client; belongs to one event loop.

    Call `put()` until it is `full`. Call `take()`, which gives all of it, when a `batch_ready` or
    at the end of the loop's turn, then `wrote()` or `blocked()`. `active` says that there is a
    client and no write waits; whoever sets it clears it at the end. `budget` is the event loop's.
    """

    def __init__(self, budget: LoopBudget | None = None) -> None:
        self._budget = budget or LoopBudget()
        self._active = False
        self.batch = BATCH_MIN
        self._chunks: list[bytes] = []
        self._held = 0
        self._turn = 0
        self._streak = 0

    def __bool__(self) -> bool:
        """Whether it holds anything."""
        return bool(self._chunks)

    @property
    def active(self) -> bool:
        """Whether there is a client and no write waits."""
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        self._budget.count += active - self._active
        self._active = active

    @property
    def full(self) -> bool:
        """Whether nothing more may be put in for now."""
        return (
            self._turn >= self._budget.share(self.batch == BATCH_MAX)
            if self._active
            else self._held >= HELD_BYTES
        )

    @property
    def batch_ready(self) -> bool:
        """Whether a batch can be written."""
        return self._active and self._held >= self.batch

    def begin_turn(self) -> None:
        """A new turn of the event loop has begun, with a new budget."""
        self._turn = 0

    def put(self, data: bytes) -> None:
        """Add a piece."""
        self._chunks.append(data)
        self._held += len(data)
        self._turn += len(data)

    def take(self) -> bytes:
        """Remove and return everything, as one piece."""
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._held = 0
        return data

    def wrote(self, count: int) -> None:
        """So many bytes were written without a wait."""
        self._streak += count
        if self._streak > KERNEL_BYTES:
            self.batch = BATCH_MAX

    def blocked(self) -> None:
        """A write waits for the client."""
        self.active = False
        self._streak = 0
        self.batch = BATCH_MIN
