"""The objects that handlers use. `portal.startup` makes them once for each process."""

from dataclasses import dataclass, field

import jinja2

from portal.analytics import Analytics
from portal.catalog.library import Library
from portal.config.model import Config
from portal.gitlab.cache import Listings
from portal.gitlab.files import FileOpener
from portal.gitlab.hints import Hints
from portal.metrics.access import Guesses
from portal.metrics.reports import Reports
from portal.operations.eventlog import EventLog
from portal.operations.readiness import Readiness
from portal.operations.traffic import TrafficCounter
from portal.relay.departures import Departures
from portal.relay.slots import Transfers
from portal.relay.upstream import Upstream
from portal.site.assets import StaticFiles
from portal.site.recorded import DisclosureReader
from portal.uploads.quota import Holding
from portal.uploads.store import Uploads
from portal.workers.pool import WorkerPool


@dataclass(frozen=True, slots=True)
class Shared:
    """The state in memory that all processes share. It is made before they are forked."""

    transfers: Transfers
    guesses: Guesses
    hints: Hints


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one process; the docstring of each says which loop or thread it belongs to.

    `running` has every request that has begun and not ended, so that a stop can wait for them.
    """

    config: Config
    events: EventLog
    reports: Reports
    listings: Listings
    upstream: Upstream
    files: FileOpener
    transfers: Transfers
    departures: Departures
    traffic: TrafficCounter
    analytics: Analytics
    library: Library
    guesses: Guesses
    templates: jinja2.Environment
    assets: StaticFiles
    disclosures: DisclosureReader
    readiness: Readiness
    uploads: Uploads
    workers: WorkerPool
    holding: Holding = field(default_factory=Holding)
    running: set[object] = field(default_factory=set)
