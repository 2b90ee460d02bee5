"""/<tool>/<upload>/preview, /edit and /undo: what would change, changes, and taking one back."""

import asyncio
from functools import cached_property
from http import HTTPStatus
from typing import NamedTuple

from handlers.tools.base import CurrentFile
from handlers.tools.changes import needs_confirmation, rows
from handlers.tools.gamedata import GameData
from handlers.tools.posts import UploadedHandler
from portal.errors import Conflict, PortalError
from portal.http.accept import Form
from portal.http.forms import posted_fields
from portal.http.json_body import posted_json
from portal.jsontypes import JSON, JSONObject
from portal.saves import Written
from portal.saves.errors import EditError
from portal.saves.steps import appended, without
from portal.uploads.form import FormParser, check_count, fill, objects

JSON_BODY = 256 << 10  # bytes; 500 edits have some 60 KiB, and parsing this takes 5 ms


class EditRequest(NamedTuple):
    """The edits that a request asks for; `form` and `description` where a page asked."""

    current: CurrentFile
    edits: JSON
    form: FormParser | None
    description: JSONObject
    game: GameData


class ChangingHandler(UploadedHandler):
    """What all that change a file share: bodies as JSON or as a form, and versions."""

    @property
    def sent_json(self) -> bool:
        """Whether the request's body is JSON."""
        kind = self.request.headers.get("Content-Type", "").partition(";")[0]
        return kind.strip().lower() == "application/json"

    @cached_property
    def forms(self) -> tuple[Form, ...]:  # type: ignore[override]
        """A program that asks in JSON and accepts anything is answered in JSON."""
        return ("json", "html") if self.sent_json else ("html", "json")

    @cached_property
    def error_forms(self) -> tuple[Form, ...]:  # type: ignore[override]
        """Such a program gets errors in JSON, too."""
        return ("json", "text", "html") if self.sent_json else ("text", "html", "json")

    def posted(self, body: bytes) -> JSONObject:
        """A body of JSON. Raises `EditError` for one that would take long to parse."""
        if len(body) > JSON_BODY:
            raise EditError(f"The list of edits has more than {JSON_BODY >> 10} KiB.")
        return posted_json(body)

    async def posted_form(self, body: bytes) -> dict[str, str]:
        """The fields of a form; a thousand mounts have 20,000, so they are parsed in a thread."""
        kind = self.request.headers.get("Content-Type", "")
        return await asyncio.to_thread(posted_fields, kind, body)

    def check_version(self, current: CurrentFile, version: JSON) -> None:
        """Raise `Conflict` where the file is not any more what the page shows."""
        if version != current.upload.version or isinstance(version, bool):
            raise Conflict(
                "This file was changed in another tab or window since the page was opened.",
                "Nothing was changed now. Load it as it is, then change it there.",
            )

    def check_typed_version(self, current: CurrentFile, version: str) -> None:
        """The same for a form."""
        number = int(version[:9]) if version.isdecimal() and version.isascii() else None
        self.check_version(current, number)

    async def apply(self, current: CurrentFile, edits: list[JSONObject], game: GameData) -> Written:
        """Store the file as it came with a whole list of edits. Raises `EditError`."""
        uploads, upload = self.services.uploads, current.upload
        _, original = await uploads.read(upload.id, self.tool)
        if edits:
            written = await self.services.workers.change(self.tool, original, edits, game.rules)
        else:
            description = await self.services.workers.describe(self.tool, original)
            written = Written(original, [], description)
        await uploads.save_edited(upload.id, self.tool, written.content, upload.version, edits)
        return written

    def way_on(self, error: PortalError) -> tuple[str, str]:
        """From a conflict, to the file as it is."""
        if error.status in (400, 409):
            return f"{self.pages.address}/{self.path_args[0]}", "Load the file as it is"
        return super().way_on(error)


