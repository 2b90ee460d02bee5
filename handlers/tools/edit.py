"""/<tool>/<upload>: what is in a file, what would change, what was changed."""

from functools import cached_property
from http import HTTPStatus
from typing import NamedTuple

from handlers.tools.base import ToolHandler
from handlers.tools.changes import rows
from handlers.tools.posts import UploadedHandler
from portal.errors import Conflict, NotFound, PortalError
from portal.http.accept import Form
from portal.http.forms import posted_fields
from portal.http.json_body import posted_json
from portal.jsontypes import JSON, JSONObject
from portal.saves.errors import EditError
from portal.uploads.form import FormParser, check_count, fill
from portal.uploads.store import Upload


class Current(NamedTuple):
    """A file as it is now; `edited` says whether that is how it came."""

    upload: Upload
    content: bytes
    edited: bool


class Asked(NamedTuple):
    """The edits that a request asks for; `form` and `description` where a page asked."""

    current: Current
    edits: JSON
    form: FormParser | None
    description: JSONObject


async def current(handler: ToolHandler, number: str) -> Current:
    """The file as it is now. Raises `NotFound`, `Gone`."""
    uploads = handler.services.uploads
    try:
        return Current(*await uploads.read_edited(number, handler.tool), True)
    except NotFound:
        return Current(*await uploads.read(number, handler.tool), False)


def answer_of(handler: ToolHandler, upload: Upload, description: JSONObject) -> dict[str, object]:
    """What programs are told of a file; `expires_at` is Unix time in seconds."""
    address = f"{handler.origin}{handler.pages.address}/{upload.id}"
    return {
        "id": upload.id,
        "tool": upload.tool,
        "name": upload.name,
        "size": upload.size,
        "expires_at": upload.expires_at,
        "version": upload.version,
        "page": address,
        "preview": f"{address}/preview",
        "edit": f"{address}/edit",
        "download": f"{address}/download",
        "description": description,
    }


class PageHandler(ToolHandler):
    """/<tool>/<upload>: what is in the file, as a form."""

    forms = ("html", "json")

    async def get(self, number: str) -> None:
        """The page, or the same for programs."""
        upload, content, _ = await current(self, number)
        description = await self.services.workers.describe(self.tool, content)
        if self.wants_json:
            self.finish(answer_of(self, upload, description))
            return
        form = fill(self.pages.fields(description), {})
        await answer_form(self, upload, description, form)


async def answer_form(
    handler: ToolHandler,
    upload: Upload,
    description: JSONObject,
    form: FormParser,
    error: PortalError | None = None,
) -> None:
    """The page with the form; after an error, with what was filled in."""
    await handler.answer_page(
        handler.pages.template,
        HTTPStatus.BAD_REQUEST if error else HTTPStatus.OK,
        upload=upload,
        save=description,
        form=form,
        error=error,
        **handler.pages.context,
    )


