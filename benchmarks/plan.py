"""Sizes and times of a run: the full run, and a quick one that only shows that all of it works."""

from dataclasses import dataclass

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

SMALL_BYTES = 10 * KIB


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes are in bytes, times in seconds. `rounds` is for everything but the slow readers;
    `history_scale` and `catalog_scale` are fractions of the full history and of the full tables."""

    rounds: int
    one_bytes: int
    many_clients: int
    many_bytes: int
    small_seconds: float
    slow_clients: int
    slow_seconds: float
    pack_bytes: int
    recorder_seconds: float
    history_scale: float
    pages: int
    lag_seconds: float
    catalog_scale: float
    catalog_versions: int
    catalog_requests: int
    page_event_seconds: float
    page_events: int
    outage_seconds: float
    kills: int
    lock_seconds: float
    soak_seconds: float


FULL = Plan(
    rounds=5,
    one_bytes=GIB,
    many_clients=50,
    many_bytes=20 * MIB,
    small_seconds=3,
    slow_clients=200,
    slow_seconds=15,
    pack_bytes=300 * MIB,
    recorder_seconds=3,
    history_scale=1,
    pages=200,
    lag_seconds=60,
    catalog_scale=1,
    catalog_versions=30,
    catalog_requests=1000,
    page_event_seconds=3,
    page_events=300,
    outage_seconds=600,
    kills=200,
    lock_seconds=60,
    soak_seconds=600,
)
QUICK = Plan(
    rounds=1,
    one_bytes=64 * MIB,
    many_clients=10,
    many_bytes=8 * MIB,
    small_seconds=0.5,
    slow_clients=20,
    slow_seconds=1.5,
    pack_bytes=8 * MIB,
    recorder_seconds=0.3,
    history_scale=0.005,
    pages=20,
    lag_seconds=3,
    catalog_scale=0.05,
    catalog_versions=4,
    catalog_requests=100,
    page_event_seconds=1,
    page_events=30,
    outage_seconds=12,
    kills=3,
    lock_seconds=2,
    soak_seconds=20,
)
