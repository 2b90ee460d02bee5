"""/catalog/search: one version, searched."""

from typing import Any

from handlers.catalog.base import DETAIL, CatalogHandler, newest_first
from portal.catalog import addresses
from portal.catalog.model import Dataset, Version
from portal.catalog.queries import parse
from portal.catalog.search import Found, search
from portal.catalog.snapshot import Catalog
from portal.errors import NotFound


class SearchHandler(CatalogHandler):
    """The results, or the form where nothing was typed."""

    async def get(self) -> None:
        """A page."""
        typed, version = self.field("q"), self.field("version") or None
        category, page = self.field("category"), self.number("page")
        if self.elsewhere(lambda other: addresses.search(q=typed, version=other)):
            return
        query = parse(typed)

        def work(catalog: Catalog) -> tuple[Dataset, Found, list[Version]]:
            dataset = catalog.dataset(catalog.version(version))
            if category:
                catalog.category(dataset, category)
            return dataset, search(catalog, dataset, query, category, page), newest_first(catalog)

        dataset, found, versions = await self.read(work)
        if page > max(1, found.pages):
            raise NotFound(f"There is no page {page} of these results.")
        # Narrowing, widening again and turning pages are the same search.
        narrowed = "category" in self.request.query_arguments
        first = bool(typed) and not narrowed and page == 1
        if first and self.counts:
            await self.interaction("search", typed, found.total)
        if self.form == "json":
            self.answer_json(self.document(dataset, typed, found))
            return
        await self.show(
            "search.html",
            dataset=dataset,
            found=found,
            typed=typed,
            category=category,
            page=page,
            counted=first and self.counts,
            link=self.link,
            detail=typed[:DETAIL],
            versions=versions,
        )

    def document(self, dataset: Dataset, typed: str, found: Found) -> dict[str, Any]:
        """The results for a program."""
        version = dataset.version.name
        results = [
            {
                "category": hit.entry.category,
                "table": hit.entry.name,
                "name": hit.name,
                "title": hit.title,
                "url": self.origin
                + addresses.address(version, hit.entry.category, hit.entry.name, hit.name),
            }
            for group in found.groups
            for hit in group.hits
        ]
        return {
            "query": typed,
            "version": version,
            "total": found.total,
            "categories": found.counts,
            "results": results,
            "near": [
                {
                    "name": each.name,
                    "title": each.label,
                    "url": self.origin
                    + addresses.address(version, each.entry.category, each.entry.name, each.name),
                }
                for each in found.near
            ],
        }
