"""How much of an answer is held for one client.

The window is what may wait in memory before the upstream is paused. It grows with the streak, the
bytes since a write last had to wait: slowly while the kernel alone may be taking them, faster once
a streak is longer than the kernel's buffers, since then the client truly reads. One wait makes it
small again, so that many slow clients hold little and one fast client costs few writes.
"""

WINDOW_MIN = 64 << 10
WINDOW_MAX = 4 << 20
KERNEL_BYTES = 4 << 20  # Linux: net.ipv4.tcp_wmem's maximum


class Window:
    """The bytes between one upstream and one client; for one event loop, touched by nothing else.

    `put()` until `full`, `take()` all at once, then say `went()` or `waited()`.
    """

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._held = 0
        self._streak = 0
        self.size = WINDOW_MIN

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._chunks)

    @property
    def full(self) -> bool:
        """Whether no more should be put in."""
        return self._held >= self.size

    def put(self, data: bytes) -> None:
        """Add a piece."""
        self._chunks.append(data)
        self._held += len(data)

    def take(self) -> bytes:
        """Everything that waits, as one piece."""
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._held = 0
        return data

    def went(self, count: int) -> None:
        """So many bytes were written without a wait."""
        self._streak += count
        share = self._streak // 2 if self._streak > KERNEL_BYTES else self._streak // 16
        self.size = min(WINDOW_MAX, max(WINDOW_MIN, share))

    def waited(self) -> None:
        """A write had to wait for the client."""
        self._streak = 0
        self.size = WINDOW_MIN
