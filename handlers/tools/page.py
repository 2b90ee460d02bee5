"""/<tool>/<upload>: what is in a file, as a form; /result: all changes, and the changed file."""

import asyncio
from http import HTTPStatus

from handlers.tools.base import ToolHandler
from handlers.tools.changes import steps
from portal.uploads.form import fill


class PageHandler(ToolHandler):
    """/<tool>/<upload>: what is in the file, as a form."""

    forms = ("html", "json")

    async def get(self, number: str) -> None:
        """The page, or the same for programs."""
        upload, content, _ = await self.current(number)
        description = await self.services.workers.describe(self.tool, content)
        if self.wants_json:
            await self.answer_json(self.answer_of(upload, description))
            return
        game = await self.game(description)
        form = await asyncio.to_thread(lambda: fill(self.pages.fields(description, game), {}))
        await self.answer_form(upload, description, form, game)


class ResultHandler(ToolHandler):
    """/<tool>/<upload>/result: every change so far, to be taken back, and the changed file."""

    async def get(self, number: str) -> None:
        """The page."""
        upload, content, edited = await self.current(number)
        if not edited:
            self.redirect(f"{self.pages.address}/{upload.id}", status=HTTPStatus.SEE_OTHER)
            return
        services, changes = self.services, []
        description = await services.workers.describe(self.tool, content)
        game = await self.game(description)
        if upload.edits:
            _, original = await services.uploads.read(number, self.tool)
            edits = list(upload.edits)
            changes = await services.workers.preview(self.tool, original, edits, game.rules)
        await self.answer_page(
            "tools/done.html",
            upload=upload,
            size=len(content),
            steps=steps(upload.edits, changes, game),
        )
