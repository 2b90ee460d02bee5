"""The tables of the operator's page as data. Each of them can also be had as a CSV file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# The windows by which long tables can be ranked.
WINDOWS = {"30": "30 days", "90": "90 days", "all": "all days"}
# The most rows of a table on the page and in the JSON; the CSV file has all rows.
TOP = 100

Labels = tuple[str, ...]

EVENTS = {
    "category_view": "Categories viewed",
    "search": "Searches",
    "diff_view": "Diffs viewed",
}
VERDICTS = {
    "counted": "Counted as a download",
    "continued": "Part of a counted download",
    "probe": "Probe: the end, or a few bytes",
    "head": "HEAD: only asked about",
    "not_modified": "Not modified: the client had it",
    "failed": "Failed, or refused",
}


@dataclass(frozen=True, slots=True)
class MetricsTable:
    """One table: `statement` is its query in `sql/queries/metrics.sql`, which selects the text
    `columns`, then the four counts of `Figures` and, if `results` names it, one more number.

    `scope` gives the key under which the clients of a row are counted. `names` maps what is stored
    to what readers of the page see.
    """

    id: str
    title: str
    caption: str
    columns: Labels
    statement: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    scope: Callable[[Labels], str] | None = None
    results: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page. The rows of its first table add up to the section's total.

    For Prometheus the same table is the counter `portal_<series>_total`, with its columns as labels
    and `series_help` as its help. `id` is one of `sql.sections`.
    """

    id: str
    title: str
    unit: str
    rule: str
    series: str
    series_help: str
    tables: tuple[MetricsTable, ...]


def _project(labels: Labels) -> str:
    return labels[0]


def _details(
    name: str, title: str, caption: str, event: str, column: str, results: str = ""
) -> MetricsTable:
    return MetricsTable(
        name, title, caption, (column,), "catalog_top", {"event": event}, results=results
    )


DOWNLOADS = Section(
    "downloads",
    "Downloads",
    "downloads",
    "One for each file that was sent, in however many parts it was fetched.",
    "downloads",
    "Downloads.",
    (
        MetricsTable(
            "downloads-by-project",
            "By project",
            "Release assets and source archives",
            ("project",),
            "section_by_1",
            {"section": "downloads"},
            _project,
        ),
        MetricsTable(
            "downloads-by-version",
            "By version",
            "All files of a release together",
            ("project", "version"),
            "section_by_2",
            {"section": "downloads"},
        ),
        MetricsTable(
            "downloads-by-asset",
            "By asset",
            "Each file of a release",
            ("project", "version", "asset"),
            "section_by_3",
            {"section": "downloads"},
        ),
    ),
)
CLONES = Section(
    "clones",
    "Clones and fetches",
    "clones and fetches",
    "One each time git asked what a repository holds: a clone, a fetch, a look.",
    "clones",
    "Clones and fetches.",
    (
        MetricsTable(
            "clones-by-project",
            "By project",
            "Each time git asked what there is",
            ("project",),
            "section_by_1",
            {"section": "clones"},
            _project,
        ),
    ),
)
TOOLS = Section(
    "tools",
    "Tools",
    "save files",
    "An upload once a save file was read, a download once the edited one was sent.",
    "tool_uses",
    "Save files.",
    (
        MetricsTable(
            "tools-by-event",
            "By tool",
            "Save files that were read, and edited ones that were sent",
            ("tool", "event"),
            "section_by_2",
            {"section": "tools"},
            " ".join,
        ),
    ),
)
CATALOG = Section(
    "catalog",
    "Catalog",
    "look-ups",
    "One for each category or diff that was shown, and for each search that was sent.",
    "catalog_interactions",
    "Uses of the catalog.",
    (
        MetricsTable(
            "catalog-by-event",
            "By kind",
            "What the catalog was used for",
            ("event",),
            "catalog_by_event",
            scope=_project,
            names=EVENTS,
        ),
        _details(
            "categories", "Top categories", "Whose pages were shown", "category_view", "category"
        ),
        _details(
            "searches", "Top searches", "As they were typed", "search", "search", "last one found"
        ),
        _details(
            "searches-without-result",
            "Searches that found nothing",
            "What people look for, and is not there",
            "empty_search",
            "search",
        ),
        _details("diffs", "Top diffs", "Which versions were compared", "diff_view", "diff"),
    ),
)
SECTIONS = (DOWNLOADS, CLONES, TOOLS, CATALOG)

REQUESTS = MetricsTable(
    "requests",
    "By what they were",
    "Requests for files",
    ("verdict",),
    "requests_by_verdict",
    names=VERDICTS,
)

TABLES = {
    table.id: table for table in (*(table for part in SECTIONS for table in part.tables), REQUESTS)
}
