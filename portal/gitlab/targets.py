"""Upstream request for the address of a file, or the error where none may be sent."""

import logging

from portal.errors import Unavailable
from portal.gitlab.addresses import Address, Kind
from portal.relay.upstream import Target, refused, without_query

log = logging.getLogger("portal.gitlab")


def target(address: Address) -> Target:
    """The request for an address. Raises `PortalError` where none may or can be made."""
    if address.kind is Kind.ELSEWHERE:
        return Target(address.url, own=False)
    if address.kind is not Kind.FILE:
        raise refused(address.url, f"is {address.kind.value}")
    if address.package_file is not None:
        log.warning("%s: the package of this file is not found", without_query(address.url))
        raise Unavailable("This file is still being looked for in GitLab.", retry_after=60)
    page = address.name.lower().endswith((".html", ".htm", ".xhtml"))
    return Target(address.url, own=True, page=page)
