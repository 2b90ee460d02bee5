"""Base of every address of a tool: private headers, the file of an upload, pages and JSON."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

from handlers.base.client import LOGGED_PATH
from handlers.base.handler import Handler
from handlers.tools.gamedata import NO_GAME, GameData, game_data
from portal.errors import NotFound, PortalError
from portal.http.client import client_network, ip_hash
from portal.jsontypes import JSONObject
from portal.saves.errors import WrongToolError
from portal.saves.tool import Tool
from portal.uploads.form import Field, FormParser
from portal.uploads.store import Upload

PRIVATE_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


@dataclass(frozen=True, slots=True)
class ToolPages:
    """A tool on the web: its words, its page of what is in a file, and the fields of that.

    `default_name` is for a file that came without one. `arrange` puts the edits of a form in the
    form in which they are asked for. `context` gives what the page needs besides the description.
    """

    tool: Tool
    title: str
    lead: str
    template: str
    default_name: str
    fields: Callable[[JSONObject, GameData], list[Field]]
    arrange: Callable[[list[JSONObject]], list[JSONObject]]
    context: Callable[[JSONObject, GameData, Mapping[str, str]], Mapping[str, Any]]

    @property
    def address(self) -> str:
        """The tool's address."""
        return f"/{self.tool.name}"


class CurrentFile(NamedTuple):
    """An upload with its file as it is now; `edited` tells whether that is not how it came."""

    upload: Upload
    content: bytes
    edited: bool


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
        """Keep what is private out of caches, referrers and search engines."""
        super().set_default_headers()
        if self.private:
            for name, value in PRIVATE_HEADERS.items():
                self.set_header(name, value)

    @property
    def tool(self) -> str:
        """The tool's name."""
        return self.pages.tool.name

    @property
    def uploader(self) -> str:
        """Whose quota an upload takes: a hash of the address, or of an IPv6 /64."""
        return ip_hash(client_network(self.client), self.config.ip_hash_key)

    @property
    def logged_path(self) -> str:
        """The path without the upload's number: whoever knows the number has the file."""
        _, tool, *number = (self.request.path or "").split("/", 3)
        rest = number[1:] if number and number[0] else number
        return "/".join(["", tool, *(["-"] if any(number) else []), *rest])[:LOGGED_PATH]

    @property
    def wants_json(self) -> bool:
        """Whether a program asks."""
        return self.form == "json"

    def compute_etag(self) -> str | None:
        """None where nothing may be stored."""
        return None if self.private else super().compute_etag()

    async def current(self, number: str) -> CurrentFile:
        """The file as it is now. Raises `NotFound`, `Gone`."""
        uploads = self.services.uploads
        try:
            return CurrentFile(*await uploads.read_edited(number, self.tool), True)
        except NotFound:
            return CurrentFile(*await uploads.read(number, self.tool), False)

    async def game(self, description: JSONObject) -> GameData:
        """What the operator's catalog says of what is in a save."""
        if description.get("broken"):
            return NO_GAME
        return await game_data(self.services.library, self.tool, description)

    def answer_of(self, upload: Upload, description: JSONObject) -> dict[str, object]:
        """What programs get of a file; `expires_at` is Unix time in seconds."""
        address = f"{self.origin}{self.pages.address}/{upload.id}"
        return {
            "id": upload.id,
            "tool": upload.tool,
            "name": upload.name,
            "game_name": upload.game_name or upload.name,
            "size": upload.size,
            "expires_at": upload.expires_at,
            "version": upload.version,
            "page": address,
            "preview": f"{address}/preview",
            "edit": f"{address}/edit",
            "undo": f"{address}/undo",
            "download": f"{address}/download",
            "edits": list(upload.edits),
            "description": description,
        }

    async def answer_json(self, value: object, status: int = HTTPStatus.OK) -> None:
        """JSON, encoded in a thread and in pieces: a description has up to 4 MiB."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.finish(await asyncio.to_thread(_encoded, value))

    async def answer_page(self, template: str, status: int = 200, **context: Any) -> None:
        """A page, made off the loop: there can be hundreds of mounts on it."""
        self.set_status(status)
        await super().answer_page(template, pages=self.pages, **context)

    async def answer_form(
        self,
        upload: Upload,
        description: JSONObject,
        form: FormParser,
        game: GameData,
        error: PortalError | None = None,
    ) -> None:
        """The page with the form; after an error, with what was filled in."""
        asked = {name: self.get_query_argument(name, "") for name in self.request.query_arguments}
        await self.answer_page(
            "tools/broken.html" if description.get("broken") else self.pages.template,
            HTTPStatus.BAD_REQUEST if error else HTTPStatus.OK,
            upload=upload,
            save=description,
            form=form,
            error=error,
            game=game,
            **self.pages.context(description, game, asked),
        )

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


def _encoded(value: object) -> str:
    # The iterator gives the interpreter a chance to switch; one call would hold it for 40 ms.
    return "".join(json.JSONEncoder().iterencode(value)).replace("</", "<\\/")
