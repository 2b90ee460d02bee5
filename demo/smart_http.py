"""Git over HTTP: `git http-backend` behind GitLab's rules.

The protocol is https://git-scm.com/docs/http-protocol; only upload-pack is offered.
"""

import asyncio
import base64
import binascii
import re
from http import HTTPStatus
from tempfile import TemporaryFile
from typing import IO, NoReturn

from tornado.iostream import StreamClosedError
from tornado.web import Finish, stream_request_body

from demo import projects
from demo.answers import DemoHandler
from demo.backend import Backend
from demo.projects import DemoProject

MAX_REQUEST = 1024 * 1024 * 1024
NO_ACCESS = (
    "HTTP Basic: Access denied. If a password was provided for Git authentication, the password "
    "was incorrect or you're required to use a token instead of a password. If a token was "
    "provided, it was either incorrect, expired, or improperly scoped."
)
NO_PROJECT = (
    "The project you were looking for could not be found or you don't have permission to view it."
)
NO_PUSH = "You are not allowed to push code to this project."
NOT_SMART = "Git access over dumb HTTP is not allowed."

_PROTOCOL = re.compile(r"[a-z0-9=:.-]{1,128}")


class SmartHttpHandler(DemoHandler):
    """One request of a git client."""

    _backend: Backend | None = None

    def allowed(self, path: str) -> DemoProject:
        """The project, for whoever has the token as password; ends the request otherwise."""
        if not self._has_password() or isinstance(self.site.outage, str):
            self.set_header("WWW-Authenticate", 'Basic realm="GitLab"')
            self.refuse(HTTPStatus.UNAUTHORIZED, NO_ACCESS)
        project = projects.find(self.site.content, path)
        if project is None:
            self.refuse(HTTPStatus.NOT_FOUND, NO_PROJECT)
        if path in project.old_paths:
            self.moved(project, path)
        return project

    def _has_password(self) -> bool:
        kind, _, credentials = self.request.headers.get("Authorization", "").partition(" ")
        try:
            _, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return kind.lower() == "basic" and self.is_token(password)

    def refuse(self, status: HTTPStatus, text: str) -> NoReturn:
        """End the request with a text, which git prints."""
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.write(text)
        raise Finish

    async def relay(
        self, project: DemoProject, service: str, body: IO[bytes] | None = None
    ) -> None:
        """Run the backend and send what it says; a client that leaves ends it."""
        task = asyncio.ensure_future(self._relay(project, service, body))
        self.site.relays.add(task)
        task.add_done_callback(self.site.relays.discard)
        await task

    async def _relay(self, project: DemoProject, service: str, body: IO[bytes] | None) -> None:
        async with Backend.running(self._environment(project, service), body) as backend:
            self._backend = backend
            status, headers = await backend.headers()
            self.set_status(status)
            for name, value in headers.get_all():
                self.set_header(name, value)
            async for chunk in backend.chunks():
                self.write(chunk)
                try:
                    await self.flush()
                except StreamClosedError:
                    return

    def on_connection_close(self) -> None:
        """Nobody waits for the rest."""
        if self._backend:
            self._backend.kill()

    def _environment(self, project: DemoProject, service: str) -> dict[str, str]:
        """The CGI variables (RFC 3875)."""
        headers = self.request.headers
        variables = {
            "GIT_PROJECT_ROOT": str(project.folder.absolute()),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{project.repository.name}/{service}",
            "REQUEST_METHOD": self.request.method or "GET",
            "QUERY_STRING": self.request.query,
            "CONTENT_TYPE": headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        if _PROTOCOL.fullmatch(protocol := headers.get("Git-Protocol", "")):
            variables["GIT_PROTOCOL"] = protocol
        return variables


class InfoRefs(SmartHttpHandler):
    """GET /:group/:project.git/info/refs."""

    async def get(self, path: str) -> None:
        """The advertisement of upload-pack; pushes and dumb clients are refused."""
        project = self.allowed(path)
        service = self.get_query_argument("service", "")
        if service == "git-receive-pack":
            self.refuse(HTTPStatus.FORBIDDEN, NO_PUSH)
        if service != "git-upload-pack":
            self.refuse(HTTPStatus.FORBIDDEN, NOT_SMART)
        await self.relay(project, "info/refs")

    def head(self, path: str) -> None:
        """403, as GitLab."""
        self.allowed(path)
        self.set_status(HTTPStatus.FORBIDDEN)


@stream_request_body
class UploadPack(SmartHttpHandler):
    """POST /:group/:project.git/git-upload-pack."""

    _spool: IO[bytes] | None = None

    def prepare(self) -> None:
        """Open the spool: the backend reads the whole request before it answers anyway."""
        super().prepare()
        self.request.connection.set_max_body_size(MAX_REQUEST)  # type: ignore[union-attr]
        self._spool = TemporaryFile(dir=self.site.content)  # noqa: SIM115 - on_finish closes it

    def data_received(self, chunk: bytes) -> None:
        """One piece of the request, gzipped or not."""
        if self._spool:
            self._spool.write(chunk)

    async def post(self, path: str) -> None:
        """The packs that were asked for."""
        project = self.allowed(path)
        if self._spool:
            self._spool.seek(0)
        await self.relay(project, "git-upload-pack", self._spool)

    def on_finish(self) -> None:
        """The spool has no name; closing it deletes it."""
        if self._spool:
            self._spool.close()

    def on_connection_close(self) -> None:
        """No answer will be sent, and on_finish is not called for half a request."""
        super().on_connection_close()
        self.on_finish()


class ReceivePack(SmartHttpHandler):
    """POST /:group/:project.git/git-receive-pack."""

    def post(self, path: str) -> None:
        """403: the token may read only."""
        self.allowed(path)
        self.refuse(HTTPStatus.FORBIDDEN, NO_PUSH)


class WithoutSuffix(DemoHandler):
    """GET /:group/:project/info/refs, without `.git`."""

    def get(self, path: str) -> None:
        """To the address with it."""
        query = f"?{self.request.query}" if self.request.query else ""
        self.redirect(f"/{path}.git/info/refs{query}", permanent=True)
