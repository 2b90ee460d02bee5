"""/pets, /prospects: where save files come in, and the addresses of every tool."""

import asyncio
from http import HTTPStatus
from typing import Any

from handlers.tools.base import ToolHandler, ToolPages
from handlers.tools.download import DownloadHandler
from handlers.tools.edit import EditHandler, PreviewHandler, UndoHandler
from handlers.tools.page import PageHandler, ResultHandler
from handlers.tools.posts import ToolPostHandler
from portal.errors import NotFound, PortalError, TooLarge
from portal.events import ToolUse
from portal.http.forms import posted_file
from portal.operations.traffic import Refusal
from portal.saves.errors import WrongToolError
from portal.saves.limits import FILE_BYTES

FIELD = "file"
FORM_BYTES = 64 << 10  # what a form adds to its file
NUMBER = r"([A-Za-z0-9_-]{16,64})"
REASONS: dict[int, Refusal] = {
    400: "form",
    403: "cross_site",
    413: "too_large",
    422: "unreadable",
    429: "busy",
    503: "busy",
}

Route = tuple[str, type[ToolHandler], dict[str, ToolPages]]


def routes(pages: ToolPages) -> list[Route]:
    """The addresses of a tool."""
    at, given = pages.address, {"pages": pages}
    return [
        (rf"{at}/?", DropHandler, given),
        (rf"{at}/{NUMBER}", PageHandler, given),
        (rf"{at}/{NUMBER}/preview", PreviewHandler, given),
        (rf"{at}/{NUMBER}/edit", EditHandler, given),
        (rf"{at}/{NUMBER}/undo", UndoHandler, given),
        (rf"{at}/{NUMBER}/result", ResultHandler, given),
        (rf"{at}/{NUMBER}/download", DownloadHandler, given),
        (rf"{at}/.*", LostHandler, given),
    ]


class DropHandler(ToolPostHandler):
    """/<tool>: the page on which a file is dropped, and the file itself."""

    body_limit = FILE_BYTES + FORM_BYTES
    forms = ("html", "json")

    @property
    def private(self) -> bool:
        """The page is everyone's; what comes of a file is not."""
        return self.request.method not in ("GET", "HEAD")

    def too_large(self) -> PortalError:
        """What to say of too large a file."""
        return TooLarge(
            f"The file is larger than {FILE_BYTES >> 20} MiB.",
            f"No save of the game is that large. Choose {self.pages.tool.title}.",
        )

    async def get(self) -> None:
        """The page."""
        await self.answer_page("tools/drop.html", error=None, way_on=None, limit=FILE_BYTES)

    async def post(self) -> None:
        """Read a file, count that, and say where it is now."""
        wants_json = self.wants_json  # an unknown format is refused before anything is counted
        name, content = await asyncio.to_thread(self.file, self.received())
        if len(content) > FILE_BYTES:
            raise self.too_large()
        services = self.services
        opened = await services.workers.open_file(self.tool, content)
        if opened.content:
            name, content = opened.name, opened.content
        game_name = self.pages.tool.game_name(opened.description)
        upload = await services.uploads.keep(self.uploader, self.tool, name, content, game_name)
        await services.events.record(ToolUse(self.tool, "upload", self.ip_hash, self.user_agent))
        # The page reports it too, under the same key, unless something blocks that.
        report = self.request.headers.get("X-Report-Key", "")[:64]
        details = {"tool": self.tool}
        self.note("save_uploaded", details, self.pages.address, self.user_agent, report)
        address = f"{self.pages.address}/{upload.id}"
        if wants_json:
            self.set_header("Location", address)
            answer = self.answer_of(upload, opened.description)
            await self.answer_json(answer, HTTPStatus.CREATED)
        else:
            self.redirect(address, status=HTTPStatus.SEE_OTHER)

    def file(self, body: bytes) -> tuple[str, bytes]:
        """The name and content of the file in a form."""
        content_type = self.request.headers.get("Content-Type", "")
        return posted_file(content_type, body, FIELD, self.pages.default_name)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """The error; for the operator, that a file was refused."""
        error = kwargs.get("exc_info", (None, None))[1]
        if self.request.method == "POST" and isinstance(error, PortalError):
            wrong = isinstance(error, WrongToolError)
            if reason := "wrong_tool" if wrong else REASONS.get(error.status):
                self.services.traffic.refused(reason)
        super().write_error(status_code, **kwargs)

    def answer_error(self, error: PortalError) -> None:
        """For a browser: the same page, with what was wrong beside the file's field."""
        if self.request.method != "POST" or self.error_form != "html":
            super().answer_error(error)
            return
        # From a page without a referrer the next try would come without its origin, too.
        self.set_header("Referrer-Policy", "same-origin")
        way_on = self.way_on(error) if isinstance(error, WrongToolError) else None
        self.page("tools/drop.html", pages=self.pages, error=error, way_on=way_on, limit=FILE_BYTES)


class LostHandler(ToolHandler):
    """Whatever else stands under a tool's address."""

    def prepare(self) -> None:
        """Refuse, whatever the method."""
        super().prepare()
        raise NotFound("There is no such page.", "A file is stored for an hour at most.")
