"""Descriptors: how many a process may have open, and the three that every process needs."""

import logging
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path

log = logging.getLogger("portal.server")


def open_standard_streams() -> None:
    """Put /dev/null where standard input, output or error was closed before the start.

    Else the next file or socket would get that number, and whatever is printed would go into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                # The kernel gives the lowest number that is free, which is this one.
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


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
