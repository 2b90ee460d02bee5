"""What every answer of the stand-in shares: who may ask, which project, how errors look."""

import asyncio
import hmac
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from tornado.web import Finish, HTTPError, RequestHandler

from demo import projects
from demo.presign import Presigner
from demo.projects import DemoProject
from demo.refusals import RETRY_AFTER, Refusal, refusal


@dataclass(slots=True)
class DemoSite:
    """What the handlers know: the filled folder, the one token, both origins.

    While `outage` is a status or a name of `demo.refusals`, GitLab answers nothing but that.
    `external_url` is the name that GitLab writes into its answers, where it is another than the one
    it is asked under (`external_url` of gitlab.rb). At most `archives_a_minute` archives of one
    project are made. `relays` are the requests that have a git program running.
    """

    content: Path
    token: str
    presigner: Presigner
    gitlab_url: str = ""
    objects_url: str = ""
    external_url: str = ""
    outage: int | str | None = None
    archives_a_minute: int | None = None
    expires_at: str = "2099-06-30"
    scopes: tuple[str, ...] = ("read_api", "read_repository")
    access_level: int = 20
    archives_made: dict[int, list[float]] = field(default_factory=dict)
    relays: set[asyncio.Task[Any]] = field(default_factory=set)

    def address(self, url: str) -> str:
        """A url of a release link with the origins filled in."""
        return url.replace("{gitlab}", self.base).replace("{objects}", self.objects_url)

    @property
    def base(self) -> str:
        """The address that GitLab gives as its own."""
        return self.external_url or self.gitlab_url

    def archive_is_allowed(self, project: int) -> bool:
        """Whether one more archive of a project may be made now."""
        if self.archives_a_minute is None:
            return True
        now = time.monotonic()
        made = [t for t in self.archives_made.get(project, []) if now - t < 60]
        self.archives_made[project] = [*made, now]
        return len(made) < self.archives_a_minute


class DemoHandler(RequestHandler):
    """One answer of GitLab."""

    @property
    def site(self) -> DemoSite:
        """The stand-in that is asked."""
        site = self.settings["site"]
        assert isinstance(site, DemoSite)  # noqa: S101 - for the type checker
        return site

    def set_default_headers(self) -> None:
        """Name the server as GitLab's own proxy does."""
        self.set_header("Server", "nginx")

    def prepare(self) -> None:
        """Refuse everything during an outage."""
        outage = self.site.outage
        if isinstance(outage, int):
            raise HTTPError(outage)
        if outage is not None and not (refused := refusal(outage)).of_token:
            self.refuse_as(refused)

    def refuse_as(self, refused: Refusal) -> NoReturn:
        """End the request with one of GitLab's refusals."""
        self.set_status(refused.status)
        self.set_header("Content-Type", refused.kind)
        for name, value in refused.headers.items():
            self.set_header(name, value)
        self.write(refused.body)
        raise Finish

    def sends_token(self) -> bool:
        """Whether the request carries the token, as PRIVATE-TOKEN or as a bearer token."""
        kind, _, bearer = self.request.headers.get("Authorization", "").partition(" ")
        given = self.request.headers.get("PRIVATE-TOKEN", bearer if kind == "Bearer" else "")
        return self.is_token(given)

    def is_token(self, given: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(given.encode(), self.site.token.encode())

    def project(self, name: str) -> DemoProject:
        """The project of that number or path; 404 in GitLab's words where there is none.

        A former path leads to the project's present address.
        """
        project = projects.find(self.site.content, name)
        if project is None:
            raise HTTPError(HTTPStatus.NOT_FOUND, reason="Project Not Found")
        if name in project.old_paths:
            self.moved(project, name)
        return project

    def moved(self, project: DemoProject, name: str) -> NoReturn:
        """301 to the same address under the present path (routing concern of Rails)."""
        uri = self.request.uri or ""
        self.redirect(self.site.base + uri.replace(f"/{name}", f"/{project.path}", 1), status=301)
        raise Finish

    def write_error(self, status_code: int, **_: Any) -> None:
        """A short text; 429 and 503 with Retry-After."""
        if status_code in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            self.set_header("Retry-After", str(RETRY_AFTER))
        self.finish(self.error_body(f"{status_code} {self._reason}"))

    def error_body(self, text: str) -> str | dict[str, Any]:
        """How that text is said; the API overrides it."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        return f"{text}\n"


class ApiHandler(DemoHandler):
    """One answer of the REST API, version 4: JSON, and for whoever has the token."""

    def prepare(self) -> None:
        """401 without the token."""
        super().prepare()
        if not self.sends_token():
            raise HTTPError(HTTPStatus.UNAUTHORIZED)
        if isinstance(self.site.outage, str):
            self.refuse_as(refusal(self.site.outage))

    def moved(self, project: DemoProject, name: str) -> NoReturn:
        """301 to `/projects/<number>/…`: MovedPermanentlyError of lib/api/api.rb."""
        written = f"/projects/{quote(name, safe='')}"
        uri = (self.request.uri or "").replace(written, f"/projects/{project.number}", 1)
        location = f"{self.site.base}{uri}"
        self.set_status(HTTPStatus.MOVED_PERMANENTLY)
        self.set_header("Location", location)
        self.set_header("Content-Type", "application/json")
        self.write(f"This resource has been moved permanently to {location}")
        raise Finish

    def compute_etag(self) -> str | None:
        """A weak one, as Rails gives; If-None-Match is answered with 304 by Tornado."""
        etag = super().compute_etag()
        return f"W/{etag}" if etag else None

    def error_body(self, text: str) -> str | dict[str, Any]:
        """`{"message": "404 Project Not Found"}`."""
        return {"message": text}


class NoSuchRoute(ApiHandler):
    """What the API says to an address that it does not have."""

    def error_body(self, text: str) -> str | dict[str, Any]:
        """`{"error": "404 Not Found"}`, in other words than for a missing thing."""
        return {"error": text} if text.startswith("404") else super().error_body(text)

    def get(self, *_: str) -> None:
        """404."""
        raise HTTPError(HTTPStatus.NOT_FOUND)


class WebHandler(DemoHandler):
    """An address for browsers that takes the token too: an archive, a permalink of a release.

    `valid_web_access_format?` of lib/gitlab/auth/auth_finders.rb lists these, and feeds.
    """

    def prepare(self) -> None:
        """Send strangers to the sign-in page, whatever they asked for: GitLab never tells."""
        super().prepare()
        if not self.sends_token() or isinstance(self.site.outage, str):
            self.to_sign_in()

    def to_sign_in(self) -> NoReturn:
        """302 to the sign-in page, with Rails' own short body."""
        address = f"{self.site.base}/users/sign_in"
        self.redirect(address)
        raise Finish


class WebPage(WebHandler):
    """Every other address for browsers: no token opens it, so all lead to the sign-in page."""

    def prepare(self) -> None:
        """302, with the token too."""
        DemoHandler.prepare(self)
        self.to_sign_in()


class SignIn(DemoHandler):
    """The page that a stranger is sent to."""

    def get(self) -> None:
        """A page, with status 200: what must not be saved as somebody's download."""
        self.finish("<!doctype html><title>Sign in · GitLab</title><p>Sign in to continue.</p>")
