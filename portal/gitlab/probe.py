"""Probe of GitLab: whether the token opens what the portal needs of each project, and no more.

The role is `permissions` of https://docs.gitlab.com/api/projects/#get-a-single-project; its numbers
are those of https://docs.gitlab.com/api/access_requests/#valid-access-levels.
"""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from tornado.curl_httpclient import CurlError
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest, HTTPResponse

from portal import __version__
from portal.config.model import Config, Project
from portal.findings import Finding, warning
from portal.gitlab.api import GitLabApi
from portal.gitlab.requests import Failing, Withdrawn, refusal_of_token
from portal.gitlab.token_info import PATH, read_token_info
from portal.relay.credential import WARN_DAYS, Credential
from portal.relay.curl import reason, towards_gitlab

SECONDS = 20.0
CLOCK_SECONDS = 60.0  # of difference that are of no consequence
MAINTAINER = 40
ROLES = {
    5: "Minimal Access",
    10: "Guest",
    15: "Planner",
    20: "Reporter",
    30: "Developer",
    40: "Maintainer",
    50: "Owner",
    60: "Administrator",
}


class GitLabProbe:
    """Asks one GitLab; belongs to one event loop, as its client does."""

    def __init__(self, config: Config, client: AsyncHTTPClient) -> None:
        self._config = config
        self._gitlab = config.gitlab
        self._client = client
        self._credential = Credential(config.gitlab)
        self._api = GitLabApi(config.gitlab, client, config.limits, self._credential)

    async def findings(self) -> AsyncIterator[Finding]:
        """Every step that can be taken, as each ends; without an answer no other is."""
        try:
            answer = await self._ask(f"{self._gitlab.url}/api/v4{PATH}")
        except (HTTPError, OSError, ValueError) as error:
            yield Finding(False, f"GitLab at {self._gitlab.url}: {_no_answer(error)}")
            return
        yield Finding(True, f"GitLab answers at {self._gitlab.url}")
        yield _clock(answer.headers.get("Date", ""), datetime.now(UTC))
        if not self._credential.token:
            yield warning("no GITLAB_TOKEN is set: only public projects can be read")
        else:
            for finding in _token(answer):
                yield finding
        for project in self._config.projects:
            async for finding in self._project(project):
                yield Finding(finding.fine, f"{project.slug}: {finding.sentence}", finding.warning)

    async def _project(self, project: Project) -> AsyncIterator[Finding]:
        try:
            releases = await self._api.releases(project)
        except (Failing, Withdrawn) as error:
            yield Finding(False, f"its releases cannot be read: {error}")
        else:
            yield Finding(True, f"its releases can be read: {len(releases)}")
        for why, (version, label) in self._left_out(project).items():
            yield warning(f"link {label!a} of release {version} is left out: {why}")
        place = self._api.place(project)
        git = f"{self._gitlab.url}/{place.paths[0]}.git/info/refs?service=git-upload-pack"
        yield await self._readable("its git repository", git, git=True)
        api = f"{self._gitlab.url}/api/v4/projects/{quote(place.paths[0], safe='')}"
        yield await self._readable("its archive", f"{api}/repository/archive.tar.gz", method="HEAD")
        if self._credential.token:
            async for finding in self._role(api):
                yield finding

    def _left_out(self, project: Project) -> dict[str, tuple[str, str]]:
        """Each reason why links are no files here, with the newest link of which that is so."""
        reasons: dict[str, tuple[str, str]] = {}
        for one in self._api.left_out(project):
            if one.cause != "page":
                reasons.setdefault(one.why, (one.version, one.label))
        return reasons

    async def _role(self, api: str) -> AsyncIterator[Finding]:
        try:
            answer = await self._ask(api)
        except (HTTPError, OSError, ValueError):
            return  # the steps before have said so
        level = _level(_document(answer).get("permissions"))
        if level is None:
            return
        role = ROLES.get(level, f"of access level {level}")
        if level >= MAINTAINER:
            yield warning(f"the token's role is {role}, which can do more than read: use Reporter")
        else:
            yield Finding(True, f"the token's role is {role}")

    async def _readable(
        self, what: str, url: str, method: str = "GET", git: bool = False
    ) -> Finding:
        try:
            answer = await self._ask(url, method, git)
        except (HTTPError, OSError, ValueError) as error:
            return Finding(False, f"{what} cannot be read: {_no_answer(error)}")
        if answer.code == 200:
            return Finding(True, f"{what} can be read")
        return Finding(False, f"{what} cannot be read: GitLab answers {answer.code}")

    async def _ask(self, url: str, method: str = "GET", git: bool = False) -> HTTPResponse:
        """One request with the token: the API takes it in a header, git as a password."""
        token = self._credential.token
        request = HTTPRequest(
            url,
            method=method,
            headers={"PRIVATE-TOKEN": token} if token and not git else {},
            auth_username="oauth2" if token and git else None,
            auth_password=token if token and git else None,
            connect_timeout=self._config.limits.connect_seconds,
            request_timeout=SECONDS,
            follow_redirects=False,
            user_agent=f"portal-probe/{__version__}",
            prepare_curl_callback=towards_gitlab(self._gitlab),
        )
        return await self._client.fetch(request, raise_error=False)


def _no_answer(error: Exception) -> str:
    return reason(error) if isinstance(error, CurlError) else f"no answer ({type(error).__name__})"


def _clock(date: str, now: datetime) -> Finding:
    try:
        there = parsedate_to_datetime(date)
    except ValueError:
        return warning("GitLab sends no Date: the clocks cannot be compared")
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    seconds = (now - there).total_seconds()
    if abs(seconds) <= CLOCK_SECONDS:
        return Finding(True, "the clocks of GitLab and of this machine agree")
    which = "ahead of" if seconds > 0 else "behind"
    return warning(
        f"this machine's clock is {abs(seconds):.0f} seconds {which} GitLab's: set both by NTP"
    )


def _token(answer: HTTPResponse) -> list[Finding]:
    if why := refusal_of_token(answer.code, answer.body or b""):
        return [Finding(False, f"GitLab refuses the token: {why}")]
    if answer.code != 200:
        return [warning(f"GitLab answers {answer.code} to the question what the token may do")]
    document = _document(answer)
    try:
        info = read_token_info(document)
    except Failing as error:
        return [warning(str(error))]
    found = [Finding(True, f'the token is "{info.name}" and has {", ".join(info.scopes)}')]
    if more := [scope for scope in info.scopes if not scope.startswith("read_")]:
        found.append(
            warning(
                f"the token can do more than read ({', '.join(more)}): "
                "read_api and read_repository are enough"
            )
        )
    left = info.seconds_left(datetime.now(UTC))
    if left is None:
        found.append(Finding(True, "the token does not expire"))
    else:
        days = int(left // 86_400)
        sentence = f"the token expires on {info.expires_on}, in {days} days"
        found.append(warning(sentence) if days <= WARN_DAYS else Finding(True, sentence))
    level = document.get("access_level")
    if type(level) is int and level >= MAINTAINER:
        found.append(
            warning(f"the token was made with the role {ROLES.get(level, level)}: use Reporter")
        )
    return found


def _document(answer: HTTPResponse) -> dict[str, Any]:
    try:
        document = json.loads(answer.body or b"")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _level(permissions: object) -> int | None:
    """The highest access level, of the project's own members and of its group's."""
    if not isinstance(permissions, dict):
        return None
    entries = [permissions.get(name) for name in ("project_access", "group_access")]
    levels = [entry.get("access_level") for entry in entries if isinstance(entry, dict)]
    return max((level for level in levels if type(level) is int), default=None)
