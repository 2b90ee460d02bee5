"""What the catalog's addresses share: the version, how a page is shown, what counts."""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from handlers.base.handler import Handler
from portal.catalog.addresses import with_query
from portal.catalog.model import Version
from portal.catalog.snapshot import Catalog
from portal.errors import Malformed, Unavailable
from portal.events import CatalogInteraction
from portal.http.accept import Form
from portal.http.crawlers import declares_itself

log = logging.getLogger("portal.catalog")

T = TypeVar("T")

DETAIL = 200  # characters that are recorded
MOST_PAGES = 1_000_000


def newest_first(catalog: Catalog) -> list[Version]:
    """The versions, as one chooses among them."""
    return list(reversed(catalog.versions))


class CatalogHandler(Handler):
    """An address of the catalog, in the form that `format` or Accept names."""

    forms: tuple[Form, ...] = ("html", "json")
    named_by: tuple[str, ...] = ()  # fields of the query without which this is another page

    def prepare(self) -> Awaitable[None] | None:
        """Choose the form, before anything is counted. Raises `Malformed`, `Speculative`."""
        prepared = super().prepare()
        if "prefetch" in self.speculation:
            self.refuse_speculation()
        _ = self.form
        return prepared

    @property
    def canonical(self) -> str:
        """With what names the page, and nothing of how it is shown."""
        fields = [(n, self.get_query_argument(n, "", strip=False)) for n in self.named_by]
        return self.origin + with_query(self.request.path or "", *(f for f in fields if f[1]))

    async def read(self, work: Callable[[Catalog], T]) -> T:
        """What `work` makes of the catalog, in a thread. Raises what it raises."""
        return await self.services.library.read(work)

    def field(self, name: str) -> str:
        """A field of the query, "" if it is not there."""
        return self.get_query_argument(name, "")

    def number(self, name: str) -> int:
        """A field that is a number of a page; 1 if it is not there."""
        text = self.field(name) or "1"
        if not (text.isascii() and text.isdecimal() and 0 < int(text[:9]) <= MOST_PAGES):
            raise Malformed(f'There is no page "{text[:40]}".', "Pages are numbered from 1.")
        return int(text)

    def elsewhere(self, where: Callable[[str], str]) -> bool:
        """Whether the same of another version is asked for (`in`), and then it is led to."""
        version = self.field("in")
        if version:
            self.redirect(where(version))
        return bool(version)

    def link(self, **changes: str | int) -> str:
        """This address with other fields; "" takes one away."""
        kept = [
            (name, value)
            for name in self.request.query_arguments
            if name not in changes
            for value in self.get_query_arguments(name)
            if value
        ]
        return with_query(self.request.path or "", *kept, **changes)

    @property
    def counts(self) -> bool:
        """Whether somebody looks, or a program that somebody uses: no crawler."""
        return not declares_itself(self.user_agent)

    async def interaction(self, event: str, detail: str, result_count: int | None = None) -> None:
        """Record it before anything is answered, but for HEAD, which has the page's headers and is
        no look at it. The page stays up where it cannot be recorded."""
        if self.request.method == "HEAD":
            return
        told = CatalogInteraction(event, detail[:DETAIL], result_count, self.ip_hash)
        try:
            await self.services.events.record(told)
        except Unavailable:
            log.warning("a %s is not counted: it can be neither committed nor spilled", event)

    async def show(self, template: str, **context: Any) -> None:
        """A page, made off the loop."""
        await self.answer_page(f"catalog/{template}", **context)

    def answer_json(self, document: dict[str, Any]) -> None:
        """A document for a program; all ASCII, so that half of a surrogate pair can be in it."""
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.finish(json.dumps(document, indent=1))
