"""Error messages for git clients that get neither an advertisement nor a pack."""

from tornado.httputil import HTTPHeaders

from portal.errors import NotFound, PortalError, Refused, TooMany, UpstreamFailed
from portal.relay.upstream import throttled


def no_service(service: str, releases: str) -> Refused:
    """For any service but git-upload-pack; "" is dumb HTTP, which reads files one by one.

    `releases` is the address of the project's releases.
    """
    if service == "git-receive-pack":
        return Refused(
            "This address is for clone and fetch only.",
            "Push to the project's own GitLab repository instead.",
        )
    if service == "git-upload-archive":
        return Refused(
            "This address does not serve git archive --remote.",
            f"Source archives are at {releases}",
        )
    if service:
        return Refused("This server has no such service.", "It serves clone and fetch only.")
    return Refused(
        "This server speaks git's smart HTTP protocol only.",
        "Use git 1.6.6 or newer, without GIT_SMART_HTTP=0.",
    )


def refusal(status: int, headers: HTTPHeaders) -> PortalError:
    """What to say where the upstream is no git server for this project."""
    if status in (401, 403, 404):
        return NotFound("This repository is not available here.", "Please tell the operator.")
    if status in (429, 503):
        busy = throttled(headers)
        if status == 503:
            return busy
        return TooMany(busy.sentence, busy.advice, busy.retry_after)
    return UpstreamFailed("GitLab did not answer as a git server.", retry_after=30)
