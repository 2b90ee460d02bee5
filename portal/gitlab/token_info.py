"""What GitLab says of the access token itself, of a project's or a group's too.

https://docs.gitlab.com/api/personal_access_tokens/#get-details-on-a-personal-access-token
"""

from datetime import date
from typing import Any

from portal.gitlab.requests import Failing
from portal.relay.credential import TokenInfo

PATH = "/personal_access_tokens/self"


def read_token_info(document: dict[str, Any]) -> TokenInfo:
    """From the API's answer. Raises `Failing`."""
    scopes, name, ends = (document.get(each) for each in ("scopes", "name", "expires_at"))
    listed = scopes if isinstance(scopes, list) else []
    try:
        expires_on = date.fromisoformat(ends[:10]) if isinstance(ends, str) else None
    except ValueError:
        raise Failing(f"{PATH} answered with a strange date") from None
    return TokenInfo(
        name=name[:200] if isinstance(name, str) else "",
        scopes=tuple(scope for scope in listed if isinstance(scope, str)),
        expires_on=expires_on,
    )
