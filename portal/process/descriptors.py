"""How many files and sockets a process may have open."""

import logging
import resource

log = logging.getLogger("portal.server")


def allow_descriptors(transfers: int) -> None:
    """Raise the soft limit to the hard one: a transfer takes two, an idle connection one."""
    wanted = 2 * transfers + 500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(wanted, 65_536) if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < wanted:
        log.warning(
            "only %d descriptors are allowed; %d transfers want %d", most, transfers, wanted
        )
