"""Circuit breaker for Umami: how long it is left alone after a failure."""

REFUSED_SECONDS = 1.0  # after a connection that nobody took: to try again costs no event
FIRST_SECONDS = 1.0
LONGEST_SECONDS = 300.0


class Circuit:
    """Counts failures in a row; only a stored event closes it again.

    Umami's heartbeat answers while its database is locked or away, so that answer proves nothing.
    Pure: it reads no clock and asks nobody.
    """

    def __init__(self) -> None:
        self._failures = 0

    @property
    def open(self) -> bool:
        """Whether Umami has failed since it last stored an event."""
        return self._failures > 0

    def stored(self) -> None:
        """An event was stored."""
        self._failures = 0

    def failed(self) -> float:
        """An event had no answer, or one that says that Umami has failed.

        The seconds for which to leave it alone: twice as long each time, five minutes at most.
        """
        self._failures += 1
        return float(min(FIRST_SECONDS * 2 ** min(self._failures - 1, 16), LONGEST_SECONDS))
