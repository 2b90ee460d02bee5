"""The data of /metrics as JSON."""

import json
from dataclasses import asdict
from typing import Any

from portal import __version__
from portal.analytics.share import UmamiFigures
from portal.catalog.state import CatalogState
from portal.gitlab.state import GitLabState
from portal.metrics.condition import Condition
from portal.metrics.dashboard import Dashboard, FilledTable, MetricsRow
from portal.metrics.figures import Figures
from sql.outbox import OUTCOMES


def as_json(dashboard: Dashboard, shared: UmamiFigures, tables: CatalogState | None) -> str:
    """The whole dashboard. Text is as it was recorded; tables have the names of the CSV files."""
    return json.dumps(
        {
            "made_at": dashboard.made_at.isoformat(timespec="seconds"),
            "today": dashboard.today.isoformat(),
            "behind": dashboard.behind,
            "window": dashboard.ranked,
            "version": __version__,
            "sections": {
                filled.section.id: {
                    "total": _row(filled.total),
                    "tables": {each.table.id: _table(each) for each in filled.tables},
                    "days": [
                        {"day": day.day.isoformat(), "count": day.count, "clients": day.clients}
                        for day in filled.calendar.days
                    ],
                }
                for filled in dashboard.sections
            },
            "requests": _table(dashboard.requests),
            "pages": _pages(shared),
            "house": _condition(dashboard) | {"catalog": tables.plain() if tables else None},
        },
        ensure_ascii=False,
    )


def _table(filled: FilledTable) -> dict[str, Any]:
    columns = filled.table.columns
    rows = [{**dict(zip(columns, row.labels, strict=True)), **_row(row)} for row in filled.rows]
    return {"rows": rows, "more": filled.more}


def _row(row: MetricsRow) -> dict[str, Any]:
    values: dict[str, Any] = {"counts": _figures(row.counts)}
    if row.clients:
        values["clients"] = _figures(row.clients)
    if row.results is not None:
        values["results"] = row.results
    return values


def _figures(figures: Figures) -> dict[str, Any]:
    return {**asdict(figures), "change": figures.change}


def _condition(dashboard: Dashboard) -> dict[str, Any]:
    condition = dashboard.condition
    return {
        "transfers_running": condition.running,
        "traffic": {"last_24_hours": dict(condition.recent), "ever": dict(condition.ever)},
        "events_spilled": condition.spilled,
        "clients_behind_seconds": condition.clients_behind,
        "database_bytes": condition.database,
        "disk_free_bytes": condition.free,
        "disk_low": condition.low,
        "gitlab": _gitlab(condition.gitlab),
        "outbox": _outbox(condition),
        "release_links_left_out": {
            project: [asdict(link) for link in links]
            for project, links in condition.left_out.items()
        },
        "operations": {
            name: {"at": operation.at.isoformat(), "detail": operation.detail}
            for name, operation in condition.operations.items()
        },
    }


def _gitlab(state: GitLabState) -> dict[str, Any]:
    """The token and each project's list of releases."""
    ends = state.token_expires_on
    return {**asdict(state), "token_expires_on": str(ends) if ends else None}


def _pages(shared: UmamiFigures) -> dict[str, Any] | None:
    """Umami's figures by window in days; None where there are none."""
    if shared.figures is None:
        return None
    return {
        str(days): {
            "views": window.views,
            "visitors": window.visitors,
            **{
                kind: [{"name": name, "visitors": visitors} for name, visitors in names]
                for kind, names in window.tops.items()
            },
        }
        for days, window in shared.figures.windows.items()
    }


def _outbox(condition: Condition) -> dict[str, Any] | None:
    """The outbox of page events; None where it is not configured or cannot be read."""
    state = condition.outbox
    if state is None:
        return None
    return {
        "waiting": state.waiting,
        "in_flight": state.in_flight,
        "bytes": state.bytes,
        "oldest": state.oldest.isoformat() if state.oldest else None,
        "outcomes": {
            name: {
                "amount": state.amount(name),
                "last_at": state.outcomes[name].last_at.isoformat()
                if name in state.outcomes
                else None,
                "sample": state.outcomes[name].sample if name in state.outcomes else "",
            }
            for name in OUTCOMES
        },
        "drops": {
            reason: {
                "amount": drop.amount,
                "clients": drop.clients,
                "last_at": drop.last_at.isoformat(),
            }
            for reason, drop in state.drops.items()
        },
    }
