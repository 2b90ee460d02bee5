"""Prometheus exposition: the series, their names and their values.

All values come from the database or from memory that the processes share, so each process answers
the same, and prometheus_client's multiprocess mode (a folder of files) is not needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from portal import __version__
from portal.gitlab.requests import FAILURE_CAUSES
from portal.gitlab.state import LIST_STATES
from portal.metrics.condition import Condition
from portal.metrics.dashboard import Days, clients
from portal.metrics.tables import REQUESTS, SECTIONS, MetricsTable
from portal.releases.model import CAUSES
from sql.outbox import OUTCOMES, REASONS
from sql.reader import Snapshot

# Requests for files by project and verdict; the page has their sums over all projects.
REQUESTS_BY_PROJECT = replace(
    REQUESTS,
    columns=("project", "verdict"),
    statement="section_by_2",
    parameters={"section": "requests"},
)
# One counter over all days for each: its name, its help and the table with its values.
COUNTERS: tuple[tuple[str, str, MetricsTable], ...] = (
    *((section.series, section.series_help, section.tables[0]) for section in SECTIONS),
    ("download_requests", "Requests for files, by what they were.", REQUESTS_BY_PROJECT),
)


@dataclass(frozen=True, eq=False)
class Source(Collector):
    """The values of one scrape, read from one snapshot of the database."""

    snapshot: Snapshot
    days: Days
    condition: Condition

    def collect(self) -> Iterator[Metric]:
        """Every metric family. Names follow prometheus.io: base units, `_total` for counters."""
        yield from self._counters()
        yield from self._clients()
        yield from self._condition()

    def _counters(self) -> Iterator[Metric]:
        for name, text, table in COUNTERS:
            width = len(table.columns)
            rows = self.snapshot.rows(table.statement, limit=-1, **self.days.parameters(table))
            family = CounterMetricFamily(f"portal_{name}", text, labels=table.columns)
            for values in rows:
                family.add_metric(values[:width], values[width + 3])
            yield family

    def _clients(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "portal_clients",
            "Distinct clients, in whole UTC days that end today.",
            labels=("section", "scope", "window"),
        )
        for (section, scope), figures in clients(self.snapshot, self.days).items():
            family.add_metric((section, scope, "30d"), figures.days_30)
            family.add_metric((section, scope, "90d"), figures.days_90)
            family.add_metric((section, scope, "all"), figures.days_all)
        yield family

    def _condition(self) -> Iterator[Metric]:
        condition = self.condition
        behind = condition.clients_behind
        gauges = {
            "clients_behind_seconds": ("How far the distinct clients lag.", behind),
            "transfers_running": ("Transfers that run now.", condition.running),
            "spilled_events": ("Events that wait outside the database.", condition.spilled),
            "database_bytes": ("Size of the database.", condition.database),
            "disk_free_bytes": ("Free disk where the database is.", condition.free),
        }
        if "backup" in condition.operations:
            at = condition.operations["backup"].at.timestamp()
            gauges["last_backup_timestamp_seconds"] = ("When the last backup was made.", at)
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(f"portal_{name}", text, value=value)
        relayed = condition.ever.get("bytes", 0)
        yield CounterMetricFamily("portal_relayed_bytes", "Bytes sent to clients.", value=relayed)
        failures = condition.ever.get("upstream_failures", 0)
        yield CounterMetricFamily(
            "portal_upstream_failures", "Answers that GitLab or a host failed.", value=failures
        )
        unreadable = condition.ever.get("unreadable_clients", 0)
        yield CounterMetricFamily(
            "portal_unreadable_clients",
            "Requests whose client a trusted proxy named in no readable way.",
            value=unreadable,
        )
        yield from self._gitlab()
        yield from self._outbox()
        yield self._left_out()
        family = GaugeMetricFamily("portal_build_info", "The version.", labels=("version",))
        family.add_metric((__version__,), 1)
        yield family

    def _left_out(self) -> Metric:
        family = GaugeMetricFamily(
            "portal_release_links_left_out",
            "Links of releases that are no files here, by the reason.",
            labels=("project", "cause"),
        )
        for project, links in self.condition.left_out.items():
            for cause in CAUSES:
                family.add_metric((project, cause), sum(link.cause == cause for link in links))
        return family

    def _gitlab(self) -> Iterator[Metric]:
        state = self.condition.gitlab
        refused = bool(state.token_refused)
        yield GaugeMetricFamily(
            "portal_gitlab_token_refused", "1 while GitLab refuses the token.", value=refused
        )
        if state.token_seconds_left is not None:
            yield GaugeMetricFamily(
                "portal_gitlab_token_expires_seconds",
                "Seconds until GitLab refuses the token.",
                value=state.token_seconds_left,
            )
        family = GaugeMetricFamily(
            "portal_gitlab_project_state",
            "1 for the state of each project's list of releases.",
            labels=("project", "state"),
        )
        for project in state.projects:
            for name in LIST_STATES:
                family.add_metric((project.slug, name), project.state == name)
        yield family
        failures = CounterMetricFamily(
            "portal_gitlab_listing_failures",
            "Times that GitLab gave no list of releases, by cause.",
            labels=("cause",),
        )
        for cause in FAILURE_CAUSES:
            failures.add_metric((cause,), self.condition.ever.get(f"listing_failures_{cause}", 0))
        yield failures

    def _outbox(self) -> Iterator[Metric]:
        state = self.condition.outbox
        if state is None:
            return
        gauges: dict[str, tuple[str, float]] = {
            "waiting_events": ("Page events that wait for Umami.", state.waiting),
            "in_flight_events": ("Page events handed over, not answered yet.", state.in_flight),
            "bytes": ("Size of the page events in the outbox.", state.bytes),
        }
        if state.oldest is not None:
            gauges["oldest_timestamp_seconds"] = (
                "When the first came that waits.",
                state.oldest.timestamp(),
            )
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(f"portal_outbox_{name}", text, value=value)
        family = CounterMetricFamily(
            "portal_page_events",
            "Page events that are not in the outbox any more, by what became of them.",
            labels=("outcome",),
        )
        for name in OUTCOMES:
            family.add_metric((name,), state.amount(name))
        yield family
        dropping = GaugeMetricFamily(
            "portal_outbox_dropped_clients",
            "Clients whose page events found no room in the last 30 days, by reason.",
            labels=("reason",),
        )
        for reason in REASONS:
            drop = state.drops.get(reason)
            dropping.add_metric((reason,), drop.clients if drop else 0)
        yield dropping


def answer(source: Source, accept: str) -> tuple[bytes, str]:
    """The exposition in the format that `Accept` prefers, and its content type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(source)
    encoder, content_type = choose_encoder(accept)
    return encoder(registry), content_type
