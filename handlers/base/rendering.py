"""Pages from templates: rendered, compressed, sent with what caches need."""

import asyncio
import gzip
from typing import Any

from handlers.base.client import ClientHandler
from portal.http.accept import takes_gzip

GZIP_LEVEL = 5  # a page of 100 KB in some 2 ms


class RenderingHandler(ClientHandler):
    """Answers with pages. Every handler can, since every one can fail."""

    def rendered(self, template: str, **context: Any) -> bytes:
        """A page as bytes; can be called in any thread."""
        if "canonical" not in context:
            context["canonical"] = self.canonical
        context = {"tracker": self.tracker, **context}
        page = self.services.templates.get_template(template).render(**context)
        # Text from GitLab or a save may hold half of a surrogate pair, which UTF-8 cannot encode.
        return page.encode("utf-8", "replace")

    def page(self, template: str, **context: Any) -> None:
        """Answer with a rendered page."""
        self.send_page(self.encoded(self.rendered(template, **context)))

    async def answer_page(self, template: str, **context: Any) -> None:
        """Answer with a long page, rendered in a thread so that the loop goes on."""
        body = await asyncio.to_thread(lambda: self.encoded(self.rendered(template, **context)))
        self.send_page(body)

    @property
    def compresses(self) -> bool:
        """Whether the page is sent compressed, to clients that accept it.

        Private pages are not: their compressed size could tell what is in them.
        """
        return not self.private and takes_gzip(self.request.headers.get("Accept-Encoding", ""))

    def encoded(self, html: bytes) -> bytes:
        """The body of a page; can be called in any thread."""
        return gzip.compress(html, GZIP_LEVEL, mtime=0) if self.compresses else html

    def send_page(self, body: bytes) -> None:
        """Answer with what `encoded` made; Tornado adds an ETag for conditional requests."""
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        if not self.private:
            self._headers.setdefault("Cache-Control", "no-cache")
            self.vary("Accept-Encoding")
        if self.compresses:
            self.set_header("Content-Encoding", "gzip")
        self.finish(body)
