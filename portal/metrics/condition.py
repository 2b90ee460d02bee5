"""The state of the portal, for operators: sizes, traffic, operations, the outbox."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from portal.gitlab.state import GitLabState
from portal.releases.model import LeftOut
from sql.errors import OutboxError
from sql.outbox import State
from sql.outbox import look as look_at
from sql.reader import Snapshot

log = logging.getLogger("portal.metrics")

# The disk counts as low below this, and below the size of the database, since a backup needs that.
LOW_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Operation:
    """The last run of one of the operator's commands; `detail` is the size of a backup in bytes, or
    the day before which rows were pruned."""

    at: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Condition:
    """The state of all processes together; sizes in bytes, `clients_behind` in seconds.

    `recent` and `ever` are sums of traffic by name, of the last 24 hours and of all time. `outbox`
    is the state of the outbox of page events: None where page events are not configured, or where
    `outbox_unread` says that it could not be read. `left_out` has the links of releases that are
    left out, by project.
    """

    running: int
    spilled: int
    database: int
    free: int
    recent: Mapping[str, int]
    ever: Mapping[str, int]
    operations: Mapping[str, Operation]
    clients_behind: float
    gitlab: GitLabState
    outbox: State | None = None
    outbox_unread: bool = False
    left_out: Mapping[str, tuple[LeftOut, ...]] = field(default_factory=dict)

    @property
    def low(self) -> bool:
        """Whether the disk is nearly full."""
        return self.free < max(LOW_BYTES, self.database)

    @property
    def horizon(self) -> str:
        """The day before which rows were pruned; "" where none were."""
        return self.operations["prune"].detail if "prune" in self.operations else ""


@dataclass(frozen=True, slots=True)
class DatabaseFiles:
    """The databases that are read; `outbox` is None where page events are not configured."""

    database: Path
    outbox: Path | None


def look(
    snapshot: Snapshot,
    now: datetime,
    files: DatabaseFiles,
    running: int,
    spilled: int,
    gitlab: GitLabState,
) -> Condition:
    """Read the state; blocking. Raises `ReadError`."""
    database = files.database
    outbox = _outbox(files.outbox)
    since = f"{now - timedelta(hours=24):%Y-%m-%d %H:00}"
    traffic = snapshot.rows("traffic_sums", since=since)
    return Condition(
        running=running,
        spilled=spilled,
        database=sum(map(_size, (database, database.with_name(f"{database.name}-wal")))),
        free=shutil.disk_usage(database.parent).free,
        recent={name: recent for name, recent, _ in traffic},
        ever={name: ever for name, _, ever in traffic},
        operations={
            name: Operation(_time(at), detail) for name, at, detail in snapshot.rows("operations")
        },
        clients_behind=_behind(snapshot, now),
        gitlab=gitlab,
        outbox=outbox,
        outbox_unread=bool(files.outbox) and outbox is None,
    )


def _outbox(path: Path | None) -> State | None:
    """The outbox's state; None where it cannot be read: the other numbers are still shown."""
    if path is None:
        return None
    try:
        return look_at(path)
    except OutboxError as error:
        log.warning("%s", error)
        return None


def _behind(snapshot: Snapshot, now: datetime) -> float:
    """The age in seconds of the earliest row whose client is not counted yet."""
    ((earliest,),) = snapshot.rows("uncounted_since")
    return max(0.0, (now - _time(earliest)).total_seconds()) if earliest else 0.0


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
