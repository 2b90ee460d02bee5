"""What is recorded: one class for each kind of event.

`kind` names the statement in `sql/queries/record.sql` that takes it, and the field names are what
that statement reads. `time` is Unix time in whole seconds, UTC.
"""

import time as clock
from dataclasses import dataclass, field
from typing import ClassVar

USER_AGENT_LIMIT = 1024


def now() -> int:
    """Unix time in whole seconds."""
    return int(clock.time())


@dataclass(frozen=True, slots=True)
class DownloadRequest:
    """One request for an asset (M1); `classification` is how `portal.counting` sees it.

    The database decides, from that and what it saw in the window, whether it is a download.
    """

    kind: ClassVar[str] = "download_request"
    project: str
    version: str
    asset: str
    ip_hash: str
    user_agent: str
    classification: str
    time: int = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class Clone:
    """One `info/refs?service=git-upload-pack` of a known project (M2)."""

    kind: ClassVar[str] = "clone"
    project: str
    ip_hash: str
    user_agent: str
    time: int = field(default_factory=now)


Event = DownloadRequest | Clone
