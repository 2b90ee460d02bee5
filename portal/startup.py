"""Start-up of one process: its parts are made and started in the order in which they are needed."""

import asyncio
from contextlib import AsyncExitStack
from typing import Protocol, TypeVar

from portal.analytics import MOST_CONNECTIONS, Analytics
from portal.analytics.client import ANSWER_BYTES
from portal.catalog.library import Library
from portal.catalog.refresh import RefreshTask
from portal.config.model import Config
from portal.gitlab.api import GitLabApi
from portal.gitlab.cache import Listings
from portal.gitlab.files import FileOpener
from portal.gitlab.token_watch import TokenWatch
from portal.metrics.condition import DatabaseFiles
from portal.metrics.reports import Reports
from portal.operations.eventlog import EventLog
from portal.operations.readiness import Readiness
from portal.operations.traffic import TrafficCounter
from portal.operations.upkeep import UpkeepTask
from portal.process.background import Background
from portal.relay.credential import Credential
from portal.relay.curl import CurlClient
from portal.relay.departures import Departures
from portal.relay.upstream import Upstream
from portal.services import Services, Shared
from portal.site import templates
from portal.site.assets import StaticFiles
from portal.site.recorded import DisclosureReader
from portal.uploads.store import Uploads
from portal.uploads.sweep import SweepTask
from portal.workers.pool import WorkerPool
from sql.reader import Reader
from sql.recorder import Recorder
from sql.upkeep import Upkeep

UNBOUNDED = 1 << 60  # Tornado's curl client bounds streamed bodies too, unless told not to


class Closable(Protocol):
    """What is closed at the end, without waiting."""

    def close(self) -> None:
        """End it."""


C = TypeVar("C", bound=Closable)


def make_services(
    stack: AsyncExitStack, config: Config, shared: Shared, slot: int = 0, slots: int = 1
) -> Services:
    """The parts of the process in `slot`, of `slots`, on the running event loop.

    The stack ends them in the reverse order. Raises `SqlError`, OSError.
    """
    events = EventLog(_start_recorder(stack, config, slot, slots))
    traffic = TrafficCounter(events)
    traffic.start()
    stack.push_async_callback(traffic.stop)
    reader = _closed_by(stack, Reader(config.database))
    upkeep = Upkeep(config.database)
    uploads = Uploads(config.upload_dir)
    workers = WorkerPool()
    stack.push_async_callback(workers.close)
    library = _closed_by(stack, Library(config.catalog_index))
    if slot == 0:
        refresh = RefreshTask(config.catalog_dir, config.catalog_index)
        _start_tasks(stack, UpkeepTask(upkeep), SweepTask(uploads), refresh)
    credential = Credential(config.gitlab)
    upstream = _upstream(stack, config, credential)
    analytics = _start_analytics(stack, config, slot)
    listings = _start_listings(stack, config, traffic, credential, shared)
    files = DatabaseFiles(config.database, config.outbox)
    return Services(
        config=config,
        events=events,
        reports=Reports(reader, upkeep, files, config.spill_dir, shared.transfers, listings),
        listings=listings,
        departures=Departures(),
        traffic=traffic,
        analytics=analytics,
        library=library,
        guesses=shared.guesses,
        upstream=upstream,
        files=FileOpener(upstream, listings),
        transfers=shared.transfers,
        templates=templates.environment(),
        assets=StaticFiles(config.site),
        disclosures=DisclosureReader(config, reader),
        readiness=Readiness(config, reader, listings),
        uploads=uploads,
        workers=workers,
    )


def _closed_by(stack: AsyncExitStack, part: C) -> C:
    stack.callback(part.close)
    return part


def _start_tasks(stack: AsyncExitStack, *tasks: Background) -> None:
    for task in tasks:
        task.start()
        stack.push_async_callback(task.stop)


def _start_recorder(stack: AsyncExitStack, config: Config, slot: int, slots: int) -> Recorder:
    recorder = Recorder(config.database, config.spill_dir, slot, slots)
    recorder.start()
    stack.push_async_callback(asyncio.to_thread, recorder.close)
    return recorder


def _upstream(stack: AsyncExitStack, config: Config, credential: Credential) -> Upstream:
    # A handle for every transfer, and one for the redirect before it, so that none waits in the
    # client's own unbounded queue.
    handles = 2 * config.limits.transfers
    client = CurlClient(force_instance=True, max_clients=handles, max_body_size=UNBOUNDED)
    return Upstream(_closed_by(stack, client), config.gitlab, config.limits, credential)


def _start_analytics(stack: AsyncExitStack, config: Config, slot: int) -> Analytics:
    client = CurlClient(
        force_instance=True, max_clients=MOST_CONNECTIONS, max_body_size=ANSWER_BYTES
    )
    analytics = Analytics(config, _closed_by(stack, client))
    analytics.start(stack, slot)
    return analytics


def _start_listings(
    stack: AsyncExitStack,
    config: Config,
    traffic: TrafficCounter,
    credential: Credential,
    shared: Shared,
) -> Listings:
    client = _closed_by(stack, CurlClient(force_instance=True))
    api = GitLabApi(config.gitlab, client, config.limits, credential)
    _start_tasks(stack, TokenWatch(api, credential))
    listings = Listings(config, api, traffic.listing_failed, shared.hints)
    listings.start()
    stack.push_async_callback(listings.stop)
    return listings
