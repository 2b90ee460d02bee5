"""GitLab's refusals, word for word: an expired token, a missing scope, a ban, the throttle.

Read in lib/api/api_guard.rb (401 and 403 of a token), config/initializers/rack_attack.rb and
lib/gitlab/rack_attack.rb (throttle and ban), app/controllers/concerns/ and lib/api/repositories.rb
(the limit on archives) of https://gitlab.com/gitlab-org/gitlab.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RETRY_AFTER = 1


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal. `of_token` says that only a request that brings a token gets it."""

    status: int
    body: str
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    of_token: bool = False


def _bearer(status: int, error: str, description: str, **more: Any) -> Refusal:
    """The form of Rack::OAuth2's errors."""
    body = json.dumps({"error": error, "error_description": description, **more})
    challenge = {"WWW-Authenticate": 'Bearer realm="Protected by OAuth 2.0"'}
    return Refusal(status, body, headers=challenge if status == 401 else {}, of_token=True)


REFUSALS = {
    "expired": _bearer(
        401,
        "invalid_token",
        "Token is expired. You can either do re-authorization or token refresh.",
    ),
    "revoked": _bearer(
        401, "invalid_token", "Token was revoked. You have to re-authorize from the user."
    ),
    "insufficient_scope": _bearer(
        403,
        "insufficient_scope",
        "The request requires higher privileges than provided by the access token.",
        scope="api read_api",
    ),
    "banned": Refusal(403, "Forbidden\n", "text/plain"),
    "maintenance": Refusal(
        503,
        "<!DOCTYPE html><title>GitLab is not responding (503)</title>",
        "text/html",
        {"Retry-After": str(RETRY_AFTER)},
    ),
    "bad_gateway": Refusal(
        502,
        "<html><head><title>502 Bad Gateway</title></head><center>nginx</center></html>",
        "text/html",
    ),
}
ARCHIVES = Refusal(
    429,
    json.dumps(
        {"message": {"error": "This archive has been requested too many times. Try again later."}}
    ),
)


def throttled(seconds: int = RETRY_AFTER) -> Refusal:
    """The throttle of requests; its headers say until when."""
    return Refusal(
        429,
        "Retry later\n",
        "text/plain",
        {
            "RateLimit-Limit": "600",
            "RateLimit-Name": "throttle_authenticated_api",
            "RateLimit-Observed": "601",
            "RateLimit-Remaining": "0",
            "RateLimit-Reset": str(int(time.time()) + seconds),
            "Retry-After": str(seconds),
        },
    )


def refusal(name: str) -> Refusal:
    """The refusal of that name. Raises KeyError."""
    return throttled() if name == "throttled" else REFUSALS[name]
