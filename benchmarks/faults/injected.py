"""The faults. Each yields, every time it ends, the moment from which the portal must answer."""

import platform
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.faults import disk
from benchmarks.faults.gateway import FAULTS
from benchmarks.faults.rig import Rig
from sql.database import connect
from tests.support.running import no_descriptors

# From Debian's package libfaketime.
FAKETIME = Path(f"/usr/lib/{platform.machine()}-linux-gnu/faketime/libfaketimeMT.so.1")
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Plan:
    """How often and how long; `seconds` is for every fault but the database lock."""

    kills: int
    process_kills: int
    gitlab_kills: int
    lock_seconds: float
    seconds: float


Injection = Callable[[Rig, Plan], Iterator[float]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `place` makes the folder in which the portal writes; `clock`: the portal's clock
    is changed; `unwritable`: nothing can be recorded, so catalog views are shown, not counted.
    """

    name: str
    inject: Injection
    processes: int = 1
    place: disk.Place = disk.plain
    clock: bool = False
    unwritable: bool = False


def portal_killed(rig: Rig, plan: Plan) -> Iterator[float]:
    """SIGKILL of the whole portal at random moments; this function starts it again."""
    for _ in range(plan.kills):
        _a_moment()
        rig.kill()
        began = time.monotonic()
        rig.portal.start()
        yield began


def process_killed(rig: Rig, plan: Plan) -> Iterator[float]:
    """SIGKILL of one process of several; the supervisor starts it again."""
    for _ in range(plan.process_kills):
        _a_moment()
        rig.kill_one()
        yield time.monotonic()


def gitlab_killed(rig: Rig, plan: Plan) -> Iterator[float]:
    """SIGKILL of GitLab, which is started again after a while."""
    for _ in range(plan.gitlab_kills):
        _a_moment()
        rig.gateway.kill()
        _a_moment()
        rig.gateway.start()
        yield time.monotonic()


def _a_moment() -> None:
    time.sleep(random.uniform(0, 0.7))  # noqa: S311 - no secret


def gitlab_fails(fault: str, rig: Rig, plan: Plan) -> Iterator[float]:
    """One of the gateway's faults for a while."""
    rig.gateway.set(fault)
    time.sleep(plan.seconds)
    rig.gateway.set("none")
    yield time.monotonic()


def database_locked(rig: Rig, plan: Plan) -> Iterator[float]:
    """Another program holds the write lock of the database."""
    with closing(connect(rig.database)) as connection:
        connection.execute("begin immediate")
        time.sleep(plan.lock_seconds)
        connection.execute("rollback")
        yield time.monotonic()


def disk_full(rig: Rig, plan: Plan) -> Iterator[float]:
    """The disk on which the portal writes is full."""
    filler = disk.fill(rig.portal.data_dir.parent)
    time.sleep(plan.seconds)
    filler.unlink()
    yield time.monotonic()


def read_only(rig: Rig, plan: Plan) -> Iterator[float]:
    """The file system becomes read-only, as after a disk error. The portal must be stopped for the
    check, and refuses to start before it can write."""
    place = rig.portal.data_dir.parent
    device = disk.abort(place)
    time.sleep(plan.seconds)
    rig.portal.stop()
    disk.run("umount", place)
    disk.run("mount", "-o", "ro,noload", device, place)
    rig.does_not_start()
    disk.run("umount", place)
    disk.run("e2fsck", "-fy", device, check=False)
    disk.run("mount", device, place)
    began = time.monotonic()
    rig.portal.start()
    yield began


def clock_set_back(rig: Rig, plan: Plan) -> Iterator[float]:
    """The clock goes back by a day, and is corrected after a while."""
    for seconds in (-DAY, 0):
        rig.set_clock(seconds)
        time.sleep(plan.seconds)
        yield time.monotonic()


def descriptors_used_up(rig: Rig, plan: Plan) -> Iterator[float]:
    """The limit of file descriptors is lowered to the number in use."""
    with no_descriptors(*rig.servers()):
        time.sleep(plan.seconds)
    yield time.monotonic()


ALL = (
    Fault("the portal killed", portal_killed),
    Fault("one process of three killed", process_killed, processes=3),
    Fault("GitLab killed", gitlab_killed),
    *(Fault(f"GitLab: {fault}", partial(gitlab_fails, fault)) for fault in FAULTS),
    Fault("the database locked", database_locked, processes=2),
    Fault("the disk full", disk_full, place=disk.tmpfs),
    Fault("the file system read-only", read_only, place=disk.image, unwritable=True),
    Fault("the clock a day back", clock_set_back, clock=True),
    Fault("no descriptor left", descriptors_used_up),
)
