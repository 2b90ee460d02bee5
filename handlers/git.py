"""/<project>.git: git's smart HTTP, read only, each advertisement counted.

https://git-scm.com/docs/http-protocol; what git shows of each answer was tried, so errors are
plain text where git prints them and an ERR line where it would not.
"""

import logging
import re

from tornado.escape import json_encode
from tornado.httputil import HTTPHeaders
from tornado.web import HTTPError, stream_request_body

from handlers.analytics import note
from handlers.base.handler import Handler
from handlers.base.streaming import StreamingHandler
from portal.errors import Malformed, NotFound, PortalError, Refused, TooLarge, UpstreamFailed
from portal.events import Clone
from portal.http import pktline
from portal.http.validators import file_caching
from portal.relay.relay import Relay
from portal.relay.request_body import RequestBody
from portal.relay.slots import Slot
from portal.relay.stall import StallTimer
from portal.relay.upstream import throttled

log = logging.getLogger("portal.web")

# What goes upstream, and what comes back. Never the client's own credentials.
REQUEST_HEADERS = (
    "Accept",
    "Accept-Encoding",
    "Content-Type",
    "Content-Encoding",
    "User-Agent",
)
ANSWER_HEADERS = (
    "Content-Type",
    "Content-Encoding",
    "Content-Length",
    "Expires",
    "Pragma",
)
# Keys and values as in "version=2" or "version=2:object-format=sha1".
_GIT_PROTOCOL = re.compile(r"[A-Za-z0-9._=:-]{1,256}")
_VERSION = re.compile(r"git/(\d[\w.]{0,40})")
UPLOAD_LIMIT = 1 << 30  # bytes of wants and haves; a real fetch sends kilobytes
UPLOAD_SECONDS = 600


class GitHandler(StreamingHandler):
    """What both requests of a clone share."""

    def answer_error(self, error: PortalError) -> None:
        """In words that git prints."""
        self.answer_text(error)

    def git_headers(self) -> dict[str, str]:
        """The request headers that go upstream."""
        headers = self.request.headers
        sent = {name: headers[name] for name in REQUEST_HEADERS if name in headers}
        protocol = headers.get("Git-Protocol", "")
        if _GIT_PROTOCOL.fullmatch(protocol):
            sent["Git-Protocol"] = protocol
        return sent

    async def answer(self, relay: Relay, kind: str) -> None:
        """Pass the upstream's answer on, or say in words why there is none."""
        status, headers = await relay.head()
        if status != 200 or headers.get("Content-Type") != f"application/x-git-upload-pack-{kind}":
            log.warning("%s: GitLab answered %d", self.request.path, status)
            raise refusal(status, headers)
        self.copy_headers(headers, ANSWER_HEADERS)
        self.set_header("Cache-Control", file_caching(headers.get("Cache-Control", "")))
        await self.stream(relay)


class InfoRefsHandler(GitHandler):
    """/<project>.git/info/refs: the advertisement, with which every clone and fetch begins."""

    async def get(self, slug: str) -> None:
        """Record one clone event, then ask GitLab."""
        service = self.get_query_argument("service", "")
        project = self.project(slug)
        if service == "git-receive-pack":
            raise push_refused()
        if service != "git-upload-pack":
            raise dumb_refused()
        await self.services.recorder.record(Clone(slug, self.ip_hash, self.user_agent))
        note(self, "git_clone", {"project": slug}, f"/{slug}.git", told_agent(self.user_agent))
        with self.services.transfers.acquire():
            relay = self.services.upstream.git(
                project, "GET", f"/info/refs?service={service}", self.git_headers()
            )
            self.opened(relay)
            await self.answer(relay, "advertisement")

    async def head(self, *_: str) -> None:
        """No request of git's, and no clone; GitLab refuses it too."""
        raise HTTPError(405)


