"""Where a project is in GitLab now: its number, its present path, the names of its GitLab.

A project that was renamed or moved answers the API with 301 to its number (MovedPermanentlyError of
lib/api/api.rb), git with 301 to its new path. One that was deleted and made anew under its path has
another number. GitLab may give itself another name (`external_url`) than the one it is asked under;
links of releases are written with that.
"""

import logging
import re
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from portal.config.model import GitLab, Project
from portal.gitlab.addresses import ProjectLocation
from portal.gitlab.requests import Failing, Moved, Requests

log = logging.getLogger("portal.gitlab")

ASK_SECONDS = 60.0  # after which a new number or path is noticed
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class ProjectDetails:
    """What GitLab says of a project; `base` is its GitLab's own address, "" where it cannot be
    told."""

    number: int
    path: str
    base: str


class ProjectIdentity:
    """One project's; belongs to one event loop."""

    def __init__(self, project: Project, gitlab: GitLab, requests: Requests) -> None:
        self._project = project
        self._gitlab = gitlab
        self._requests = requests
        self._ask_at = 0.0
        self._path = project.path
        self._base = gitlab.external_url
        self.number: int | None = None

    @property
    def location(self) -> ProjectLocation:
        """Where it is; the configured path stays one of its names."""
        bases = (self._gitlab.url, self._base) if self._base else (self._gitlab.url,)
        paths = (self._path, self._project.path)
        return ProjectLocation(
            tuple(dict.fromkeys(bases)), tuple(dict.fromkeys(paths)), self.number
        )

    @property
    def api_path(self) -> str:
        """What follows /api/v4 in its addresses."""
        return f"/projects/{quote(self._path, safe='')}"

    def remember(self, number: int | None, path: str) -> None:
        """What was known before a restart."""
        if self.number is None:
            self.number = number
            self._path = path or self._path

    def moved_to(self, path: str) -> bool:
        """GitLab led git to that path; whether it can be one."""
        if not _PATH.fullmatch(path):
            return False
        self._moves(path)
        self._ask_at = 0.0
        return True

    async def look(self) -> bool:
        """Ask GitLab, if that was long ago; whether the project has another number than before.

        Raises as `Requests.page` does; a failure changes nothing where the number is known.
        """
        if self.number is not None and monotonic() < self._ask_at:
            return False
        try:
            details = await self._details()
        except Failing:
            if self.number is None:
                raise
            return False
        self._ask_at = monotonic() + ASK_SECONDS
        if not self._gitlab.external_url:
            self._base = details.base
        if details.path:
            self._moves(details.path)
        before, self.number = self.number, details.number
        if before not in (None, details.number):
            log.warning("%s: another project has this path now", self._project.slug)
            return True
        return False

    def forget(self) -> None:
        """Ask again at the next look."""
        self._ask_at = 0.0

    async def _details(self) -> ProjectDetails:
        """By the configured path, so that a project that is made anew there is found."""
        try:
            path = f"/projects/{quote(self._project.path, safe='')}"
            return read_details(await self._requests.document(path))
        except Moved as moved:
            return read_details(await self._requests.document(f"/projects/{moved.number}"))

    def _moves(self, path: str) -> None:
        if path.lower() != self._path.lower():
            log.warning(
                "%s: in GitLab the project is at %s now; write that into the configuration",
                self._project.slug,
                path,
            )
        self._path = path


def read_details(document: dict[str, Any]) -> ProjectDetails:
    """From the API's answer (https://docs.gitlab.com/api/projects/). Raises `Failing`."""
    number, path, address = (document.get(n) for n in ("id", "path_with_namespace", "web_url"))
    if type(number) is not int:
        raise Failing("a project was answered without a number")
    path = path if isinstance(path, str) and _PATH.fullmatch(path) else ""
    base = ""
    if path and isinstance(address, str) and address.lower().endswith(f"/{path}".lower()):
        base = address[: -len(path) - 1]
        try:
            parts = urlsplit(base)
            fine = parts.scheme in ("http", "https") and parts.hostname and not parts.username
        except ValueError:
            fine = False
        base = base if fine else ""
    return ProjectDetails(number, path, base)


def path_of_repository(location: str, bases: tuple[str, ...]) -> str:
    """The project's path in an address of git's that GitLab redirects to; "" in any other."""
    for base in bases:
        if location.lower().startswith(f"{base}/".lower()):
            path, found, _ = unquote(location[len(base) + 1 :]).partition(".git/info/refs")
            return path if found else ""
    return ""
