"""Tables, categories and rows of the catalog as JSON and CSV files."""

from collections.abc import AsyncIterator, Sequence

from tornado.iostream import StreamClosedError

from handlers.catalogbase import CatalogHandler
from handlers.downloads import content_disposition
from portal.catalog import files
from portal.catalog.library import Catalog
from portal.catalog.rows import RowPage
from portal.catalog.shelves import Entry, Shelf
from portal.errors import PortalError

TYPES = {"json": "application/json; charset=UTF-8", "csv": "text/csv; charset=UTF-8"}


class FileHandler(CatalogHandler):
    """An address of which there are files too."""

    forms = ("html", *TYPES)

    async def send_table(self, version: str, category: str, table: str) -> None:
        """A whole table, piece by piece."""

        def work(catalog: Catalog) -> tuple[Shelf, files.Whole]:
            shelf = catalog.shelf(catalog.version(version))
            return shelf, files.whole(catalog, catalog.table(shelf, category, table))

        shelf, whole = await self.read(work)
        make = files.table_json if self.form == "json" else files.table_csv
        await self.stream(make(self.services.library, whole), f"{table}-{shelf.version.name}")

    async def send_category(self, shelf: Shelf, entries: Sequence[Entry]) -> None:
        """All tables of a category in one file."""
        wholes = await self.read(lambda catalog: [files.whole(catalog, each) for each in entries])
        make = files.category_json if self.form == "json" else files.category_csv
        name = f"{entries[0].category}-{shelf.version.name}"
        await self.stream(make(self.services.library, wholes), name)

    def send_row(self, page: RowPage) -> None:
        """One row."""
        self.announce(page.item.name)
        self.finish(files.row_json(page) if self.form == "json" else files.row_csv(page))

    def announce(self, name: str) -> None:
        """The headers of a file of that name."""
        self.set_header("Content-Type", TYPES[self.form])
        self.set_header("Content-Disposition", content_disposition(f"{name}.{self.form}"))
        self.set_header("Cache-Control", "no-cache")

    async def stream(self, pieces: AsyncIterator[str], name: str) -> None:
        """Send a file as it is made; one that ends early must not look whole."""
        self.announce(name)
        if self.request.method == "HEAD":
            await self.flush()  # or Tornado would say that the file is empty
            return
        try:
            async for piece in pieces:
                self.write(piece)
                await self.flush()
        except StreamClosedError:
            return
        except PortalError:
            if self._headers_written:
                self.request.connection.stream.close()  # type: ignore[union-attr]
            raise