@stream_request_body
class UploadPackHandler(GitHandler):
    """/<project>.git/git-upload-pack: what the client has and wants, then the pack."""

    slot: Slot | None = None

    def prepare(self) -> None:
        """Start the upstream's request, so that the body goes there as it comes."""
        super().prepare()
        if self.request.method != "POST":
            raise HTTPError(405)
        length = self.announced
        if length is not None and length > UPLOAD_LIMIT:
            raise TooLarge("That is more than any fetch asks for.")
        connection = self.request.connection
        connection.set_max_body_size(UPLOAD_LIMIT)  # type: ignore[union-attr]
        connection.set_body_timeout(UPLOAD_SECONDS)  # type: ignore[union-attr]
        project = self.project(self.path_args[0])
        self.slot = self.services.transfers.acquire()
        self.stall_timer = StallTimer()
        self.expect_more()
        upload = RequestBody(length)
        self.opened(
            self.services.upstream.git(
                project, "POST", "/git-upload-pack", self.git_headers(), upload
            )
        )

    async def data_received(self, chunk: bytes) -> None:
        """Pass a piece on; returns once the upstream has taken it."""
        if self.relay:
            self.stall_timer.stop()
            await self.relay.feed(chunk)
            self.expect_more()

    def expect_more(self) -> None:
        """The client's turn: let go of one that sends nothing for too long."""
        self.stall_timer.start(
            self.config.limits.client_stall_seconds, self.connection_stream.close
        )

    async def post(self, _slug: str) -> None:
        """The body is complete: answer."""
        if self.relay is None:
            return
        self.stall_timer.stop()
        self.relay.end()
        try:
            await self.answer(self.relay, "result")
        finally:
            self.release()

    def release(self) -> None:
        """Give the transfer's place back."""
        if self.slot:
            self.stall_timer.stop()
            self.slot.release()

    def on_connection_close(self) -> None:
        """The client has left, maybe in the middle of its body."""
        super().on_connection_close()
        self.release()

    def answer_error(self, error: PortalError) -> None:
        """As an ERR line: git prints nothing of any other answer to this request."""
        self.release()
        if self.request.method != "POST" or isinstance(error, Malformed):
            self.answer_text(error)
            return
        self.set_status(200)
        self.set_header("Content-Type", "application/x-git-upload-pack-result")
        self.finish(pktline.error(" ".join((error.sentence, error.advice)).strip()))


class RefusedHandler(GitHandler):
    """What git can ask for and this portal does not do: push, dumb HTTP."""

    def prepare(self) -> None:
        """Refuse, whatever the method."""
        slug, path = self.path_args
        self.project(slug)
        if path == "git-receive-pack":
            raise push_refused()
        raise dumb_refused()


class LfsHandler(Handler):
    """/<project>.git/info/lfs: Git LFS, whose client prints the message of a JSON answer.

    https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md#response-errors
    """

    def prepare(self) -> None:
        """Refuse, whatever the method."""
        self.set_status(501)
        self.set_header("Content-Type", "application/vnd.git-lfs+json")
        self.finish(json_encode({"message": "This portal does not serve Git LFS objects."}))


class SuffixHandler(Handler):
    """/<project>/info/refs: git was given the address without its `.git`; it follows this."""

    def get(self, slug: str) -> None:
        """Redirect to the one address of the repository."""
        self.project(slug)
        self.redirect(f"/{slug}.git/info/refs?{self.request.query}", permanent=True)


def told_agent(user_agent: str) -> str:
    """The git client as Umami is told of it, which takes `git/2.39.5` by itself for a bot."""
    match = _VERSION.search(user_agent)
    return f"Mozilla/5.0 (X11; Linux x86_64) git/{match[1] if match else '0'}"


def push_refused() -> Refused:
    """What to say to `git push`."""
    return Refused(
        "This address is for clone and fetch only.",
        "Push to the project's own GitLab repository instead.",
    )


def dumb_refused() -> Refused:
    """What to say to git's dumb HTTP protocol, which reads files one by one."""
    return Refused(
        "This server speaks git's smart HTTP protocol only.",
        "Use git 1.6.6 or newer, without GIT_SMART_HTTP=0.",
    )


def refusal(status: int, headers: HTTPHeaders) -> PortalError:
    """What to say where the upstream is no git server for this project."""
    if status in (401, 403, 404):
        return NotFound("This repository is not available here.", "Please tell the operator.")
    if status in (429, 503):
        return throttled(headers)
    return UpstreamFailed("GitLab did not answer as a git server.", retry_after=30)