class AskingHandler(UploadedHandler):
    """What preview and edit share: both are told edits, as JSON or as a form."""

    @property
    def told_json(self) -> bool:
        """Whether the request's body is JSON."""
        kind = self.request.headers.get("Content-Type", "").partition(";")[0]
        return kind.strip().lower() == "application/json"

    @cached_property
    def forms(self) -> tuple[Form, ...]:  # type: ignore[override]
        """A program that asks in JSON and accepts anything is answered in JSON."""
        return ("json", "html") if self.told_json else ("html", "json")

    @cached_property
    def error_forms(self) -> tuple[Form, ...]:  # type: ignore[override]
        """Such a program gets errors in JSON, too."""
        return ("json", "text", "html") if self.told_json else ("text", "html", "json")

    async def post(self, number: str) -> None:
        """Read what is asked for; do it, or show the form again with what is wrong."""
        body = self.received()
        _ = self.form  # an unknown format is refused before anything is changed
        asked: Asked | None
        if self.told_json:
            asked = await self.from_json(number, posted_json(body))
        else:
            kind = self.request.headers.get("Content-Type", "")
            asked = await self.from_form(number, posted_fields(kind, body))
        if asked is None:
            return
        try:
            await self.act(asked)
        except EditError as error:
            if asked.form is None or self.wants_json:
                raise
            upload = asked.current.upload
            await answer_form(self, upload, asked.description, asked.form, error)

    async def act(self, asked: Asked) -> None:
        """Do what is asked for. Raises `EditError`."""
        raise NotImplementedError

    async def from_json(self, number: str, told: JSONObject) -> Asked:
        """`{"version": 1, "edits": [...]}`; without a version, whatever is there is meant."""
        now = await current(self, number)
        self.check_version(now.upload, told.get("version", now.upload.version))
        return Asked(now, told.get("edits"), None, {})

    async def from_form(self, number: str, told: dict[str, str]) -> Asked | None:
        """The fields of the page; None where they were answered already: back, or not right."""
        now = await current(self, number)
        version = told.get("version", "")
        self.check_version(now.upload, int(version[:9]) if version.isdecimal() else None)
        description = await self.services.workers.describe(self.tool, now.content)
        form = fill(self.pages.fields(description), told)
        edits = self.pages.arrange(form.edits)
        wrong = self.wrong(form, edits)
        if wrong and self.wants_json:
            raise wrong
        if wrong or "back" in told:
            await answer_form(self, now.upload, description, form, wrong)
            return None
        return Asked(now, edits, form, description)

    def wrong(self, form: FormParser, edits: list[JSONObject]) -> EditError | None:
        """What keeps a form from being edits."""
        if form.errors:
            count = len(form.errors)
            what = "One field is" if count == 1 else f"{count} fields are"
            return EditError(f"{what} not right.", "Nothing was changed. See below.")
        if not edits:
            return EditError("Nothing is different yet.", "Change something, then look again.")
        try:
            check_count(edits)
        except EditError as error:
            return error
        return None

    def check_version(self, upload: Upload, version: JSON) -> None:
        """Raise `Conflict` where the file is not any more what the page shows."""
        if version != upload.version or isinstance(version, bool):
            raise Conflict(
                "This file was changed in another tab or window since the page was opened.",
                "Nothing was changed now. Load it as it is, then change it there.",
            )

    def way_on(self, error: PortalError) -> tuple[str, str]:
        """From a conflict, to the file as it is."""
        if error.status in (400, 409):
            return f"{self.pages.address}/{self.path_args[0]}", "Load the file as it is"
        return super().way_on(error)


class PreviewHandler(AskingHandler):
    """/<tool>/<upload>/preview: what edits would change; nothing is changed."""

    async def act(self, asked: Asked) -> None:
        """Show it."""
        upload, content, _ = asked.current
        changes = await self.services.workers.preview(self.tool, content, asked.edits)
        if self.wants_json or asked.form is None:
            self.finish({"version": upload.version, "changes": changes})
            return
        if not changes:
            raise EditError("Nothing would be different.", "Change something, then look again.")
        await self.answer_page(
            "tools/preview.html", upload=upload, changes=rows(changes), form=asked.form
        )


class EditHandler(AskingHandler):
    """/<tool>/<upload>/edit: the edits are made, and the result is kept beside the file."""

    async def act(self, asked: Asked) -> None:
        """Do it; the file is read anew before it is kept."""
        services, (upload, content, _) = self.services, asked.current
        written = await services.workers.change(self.tool, content, asked.edits)
        upload = await services.uploads.save_edited(
            upload.id, self.tool, written.content, upload.version
        )
        if self.wants_json or asked.form is None:
            said = answer_of(self, upload, written.description)
            self.finish({**said, "changes": written.changes})
        else:
            self.redirect(f"{self.pages.address}/{upload.id}/result", status=HTTPStatus.SEE_OTHER)


class ResultHandler(ToolHandler):
    """/<tool>/<upload>/result: that it is done, and the changed file."""

    async def get(self, number: str) -> None:
        """The page."""
        upload, content, edited = await current(self, number)
        if edited:
            await self.answer_page("tools/done.html", upload=upload, size=len(content))
        else:
            self.redirect(f"{self.pages.address}/{upload.id}", status=HTTPStatus.SEE_OTHER)
