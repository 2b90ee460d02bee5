"""The tables of /metrics as CSV (RFC 4180) for spreadsheets."""

from collections.abc import Iterable, Mapping

from portal.http.csv_lines import BYTE_ORDER_MARK, Cell, csv_lines
from portal.metrics.dashboard import ClientFigures, row
from portal.metrics.figures import Calendar, Figures
from portal.metrics.tables import SECTIONS, TABLES, MetricsTable
from sql.reader import Row

DAYS = "days"
NAMES = (*TABLES, DAYS)

_WINDOWS = ("last 30 days", "30 days before", "last 90 days", "all days")


def head(table: MetricsTable) -> str:
    """The line with the names of the columns."""
    clients = [f"clients, {window}" for window in _WINDOWS] if table.scope else []
    results = [table.results] if table.results else []
    return BYTE_ORDER_MARK + csv_lines([[*table.columns, *_WINDOWS, *results, *clients]])


def rows(table: MetricsTable, values: Iterable[Row], known: ClientFigures) -> str:
    """Lines for rows of the table's statement."""
    return csv_lines(_cells(table, each, known) for each in values)


def days(drawn: Mapping[str, Calendar]) -> str:
    """The last ninety days: a line for each section and day."""
    return (
        BYTE_ORDER_MARK
        + csv_lines([["section", "day", "count", "clients"]])
        + csv_lines(
            [name, day.day.isoformat(), day.count, day.clients]
            for name, calendar in drawn.items()
            for day in calendar.days
        )
    )


def _cells(table: MetricsTable, values: Row, known: ClientFigures) -> list[Cell]:
    # Clients are counted by section and scope; a table that no section has counts none.
    section = next((part.id for part in SECTIONS if table in part.tables), "")
    one = row(table, section, values, known)
    cells: list[Cell] = [*one.labels, *_figures(one.counts)]
    if table.results:
        cells.append(one.results)
    if one.clients:
        cells.extend(_figures(one.clients))
    return cells


def _figures(figures: Figures) -> list[int | None]:
    return [figures.days_30, figures.days_before, figures.days_90, figures.days_all]