class AskingHandler(ChangingHandler):
    """What preview and edit share: both take edits, as JSON or as a form."""

    async def post(self, number: str) -> None:
        """Read what is asked for; do it, or show the form again with what is wrong."""
        body = self.received()
        _ = self.form  # an unknown format is refused before anything is changed
        asked: EditRequest | None
        if self.sent_json:
            asked = await self.from_json(number, self.posted(body))
        else:
            asked = await self.from_form(number, await self.posted_form(body))
        if asked is None:
            return
        try:
            await self.act(asked)
        except EditError as error:
            if asked.form is None or self.wants_json:
                raise
            upload = asked.current.upload
            await self.answer_form(upload, asked.description, asked.form, asked.game, error)

    async def act(self, asked: EditRequest) -> None:
        """Do what is asked for. Raises `EditError`."""
        raise NotImplementedError

    async def from_json(self, number: str, sent: JSONObject) -> EditRequest:
        """`{"version": 1, "edits": [...]}`; without a version, whatever is there is meant."""
        now = await self.current(number)
        self.check_version(now, sent.get("version", now.upload.version))
        description = await self.services.workers.describe(self.tool, now.content)
        game = await self.game(description)
        return EditRequest(now, sent.get("edits"), None, description, game)

    async def from_form(self, number: str, sent: dict[str, str]) -> EditRequest | None:
        """The fields of the page; None where they were answered already: back, or not right."""
        now = await self.current(number)
        self.check_typed_version(now, sent.get("version", ""))
        description = await self.services.workers.describe(self.tool, now.content)
        game = await self.game(description)
        form = await asyncio.to_thread(lambda: fill(self.pages.fields(description, game), sent))
        wrong: EditError | None
        try:
            edits = self.edits_of(form, sent)
            wrong = None
        except EditError as error:
            edits, wrong = [], error
        if wrong and self.wants_json:
            raise wrong
        if wrong or "back" in sent:
            await self.answer_form(now.upload, description, form, game, wrong)
            return None
        return EditRequest(now, edits, form, description, game)

    def edits_of(self, form: FormParser, sent: dict[str, str]) -> list[JSONObject]:
        """The edits of a form. Raises `EditError` where a field is wrong or nothing differs."""
        if form.errors:
            count = len(form.errors)
            what = "One field is" if count == 1 else f"{count} fields are"
            raise EditError(f"{what} not right.", "Nothing was changed. See below.")
        edits = self.pages.arrange(form.edits)
        if not edits:
            raise EditError("Nothing is different yet.", "Change something, then look again.")
        check_count(edits)
        if "lower" in sent:
            edits = [{**e, "lower": True} if e["edit"] == "level" else e for e in edits]
        return edits


class PreviewHandler(AskingHandler):
    """/<tool>/<upload>/preview: what edits would change; nothing is changed."""

    async def act(self, asked: EditRequest) -> None:
        """Show it."""
        upload, content, _ = asked.current
        workers, rules = self.services.workers, asked.game.rules
        changes = await workers.preview(self.tool, content, asked.edits, rules)
        if self.wants_json or asked.form is None:
            await self.answer_json({"version": upload.version, "changes": changes})
            return
        if not changes:
            raise EditError("Nothing would be different.", "Change something, then look again.")
        await self.answer_page(
            "tools/preview.html",
            upload=upload,
            changes=rows(changes, asked.game),
            form=asked.form,
            confirm=needs_confirmation(changes),
        )


class EditHandler(AskingHandler):
    """/<tool>/<upload>/edit: the edits are made, and the result is stored beside the file."""

    async def act(self, asked: EditRequest) -> None:
        """Do it; the file is read anew before it is stored."""
        upload, content, _ = asked.current
        workers, rules = self.services.workers, asked.game.rules
        # Against the file as it is now first: only there do the numbers mean what was asked for.
        changes = await workers.preview(self.tool, content, asked.edits, rules)
        shown = len(objects(asked.description.get("mounts")))
        edits = appended(upload.edits, objects(asked.edits), shown) if changes else [*upload.edits]
        written = await self.apply(asked.current, edits, asked.game)
        if self.wants_json or asked.form is None:
            now = await self.current(upload.id)
            said = self.answer_of(now.upload, written.description)
            await self.answer_json({**said, "changes": changes})
        else:
            self.redirect(f"{self.pages.address}/{upload.id}/result", status=HTTPStatus.SEE_OTHER)


class UndoHandler(ChangingHandler):
    """/<tool>/<upload>/undo: one edit is taken back; `edit` is its place in the list, from 1."""

    async def post(self, number: str) -> None:
        """Do it, and show what is left."""
        body = self.received()
        _ = self.form  # an unknown format is refused before anything is changed
        now = await self.current(number)
        if self.sent_json:
            sent = self.posted(body)
            self.check_version(now, sent.get("version", now.upload.version))
            asked = sent.get("edit")
        else:
            fields = await self.posted_form(body)
            self.check_typed_version(now, fields.get("version", ""))
            typed = fields.get("edit", "")
            asked = int(typed[:9]) if typed.isdecimal() and typed.isascii() else None
        if not isinstance(asked, int) or isinstance(asked, bool):
            raise EditError("Say which change is to be taken back: edit is its number.")
        description = await self.services.workers.describe(self.tool, now.content)
        shown = len(objects(description.get("mounts")))
        edits = without(now.upload.edits, asked - 1, shown)
        game = await self.game(description)
        try:
            written = await self.apply(now, edits, game)
        except EditError as error:
            advice = "Take back the later ones first."
            said = f"This change cannot be taken back by itself. {error.sentence}"
            raise EditError(said, advice) from error
        if self.wants_json:
            upload = (await self.current(number)).upload
            await self.answer_json(self.answer_of(upload, written.description))
        else:
            address = f"{self.pages.address}/{number}"
            target = f"{address}/result" if edits else address
            self.redirect(target, status=HTTPStatus.SEE_OTHER)
