"""What the addresses of every tool share: privacy, who may post, pages and JSON."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.base.client import LOGGED_PATH
from handlers.base.handler import Handler
from portal.errors import PortalError
from portal.jsontypes import JSONObject
from portal.saves.errors import WrongToolError
from portal.saves.tool import Tool
from portal.uploads.form import Field

PRIVATE_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


@dataclass(frozen=True, slots=True)
class ToolPages:
    """A tool on the web: its words, its page of what is in a file, and the fields of that.

    `default_name` is for a file that came without one, `folder` where the game keeps its files.
    `arrange` puts the edits of a form in the form in which they are asked for.
    """

    tool: Tool
    title: str
    lead: str
    template: str
    default_name: str
    folder: str
    fields: Callable[[JSONObject], list[Field]]
    arrange: Callable[[list[JSONObject]], list[JSONObject]]
    context: Mapping[str, Any]

    @property
    def address(self) -> str:
        """Where the tool is."""
        return f"/{self.tool.name}"


class ToolHandler(Handler):
    """An address of a tool. `pages` comes with the route."""

    pages: ToolPages

    def initialize(self, pages: ToolPages) -> None:
        """Tornado's hook: the route's own arguments."""
        self.pages = pages

    @property
    def private(self) -> bool:
        """An upload's address is its secret."""
        return True

    def set_default_headers(self) -> None:
        """Keep what is private out of every other place."""
        super().set_default_headers()
        if self.private:
            for name, value in PRIVATE_HEADERS.items():
                self.set_header(name, value)

    @property
    def tool(self) -> str:
        """The tool's name."""
        return self.pages.tool.name

    @property
    def logged_path(self) -> str:
        """The tool and what is done: who knows the number between them has the file."""
        _, tool, *number = (self.request.path or "").split("/", 3)
        rest = number[1:] if number and number[0] else number
        return "/".join(["", tool, *(["-"] if any(number) else []), *rest])[:LOGGED_PATH]

    @property
    def wants_json(self) -> bool:
        """Whether a program asks."""
        return self.form == "json"

    def compute_etag(self) -> str | None:
        """None where nothing is to be kept."""
        return None if self.private else super().compute_etag()

    async def answer_page(self, template: str, status: int = 200, **context: Any) -> None:
        """A page, made off the loop: there can be hundreds of mounts on it."""
        self.set_status(status)
        await super().answer_page(template, pages=self.pages, **context)

    def way_on(self, error: PortalError) -> tuple[str, str]:
        """Where to go after an error: an address and its name."""
        if isinstance(error, WrongToolError):
            return f"/{error.tool}", f"Open it with {error.tool.capitalize()}"
        return self.pages.address, "Choose a file"

    def answer_error(self, error: PortalError) -> None:
        """As everywhere, and where to go from there."""
        address, name = self.way_on(error)
        match self.error_form:
            case "html":
                self.page(
                    "tools/refused.html", error=error, way_on=(address, name), pages=self.pages
                )
            case "json":
                link = {"link": f"{self.origin}{address}", "link_name": name}
                self.finish({**self.error_value(error), **link})
            case _:
                advice = f"{error.advice} {self.origin}{address}".strip()
                self.answer_text(PortalError(error.sentence, advice))
