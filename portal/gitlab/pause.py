"""Back-off of the requests for lists: after failures, and while GitLab asks for silence."""

import asyncio
import random

FIRST_PAUSE = 2.0  # after a failure; doubles with each
LONGEST_PAUSE = 60.0  # so that a GitLab that is back is seen within a minute


class Pause:
    """How long to wait before the next request, in seconds; shared by all projects."""

    def __init__(self, refresh_seconds: float) -> None:
        self._refresh = refresh_seconds
        self._throttled_until = 0.0

    def throttled(self, seconds: float) -> None:
        """GitLab asked for silence: every project's requests come from one address."""
        self._throttled_until = max(self._throttled_until, _now() + seconds)

    def silence(self) -> float:
        """Seconds for which GitLab asked to get no requests; usually 0."""
        return max(0.0, self._throttled_until - _now())

    def after(self, failures: int) -> float:
        """Until the next refresh, after so many failures in a row."""
        if not failures:
            return self._refresh * random.uniform(0.9, 1.0)  # noqa: S311 - a spread  # nosec B311
        first = min(FIRST_PAUSE, self._refresh)
        pause: float = min(first * 2 ** min(failures - 1, 16), LONGEST_PAUSE)
        return pause * random.uniform(0.75, 1.0)  # noqa: S311  # nosec B311


def _now() -> float:
    return asyncio.get_running_loop().time()
