"""The facts about each section of events, once: tables, columns and keys.

Every statement that differs between sections only in these is a Jinja template in `queries/*.sql`,
expanded when it is loaded. docs/recipes.md says how to add a section.
"""

from typing import NamedTuple


class EventSection(NamedTuple):
    """One kind of event that is counted by day.

    `events` is the table of its rows, one for each event, with the columns `fields`, `timestamp`
    and `ip_hash`. `totals` is the table of its daily totals, whose key is the day and `keys`: those
    of the `fields` that are counted by, three at most. `kind` names the event in a batch.
    """

    id: str
    kind: str
    events: str
    totals: str
    fields: tuple[str, ...]
    keys: tuple[str, ...]
    # An SQL expression over `fields`: the part of the section by which distinct clients are counted
    # besides the whole section. Several columns are joined by a space.
    scope: str
    # What the rows are called in the operator's commands.
    noun: str
    # The field whose latest value the totals keep in the column `results`.
    results: str = ""
    # The view that a batch is inserted into, where triggers decide what becomes a row.
    inbox: str = ""

    @property
    def key_list(self) -> str:
        """The keys as a list of columns."""
        return ", ".join(self.keys)

    @property
    def padded(self) -> str:
        """The keys as the three columns k1, k2 and k3, those that are missing empty."""
        return ", ".join((*self.keys, "''", "''")[:3])

    @property
    def k_list(self) -> str:
        """The columns among k1, k2 and k3 that the keys are stored in where sections share one."""
        return ", ".join(("k1", "k2", "k3")[: len(self.keys)])


DOWNLOADS = EventSection(
    id="downloads",
    kind="download_request",
    events="downloads",
    totals="download_totals",
    fields=("project", "version", "asset", "user_agent"),
    keys=("project", "version", "asset"),
    scope="project",
    noun="downloads",
    inbox="download_requests",
)
CLONES = EventSection(
    id="clones",
    kind="clone",
    events="clones",
    totals="clone_totals",
    fields=("project", "user_agent"),
    keys=("project",),
    scope="project",
    noun="clones",
)
TOOLS = EventSection(
    id="tools",
    kind="tool_use",
    events="tool_usage",
    totals="tool_totals",
    fields=("tool", "event", "user_agent"),
    keys=("tool", "event"),
    scope="tool || ' ' || event",
    noun="tool events",
)
CATALOG = EventSection(
    id="catalog",
    kind="catalog_interaction",
    events="catalog_interactions",
    totals="catalog_totals",
    fields=("event", "detail", "result_count"),
    keys=("event", "detail"),
    scope="event",
    noun="catalog events",
    results="result_count",
)

# In the order in which they are counted and shown.
SECTIONS = (DOWNLOADS, CLONES, TOOLS, CATALOG)
