"""What the handlers work with, made once for each process and handed to `make_app`."""

from dataclasses import dataclass, field

import jinja2

from portal.admission import Transfers
from portal.analytics import Analytics
from portal.assets import Assets
from portal.catalog.library import Library
from portal.config import Config
from portal.departures import Departures
from portal.disclosure import Record
from portal.holding import Holding
from portal.listings import Listings
from portal.metrics.door import Guesses
from portal.metrics.reports import Reports
from portal.readiness import Readiness
from portal.recording import Recording
from portal.traffic import TrafficCounter
from portal.uploads import Uploads
from portal.upstream import Upstream
from portal.workers import Workers


@dataclass(frozen=True, slots=True)
class Shared:
    """What all processes share: made before they are forked."""

    transfers: Transfers
    guesses: Guesses


@dataclass(frozen=True, slots=True)
class Services:
    """One process's parts; each says in its own docstring which loop or thread it belongs to.

    `running` holds every request that has begun and not ended, so that a stop can wait for them.
    """

    config: Config
    recorder: Recording
    reports: Reports
    listings: Listings
    upstream: Upstream
    transfers: Transfers
    departures: Departures
    traffic: TrafficCounter
    analytics: Analytics
    library: Library
    guesses: Guesses
    templates: jinja2.Environment
    assets: Assets
    record: Record
    readiness: Readiness
    uploads: Uploads
    workers: Workers
    holding: Holding = field(default_factory=Holding)
    running: set[object] = field(default_factory=set)
