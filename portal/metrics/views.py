"""The page's data as other programs and the template take it."""

import json
from dataclasses import asdict
from typing import Any

from portal import __version__
from portal.metrics.dashboard import Dashboard, FilledTable, Row
from portal.metrics.figures import Figures


def as_json(dashboard: Dashboard) -> str:
    """The whole dashboard; text is as it was recorded, names are the CSV tables'."""
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
            "house": _house(dashboard),
        },
        ensure_ascii=False,
    )


def _table(filled: FilledTable) -> dict[str, Any]:
    columns = filled.table.columns
    rows = [{**dict(zip(columns, row.labels, strict=True)), **_row(row)} for row in filled.rows]
    return {"rows": rows, "more": filled.more}


def _row(row: Row) -> dict[str, Any]:
    values: dict[str, Any] = {"counts": _figures(row.counts)}
    if row.clients:
        values["clients"] = _figures(row.clients)
    if row.results is not None:
        values["results"] = row.results
    return values


def _figures(figures: Figures) -> dict[str, Any]:
    return {**asdict(figures), "change": figures.change}


def _house(dashboard: Dashboard) -> dict[str, Any]:
    house = dashboard.house
    return {
        "transfers_running": house.running,
        "traffic": {"last_24_hours": dict(house.recent), "ever": dict(house.ever)},
        "events_spilled": house.spilled,
        "clients_behind_seconds": house.clients_behind,
        "database_bytes": house.database,
        "disk_free_bytes": house.free,
        "disk_low": house.low,
        "operations": {
            name: {"at": operation.at.isoformat(), "detail": operation.detail}
            for name, operation in house.operations.items()
        },
    }
