"""How much of an answer is held for one client.

While writes finish at once, bytes go on in batches from within libcurl's own callbacks, and only
the bytes of one turn of the event loop are bounded, so that no transfer keeps the others waiting;
nor do many together: 200 that began at once held the loop for 0.4 s, by 2 MiB each.
While a write waits for the client, little is held, so that many slow clients hold little together.
A batch is small until more went without a wait than the kernel alone can take, since only then the
client truly reads: the last batch of a slow client stays in memory for as long as it is slow.
"""

HELD_BYTES = 64 << 10
BATCH_MIN = 64 << 10
BATCH_MAX = 512 << 10
TURN_BYTES = 2 << 20
TURN_LEAST = 128 << 10
# Of all transfers in one turn, where none has shown that its client truly reads (some 30 ms), and
# where all have. With 32 MiB for these too, 50 fast clients cost a third more.
LOOP_BYTES = 32 << 20
FAST_LOOP_BYTES = 128 << 20
KERNEL_BYTES = 4 << 20  # Linux: net.ipv4.tcp_wmem's maximum


class LoopBudget:
    """How many transfers of one event loop flow at the moment."""

    def __init__(self) -> None:
        self.count = 0

    def share(self, fast: bool) -> int:
        """The bytes that each of them may move in one turn of the loop."""
        together = FAST_LOOP_BYTES if fast else LOOP_BYTES
        return max(TURN_LEAST, min(TURN_BYTES, together // max(1, self.count)))


class Buffer:
    """The bytes between one upstream and one client; for one event loop, touched by nothing else.

    `put()` until `full`; `take()` all at once when `ripe` or at the turn's end, then say `went()`
    or `waited()`. `flowing` says that the client is there and no write waits; whoever sets it
    takes it back at the end. `flow` is that of the event loop.
    """

    def __init__(self, flow: LoopBudget | None = None) -> None:
        self._flow = flow or LoopBudget()
        self._flowing = False
        self.batch = BATCH_MIN
        self._chunks: list[bytes] = []
        self._held = 0
        self._turn = 0
        self._streak = 0

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._chunks)

    @property
    def flowing(self) -> bool:
        """Whether the client is there and no write waits."""
        return self._flowing

    @flowing.setter
    def flowing(self, flowing: bool) -> None:
        self._flow.count += flowing - self._flowing
        self._flowing = flowing

    @property
    def full(self) -> bool:
        """Whether no more should be put in for now."""
        return (
            self._turn >= self._flow.share(self.batch == BATCH_MAX)
            if self._flowing
            else self._held >= HELD_BYTES
        )

    @property
    def ripe(self) -> bool:
        """Whether a batch can be written."""
        return self._flowing and self._held >= self.batch

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
