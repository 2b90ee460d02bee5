"""/catalog: versions, categories, tables, rows."""

from typing import Any

from handlers.catalog.base import CatalogHandler, newest_first
from handlers.catalog.files import FileHandler
from portal.catalog.addresses import address
from portal.catalog.filtering import COMPARISONS, TableQuery
from portal.catalog.links import resolve
from portal.catalog.listing import table_page
from portal.catalog.model import Dataset
from portal.catalog.rows import row_page
from portal.catalog.snapshot import Catalog
from portal.catalog.values import references
from portal.errors import Malformed

# Fields of a table's address that ask for another view of the same table.
VIEWS = ("page", "sort", "order", "column", "q", "field", "is", "value")


class CatalogHomeHandler(CatalogHandler):
    """/catalog and /catalog/<version>: what there is, and how it came to be."""

    async def get(self, version: str | None = None) -> None:
        """A page. One of a catalog that is empty, or still being read, says so."""
        if self.elsewhere(address):
            return
        if version is None and self.form == "html":
            empty, progress = await self.read(
                lambda c: (not c.versions, (c.being_read, c.progress()))
            )
            if empty:
                being_read, read_so_far = progress
                await self.show("empty.html", being_read=being_read, progress=read_so_far)
                return

        def work(catalog: Catalog) -> tuple[Dataset, list[Any]]:
            dataset = catalog.dataset(catalog.version(version))
            counted = [(each, catalog.dataset(each).rows) for each in newest_first(catalog)]
            return dataset, [counted, catalog.progress(), catalog.left_out(dataset.version)]

        dataset, (versions, progress, left_out) = await self.read(work)
        if self.form == "json":
            self.answer_json(self.document(dataset))
            return
        await self.show(
            "home.html",
            dataset=dataset,
            versions=versions,
            progress=progress,
            left_out=left_out,
            newest=dataset.version == versions[0][0],
        )

    def document(self, dataset: Dataset) -> dict[str, Any]:
        """The version for a program."""
        tables = [
            {
                "category": entry.category,
                "table": entry.name,
                "rows": entry.rows,
                "url": self.origin + address(dataset.version.name, entry.category, entry.name),
            }
            for entry in dataset.entries
        ]
        return {"version": dataset.version.name, "date": dataset.version.date, "tables": tables}


class CategoryHandler(FileHandler):
    """/catalog/<version>/<Category>."""

    async def get(self, version: str, category: str) -> None:
        """A page, or all its tables as a file."""
        if self.elsewhere(lambda other: address(other, category)):
            return
        if self.form != "html":
            await self.send_category(version, category)
            return

        def work(catalog: Catalog) -> dict[str, Any]:
            dataset = catalog.dataset(catalog.version(version))
            entries = catalog.category(dataset, category)
            return {"dataset": dataset, "entries": entries, "versions": newest_first(catalog)}

        context = await self.read(work)
        if self.counts:
            await self.interaction("category_view", category)
        await self.show("category.html", category=category, counted=self.counts, **context)


class RowFileHandler(FileHandler):
    """An address that can name a row: in its path or, where a path cannot hold the name, in its
    query."""

    async def answer_row(self, version: str, category: str, table: str, row: str) -> None:
        """The page of a row, or the row as a file."""
        if self.elsewhere(lambda other: address(other, category, table, row)):
            return
        page = await self.read(lambda catalog: row_page(catalog, version, category, table, row))
        if self.form != "html":
            self.send_row(page)
            return
        await self.show(
            "row.html", page=page, dataset=page.dataset, entry=page.entry, versions=page.versions
        )


class TableHandler(RowFileHandler):
    """/catalog/<version>/<Category>/<Table>."""

    named_by = ("row",)

    async def get(self, version: str, category: str, table: str) -> None:
        """A page of its rows, or the whole as a file."""
        if row := self.get_query_argument("row", None, strip=False):
            await self.answer_row(version, category, table, row)
            return
        if self.elsewhere(lambda other: address(other, category, table)):
            return
        query = self.table_query()
        if self.form != "html":
            await self.send_table(version, category, table)
            return

        def work(catalog: Catalog) -> dict[str, Any]:
            dataset = catalog.dataset(catalog.version(version))
            entry = catalog.table(dataset, category, table)
            page = table_page(catalog, entry, query)
            shown = [page.value(item, name) for item in page.items for name in page.columns]
            links = resolve(catalog, dataset, references([shown, page.head]))
            return {
                "dataset": dataset,
                "entry": entry,
                "page": page,
                "links": links,
                "versions": newest_first(catalog),
            }

        context = await self.read(work)
        # Another view of a table that was shown is none of its own.
        again = any(name in self.request.query_arguments for name in VIEWS)
        counted = self.counts and not again
        if counted:
            await self.interaction("category_view", category)
        names = [each.name for each in context["versions"]]
        others = [each for each in context["versions"] if each.name != version]
        await self.show(
            "table.html",
            query=query,
            link=self.link,
            counted=counted,
            comparisons=COMPARISONS,
            others=others,
            before="".join(names[names.index(version) + 1 :][:1]),
            **context,
        )

    def table_query(self) -> TableQuery:
        """How the list is asked for. Raises `Malformed`."""
        comparison = self.field("is") or "contains"
        if comparison not in COMPARISONS:
            known = ", ".join(COMPARISONS)
            raise Malformed(f'Nothing can be compared by "{comparison[:40]}".', f"Known: {known}.")
        return TableQuery(
            page=self.number("page"),
            sort=self.field("sort"),
            descending=self.field("order") == "down",
            columns=tuple(self.get_query_arguments("column")),
            text=self.field("q"),
            field=self.field("field"),
            comparison=comparison,
            value=self.field("value"),
        )


class RowHandler(RowFileHandler):
    """/catalog/<version>/<Category>/<Table>/<row>."""

    async def get(self, version: str, category: str, table: str, row: str) -> None:
        """A page, or the row as a file."""
        await self.answer_row(version, category, table, row)
