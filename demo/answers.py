"""What every answer of the stand-in shares: who may ask, which project, how errors look."""

import asyncio
import hmac
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tornado.web import HTTPError, RequestHandler

from demo import projects
from demo.presign import Presigner
from demo.projects import DemoProject


@dataclass(slots=True)
class DemoSite:
    """What the handlers know: the filled folder, the one token, both origins.

    While `outage` is a status, GitLab answers nothing but that. `relays` are the requests that
    have a git program running.
    """

    content: Path
    token: str
    presigner: Presigner
    gitlab_url: str = ""
    objects_url: str = ""
    outage: int | None = None
    relays: set[asyncio.Task[Any]] = field(default_factory=set)

    def address(self, url: str) -> str:
        """A url of a release link with the origins filled in."""
        return url.replace("{gitlab}", self.gitlab_url).replace("{objects}", self.objects_url)


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
        if self.site.outage is not None:
            raise HTTPError(self.site.outage)

    def sends_token(self) -> bool:
        """Whether the request carries the token, as PRIVATE-TOKEN or as a bearer token."""
        kind, _, bearer = self.request.headers.get("Authorization", "").partition(" ")
        given = self.request.headers.get("PRIVATE-TOKEN", bearer if kind == "Bearer" else "")
        return self.is_token(given)

    def is_token(self, given: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(given.encode(), self.site.token.encode())

    def project(self, name: str) -> DemoProject:
        """The project of that number or path; 404 in GitLab's words where there is none."""
        project = projects.find(self.site.content, name)
        if project is None:
            raise HTTPError(HTTPStatus.NOT_FOUND, reason="Project Not Found")
        return project

    def write_error(self, status_code: int, **_: Any) -> None:
        """A short text; 429 and 503 with Retry-After."""
        if status_code in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            self.set_header("Retry-After", "1")
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
    """An address for browsers that takes the token too; without it, to the sign-in page."""

    def prepare(self) -> None:
        """Send strangers to the sign-in page, whatever they asked for: GitLab never tells."""
        super().prepare()
        if not self.sends_token():
            self.redirect("/users/sign_in")


class SignIn(DemoHandler):
    """The page that a stranger is sent to."""

    def get(self) -> None:
        """A page, with status 200: what must not be saved as somebody's download."""
        self.finish("<!doctype html><title>Sign in · GitLab</title><p>Sign in to continue.</p>")
