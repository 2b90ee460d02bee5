"""What can go wrong, as sentences for the person who asked.

Every error carries the status of its answer, one sentence that says what happened and one that
says what to do next. None carries an inside detail: no address, no upstream text, no traceback.
`handlers.base.handler` is the one place that turns them into answers.
"""

from portal.suggestions import Place


class PortalError(Exception):
    """An answer other than the one that was asked for.

    `status` is the HTTP status; `sentence` says what happened; `advice` what to do next (may be
    empty); `retry_after` is in seconds, None where trying again would not help. Without an advice
    of its own the error says when to try again. `near` is what may have been meant.
    """

    status = 500

    def __init__(
        self,
        sentence: str,
        advice: str = "",
        retry_after: int | None = None,
        near: tuple[Place, ...] = (),
    ) -> None:
        super().__init__(sentence)
        if retry_after is not None and not advice:
            advice = f"Please try again in {spoken(retry_after)}."
        self.sentence = sentence
        self.advice = advice
        self.retry_after = retry_after
        self.near = near


def spoken(seconds: int) -> str:
    """A length of time for people, rounded up."""
    if seconds < 120:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes"


class Malformed(PortalError):  # noqa: N818 - named after the status, as all below
    """What was asked for does not exist in that form (400)."""

    status = 400


class Unauthorized(PortalError):  # noqa: N818
    """A credential is missing or wrong (401)."""

    status = 401


class Refused(PortalError):  # noqa: N818
    """Understood, and never allowed here (403)."""

    status = 403


class NotFound(PortalError):  # noqa: N818
    """There is no such thing (404)."""

    status = 404


class Conflict(PortalError):  # noqa: N818
    """It was changed by someone else in the meantime (409)."""

    status = 409


class Gone(PortalError):  # noqa: N818
    """It was there and is not any more (410)."""

    status = 410


class TooLarge(PortalError):  # noqa: N818
    """More than is taken here (413)."""

    status = 413


class Misdirected(PortalError):  # noqa: N818
    """Sent to a name that is not this portal's (421)."""

    status = 421


class TooMany(PortalError):  # noqa: N818
    """Tried too often (429)."""

    status = 429


class UpstreamFailed(PortalError):  # noqa: N818
    """GitLab or an asset's host cannot be reached, broke off or answered nonsense (502)."""

    status = 502


class Unavailable(PortalError):  # noqa: N818
    """The portal cannot do this now and can later: full, throttled, not able to record (503)."""

    status = 503


class Speculative(PortalError):  # noqa: N818
    """A browser fetches ahead of time what it may show; it asks again when it does (503)."""

    status = 503


class UpstreamSlow(PortalError):  # noqa: N818
    """GitLab or an asset's host did not answer in time (504)."""

    status = 504
