"""The object store: another origin, where a presigned address is the only credential.

`/public/…` needs no signature. Errors are S3's: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from http import HTTPStatus
from typing import NoReturn

# It writes XML, and parses none.
from xml.sax.saxutils import escape  # nosec B406

from tornado.web import Finish

from demo.answers import DemoHandler
from demo.files import FileSender

ONE_MECHANISM = (
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query "
    "string parameter or the Authorization header should be specified"
)


class Object(FileSender, DemoHandler):
    """GET and HEAD of one object."""

    def set_default_headers(self) -> None:
        """Not GitLab's."""
        self.set_header("Server", "AmazonS3")

    def prepare(self) -> None:
        """Refuse credentials, and what is not signed; an outage is GitLab's only."""
        headers = self.request.headers
        if "Authorization" in headers or "PRIVATE-TOKEN" in headers:
            self.refuse(HTTPStatus.BAD_REQUEST, "InvalidArgument", ONE_MECHANISM)
        request = (self.request.method or "", self.request.path, self.request.query)
        readable = request[0] in ("GET", "HEAD")
        if readable and self.request.path.startswith("/public/"):
            return
        if refusal := self.site.presigner.refusal(*request):
            self.refuse(HTTPStatus.FORBIDDEN, *refusal)

    async def get(self, name: str) -> None:
        """The object, under the name that the address asks for."""
        root = (self.site.content / "objects").resolve()
        path = (root / name).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            self.refuse(HTTPStatus.NOT_FOUND, "NoSuchKey", "The specified key does not exist.")
        self.set_header("Content-Type", "application/octet-stream")
        if disposition := self.get_query_argument("response-content-disposition", ""):
            self.set_header("Content-Disposition", disposition)
        stat = path.stat()
        await self.send_file(path, f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"')

    head = get

    def refuse(self, status: HTTPStatus, code: str, message: str) -> NoReturn:
        """End the request with S3's XML."""
        self.set_status(status)
        self.set_header("Content-Type", "application/xml")
        self.write(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        )
        raise Finish
