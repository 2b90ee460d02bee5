"""Events: one dataclass for each kind that is recorded.

`kind` names the statement in `sql/queries/record.sql` that takes it, and the field names are what
that statement reads. `time` is Unix time in whole seconds, UTC.
"""

import time as clock
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from portal.counting import Classification

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
    classification: Classification
    time: int = field(default_factory=now)

    def renewal(self) -> Self:
        """The event that its transfer still runs, or has just ended."""
        return replace(self, classification=Classification.RENEWAL, time=now())


@dataclass(frozen=True, slots=True)
class Clone:
    """One `info/refs?service=git-upload-pack` of a known project (M2)."""

    kind: ClassVar[str] = "clone"
    project: str
    ip_hash: str
    user_agent: str
    time: int = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One save file that went through a tool (M3); `event` is "upload" or "download"."""

    kind: ClassVar[str] = "tool_use"
    tool: str
    event: str
    ip_hash: str
    user_agent: str
    time: int = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class CatalogInteraction:
    """One use of the catalog (M4); `event` is "category_view", "search" or "diff_view".

    `detail` is the category, the query or what was compared; `result_count` is for searches only.
    """

    kind: ClassVar[str] = "catalog_interaction"
    event: str
    detail: str
    result_count: int | None
    ip_hash: str
    time: int = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class Traffic:
    """So much more of something (`name`: "bytes", "upstream_failures", ...) within an hour."""

    kind: ClassVar[str] = "traffic"
    name: str
    amount: int
    time: int = field(default_factory=now)


Event = DownloadRequest | Clone | ToolUse | CatalogInteraction | Traffic
