"""/catalog/diff and /catalog/history: what changed between versions."""

from typing import Any

from handlers.catalog.base import CatalogHandler, newest_first
from portal.catalog import addresses
from portal.catalog.diffs import (
    KINDS,
    FieldChange,
    TableChange,
    TableDiff,
    changed_tables,
    table_diff,
)
from portal.catalog.history import Step, row_history
from portal.catalog.links import resolve
from portal.catalog.model import Dataset, TableEntry
from portal.catalog.snapshot import Catalog
from portal.catalog.values import references
from portal.errors import Malformed, NotFound


class CompareHandler(CatalogHandler):
    """What both comparisons share: two versions and a kind."""

    named_by = ("from", "to")

    def kind(self) -> str:
        """The kind of change that is asked for, "" for all. Raises `Malformed`."""
        kind = self.field("kind")
        if kind and kind not in KINDS:
            raise Malformed(f'There is no kind "{kind[:40]}".', f"These are: {', '.join(KINDS)}.")
        return kind

    def datasets(self, catalog: Catalog) -> tuple[Dataset, Dataset]:
        """The older and the newer side; without a choice, the last two. Raises `NotFound`."""
        new = catalog.version(self.field("to") or None)
        if self.field("from"):
            old = catalog.version(self.field("from"))
        else:
            at = catalog.versions.index(new)
            old = catalog.versions[max(0, at - 1)]
        return catalog.dataset(old), catalog.dataset(new)

    async def count(self, old: str, new: str, table: str = "") -> None:
        """Record a comparison that was asked for, unless it only shows another part of one."""
        again = any(name in self.request.query_arguments for name in ("kind", "page"))
        asked = self.field("from") or self.field("to")
        if asked and old != new and self.counts and not again:
            await self.interaction("diff_view", f"{table} {old}..{new}".strip())


class DiffHandler(CompareHandler):
    """/catalog/diff: the tables that changed."""

    async def get(self) -> None:
        """A page; it lets one choose as well."""
        kind = self.kind()

        def work(catalog: Catalog) -> dict[str, Any]:
            old, new = self.datasets(catalog)
            changes = [
                change
                for change in changed_tables(catalog, old, new)
                if not kind or change.counts[kind]
            ]
            versions = newest_first(catalog)
            return {"old": old, "new": new, "changes": changes, "versions": versions}

        context = await self.read(work)
        old, new = context["old"].version.name, context["new"].version.name
        await self.count(old, new)
        if self.form == "json":
            self.answer_json(self.document(old, new, context["changes"]))
            return
        totals = {kind: sum(each.counts[kind] for each in context["changes"]) for kind in KINDS}
        await self.show("diff.html", kind=kind, totals=totals, **context)

    def document(self, old: str, new: str, changes: list[TableChange]) -> dict[str, Any]:
        """The changes for a program."""
        tables = [
            {
                "category": change.entry.category,
                "table": change.entry.name,
                **change.counts,
                "defaults_changed": change.head,
                "url": self.origin
                + addresses.diff(old, new, change.entry.category, change.entry.name),
            }
            for change in changes
        ]
        return {"from": old, "to": new, "tables": tables}


class TableDiffHandler(CompareHandler):
    """/catalog/diff/<Category>/<Table>: the rows that changed, field by field."""

    async def get(self, category: str, table: str) -> None:
        """A page; `with` another version, `of` one, leads to it from the older to the newer."""
        if other := self.field("with"):
            names = (other, self.field("of") or None)
            old, new = await self.read(lambda catalog: catalog.in_order(names))
            self.redirect(addresses.diff(old, new, category, table))
            return
        kind, page = self.kind(), self.number("page")

        def work(catalog: Catalog) -> dict[str, Any]:
            old, new = self.datasets(catalog)
            before, after = (_entry(dataset, category, table) for dataset in (old, new))
            if before is None and after is None:
                catalog.table(new, category, table)  # says what is near
            diff = table_diff(catalog, before, after, kind, page)
            changed = [each for row in diff.rows for each in row.fields] + diff.head
            links = {
                "old": resolve(catalog, old, references([each.old.value for each in changed])),
                "new": resolve(catalog, new, references([each.new.value for each in changed])),
            }
            versions = newest_first(catalog)
            return {"old": old, "new": new, "diffed": diff, "links": links, "versions": versions}

        context = await self.read(work)
        old, new = context["old"].version.name, context["new"].version.name
        await self.count(old, new, f"{category}/{table}")
        if self.form == "json":
            self.answer_json({"from": old, "to": new, **_document(context["diffed"])})
            return
        await self.show(
            "tablediff.html",
            kind=kind,
            category=category,
            table=table,
            link=self.link,
            **context,
        )


class HistoryHandler(CatalogHandler):
    """/catalog/history/<Category>/<Table>/<row>: a row through all versions."""

    named_by = ("row",)

    async def get(self, category: str, table: str, row: str | None = None) -> None:
        """A page."""
        name = self.get_query_argument("row", "", strip=False) if row is None else row
        if not name:
            raise NotFound("The history of which row?", "Its name is missing in the address.")

        def work(catalog: Catalog) -> tuple[list[Step], str]:
            steps = row_history(catalog, category, table, name)
            datasets = map(catalog.dataset, newest_first(catalog))
            return steps, next(s.version.name for s in datasets if _entry(s, category, table))

        steps, newest = await self.read(work)
        if self.form == "json":
            told = [_step(step) for step in steps]
            self.answer_json({"category": category, "table": table, "row": name, "steps": told})
            return
        await self.show(
            "history.html",
            category=category,
            table=table,
            row=name,
            steps=steps,
            newest=newest,
            no_links={"old": {}, "new": {}},
        )


def _document(diff: TableDiff) -> dict[str, Any]:
    """A page of a table's changes for a program; a side that is not there is left out."""
    rows = [
        {"name": row.name, "kind": row.kind, "fields": _fields(row.fields)} for row in diff.rows
    ]
    pages = {"total": diff.total, "page": diff.page, "pages": diff.pages}
    return {**diff.change.counts, **pages, "defaults": _fields(diff.head), "rows": rows}


def _step(step: Step) -> dict[str, Any]:
    """What became of a row, for a program; without a kind where it was there from the first."""
    versions = {"version": step.version.name, "until": step.until.name}
    if step.change is None:
        return {**versions, "there": step.there}
    changed = {"kind": step.change.kind, "fields": _fields(step.change.fields)}
    return {**versions, "there": step.there, **changed}


def _fields(changes: list[FieldChange]) -> list[dict[str, Any]]:
    return [
        {
            "path": change.path,
            **({"old": change.old.value} if change.old.there else {}),
            **({"new": change.new.value} if change.new.there else {}),
        }
        for change in changes
    ]


def _entry(dataset: Dataset, category: str, table: str) -> TableEntry | None:
    named = dataset.categories.get(category, ())
    return next((entry for entry in named if entry.name == table), None)
