"""Errors with the text of their answers.

Each error has the status of its answer, one sentence that says what happened and one that says what
to do next. None has internal details: no address, no text of an upstream, no traceback.
`handlers.base.errors` turns them into answers.
"""

from portal.suggestions import Place


class PortalError(Exception):
    """The base of all errors that are answered.

    `status` is the HTTP status. `sentence` says what happened, `advice` what to do next ("" for
    nothing). `retry_after` is in seconds, None where trying again would not help; where it is set
    and there is no `advice`, the advice says when to try again. `near` are suggestions.
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
    """A length of time in words, rounded up."""
    if seconds < 120:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes"


class Malformed(PortalError):  # noqa: N818 - named after the status, as all below
    """The request is not valid (400)."""

    status = 400


class Unauthorized(PortalError):  # noqa: N818
    """A credential is missing or wrong (401)."""

    status = 401


class Refused(PortalError):  # noqa: N818
    """The request is understood and not allowed (403)."""

    status = 403


class NotFound(PortalError):  # noqa: N818
    """Nothing has this address (404)."""

    status = 404


class Conflict(PortalError):  # noqa: N818
    """Somebody else has changed it in the meantime (409)."""

    status = 409


class Gone(PortalError):  # noqa: N818
    """It existed and was deleted (410)."""

    status = 410


class TooLarge(PortalError):  # noqa: N818
    """The body is larger than the limit (413)."""

    status = 413


class Misdirected(PortalError):  # noqa: N818
    """The Host header names another site (421)."""

    status = 421


class TooMany(PortalError):  # noqa: N818
    """The client has asked too often, or for too much (429)."""

    status = 429


class UpstreamFailed(PortalError):  # noqa: N818
    """GitLab or an asset's host cannot be reached, broke off or gave no valid answer (502)."""

    status = 502


class Unavailable(PortalError):  # noqa: N818
    """The portal is full, throttled or cannot record at the moment (503)."""

    status = 503


class Speculative(PortalError):  # noqa: N818
    """A browser fetches ahead of time what it may show; it asks again when it does (503)."""

    status = 503


class UpstreamSlow(PortalError):  # noqa: N818
    """GitLab or an asset's host did not answer in time (504)."""

    status = 504
