"""git's smart HTTP protocol, read only: each advertisement is recorded as a clone event.

https://git-scm.com/docs/http-protocol. What git shows of each answer was tried: errors are plain
text where git prints that, and an ERR line where it would not.
"""

import logging
import re

from tornado.escape import json_encode
from tornado.web import HTTPError, stream_request_body

from handlers.base.handler import Handler
from handlers.base.streaming import StreamingHandler
from handlers.git_errors import no_service, refusal
from portal.config.model import Project
from portal.errors import (
    Malformed,
    NotFound,
    PortalError,
    TooLarge,
    TooMany,
    Unavailable,
)
from portal.events import Clone
from portal.http import pktline
from portal.http.validators import file_caching
from portal.relay.relay import Relay
from portal.relay.request_body import RequestBody
from portal.relay.slots import Slot
from portal.relay.stall import StallTimer
from portal.relay.upstream import REDIRECTS, no_admission
from portal.suggestions import Place, nearest

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
NAMED = 5  # repositories that an error names where none is like what was asked for


class GitHandler(StreamingHandler):
    """What the requests of git share: errors in words that git prints."""

    def project(self, slug: str) -> Project:
        """The configured project, whatever the case of its name; `NotFound` says what to clone."""
        project = self.config.project(slug.lower())
        if project is None:
            raise self.no_repository(slug)
        return project

    def no_repository(self, asked: str) -> NotFound:
        """Name the address that may have been meant, or all of them where they are few."""
        projects = self.config.projects
        path = f"/{asked.lower()}"
        exact = [p for p in projects if path.endswith((f"/{p.path.lower()}", f"/{p.slug}"))]
        named = [Place(name, p.slug) for p in projects for name in (p.slug, p.path)]
        meant = [p.slug for p in exact] or [p.address for p in nearest(asked, named)]
        slugs = meant or [p.slug for p in projects][:NAMED]
        urls = " or ".join(self.clone_url(slug) for slug in slugs)
        return NotFound(f'There is no project "{asked}".', f"Clone {urls} instead.")

    def answer_error(self, error: PortalError) -> None:
        """Plain text, which git prints of answers to GET."""
        self.answer_text(error)

    def take_slot(self) -> Slot:
        """A transfer's slot; 429 where none is free, since git tries again after that status only.

        https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpmaxRetries
        """
        try:
            return self.services.transfers.acquire()
        except Unavailable as error:
            raise TooMany(error.sentence, error.advice, error.retry_after) from None

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
        expected = f"application/x-git-upload-pack-{kind}"
        media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if status != 200 or media_type != expected:
            log.warning("%s: GitLab answered %d", self.request.path, status)
            if self.services.upstream.refuses_token(status):
                raise no_admission()
            raise refusal(status, headers)
        self.copy_headers(headers, ANSWER_HEADERS)
        self.set_header("Content-Type", expected)  # JGit takes no parameter after it
        self.set_header("Cache-Control", file_caching(headers.get("Cache-Control", "")))
        await self.stream(relay)


class InfoRefsHandler(GitHandler):
    """/<project>.git/info/refs: the advertisement, with which every clone and fetch begins."""

    async def get(self, slug: str) -> None:
        """Record one clone event, then ask GitLab."""
        service = self.get_query_argument("service", "")
        project = self.project(slug)
        if service != "git-upload-pack":
            raise no_service(service, f"{self.origin}/downloads/{project.slug}")
        slug, path = project.slug, f"/{project.slug}.git/info/refs"
        if self.request.path != path:
            # JGit does not follow a relative address.
            self.redirect(f"{self.origin}{path}?service={service}", permanent=True)
            return
        await self.services.events.record(Clone(slug, self.ip_hash, self.user_agent))
        self.note("git_clone", {"project": slug}, f"/{slug}.git", told_agent(self.user_agent))
        with self.take_slot():
            relay = self.ask(project, service)
            status, headers = await relay.head()
            if status in REDIRECTS and self.services.listings.redirected(
                project, headers.get("Location", "")
            ):
                relay.discard()
                relay = self.ask(project, service)
            await self.answer(relay, "advertisement")

    def ask(self, project: Project, service: str) -> Relay:
        """Ask GitLab where the project is now, as far as that is known."""
        relay = self.services.upstream.git(
            self.services.listings.located(project),
            "GET",
            f"/info/refs?service={service}",
            self.git_headers(),
        )
        self.opened(relay)
        return relay

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
        self.slot = self.take_slot()
        self.stall_timer = StallTimer()
        self.expect_more()
        upload = RequestBody(length)
        self.opened(
            self.services.upstream.git(
                self.services.listings.located(project),
                "POST",
                "/git-upload-pack",
                self.git_headers(),
                upload,
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
        """Free the transfer slot."""
        if self.slot:
            self.stall_timer.stop()
            self.slot.release()

    def on_connection_close(self) -> None:
        """The client has left, maybe in the middle of its body."""
        super().on_connection_close()
        self.release()

    def answer_error(self, error: PortalError) -> None:
        """As an ERR line: git prints nothing of any other answer to this request.

        429 stays 429: git prints less of it, and tries again where it is configured to.
        """
        self.release()
        if self.request.method != "POST" or isinstance(error, (Malformed, TooMany)):
            self.answer_text(error)
            return
        self.set_status(200)
        self.set_header("Content-Type", "application/x-git-upload-pack-result")
        self.finish(pktline.error(" ".join((error.sentence, error.advice)).strip()))


class RefusedHandler(GitHandler):
    """What git can ask for and this portal does not do: push, archives, dumb HTTP."""

    def prepare(self) -> None:
        """Refuse, whatever the method."""
        super().prepare()
        slug, path = self.path_args
        releases = f"{self.origin}/downloads/{self.project(slug).slug}"
        raise no_service(path if path.startswith("git-") else "", releases)


class NoRepositoryHandler(GitHandler):
    """…/info/refs of an address that is no repository's, such as a project's path in GitLab."""

    def prepare(self) -> None:
        """Refuse, whatever the method."""
        super().prepare()
        raise self.no_repository(self.path_args[0])


class LfsHandler(Handler):
    """/<project>.git/info/lfs: Git LFS, whose client prints the message of a JSON answer.

    https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md#response-errors
    """

    def prepare(self) -> None:
        """Refuse, whatever the method."""
        self.set_status(501)
        self.set_header("Content-Type", "application/vnd.git-lfs+json")
        self.finish(json_encode({"message": "This portal does not serve Git LFS objects."}))


def told_agent(user_agent: str) -> str:
    """The User-Agent to send to Umami, which would take a bare `git/2.39.5` for a bot."""
    match = _VERSION.search(user_agent)
    return f"Mozilla/5.0 (X11; Linux x86_64) git/{match[1] if match else '0'}"
