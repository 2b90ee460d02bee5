"""Tables, categories and rows of the catalog as JSON and CSV files."""

from handlers.base.chunks import PiecesHandler
from handlers.catalog.base import CatalogHandler
from handlers.downloads import content_disposition
from portal.catalog import files
from portal.catalog.rows import RowPage
from portal.catalog.snapshot import Catalog
from portal.http.accept import Form

TYPES = {"json": "application/json; charset=UTF-8", "csv": "text/csv; charset=UTF-8"}


class FileHandler(CatalogHandler, PiecesHandler):
    """An address of which there are files too."""

    forms: tuple[Form, ...] = ("html", "json", "csv")

    async def send_table(self, version: str, category: str, table: str) -> None:
        """A whole table, piece by piece."""

        def work(catalog: Catalog) -> files.Whole:
            dataset = catalog.dataset(catalog.version(version))
            return files.whole(catalog, catalog.table(dataset, category, table))

        whole = await self.read(work)
        make = files.table_json if self.form == "json" else files.table_csv
        self.announce(f"{table}-{version}")
        await self.send_pieces(make(self.services.library, whole))

    async def send_category(self, version: str, category: str) -> None:
        """All tables of a category in one file."""

        def work(catalog: Catalog) -> list[files.Whole]:
            entries = catalog.category(catalog.dataset(catalog.version(version)), category)
            return [files.whole(catalog, entry) for entry in entries]

        wholes = await self.read(work)
        make = files.category_json if self.form == "json" else files.category_csv
        self.announce(f"{category}-{version}")
        await self.send_pieces(make(self.services.library, wholes))

    def send_row(self, page: RowPage) -> None:
        """One row."""
        self.announce(page.item.name)
        self.finish(files.row_json(page) if self.form == "json" else files.row_csv(page))

    def announce(self, name: str) -> None:
        """The headers of a file of that name."""
        self.set_header("Content-Type", TYPES[self.form])
        self.set_header("Content-Disposition", content_disposition(f"{name}.{self.form}"))
        self.set_header("Cache-Control", "no-cache")
