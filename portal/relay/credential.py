"""GitLab's access token: read anew when its file changes, and what GitLab thinks of it.

GitLab refuses a token with 401 (expired, revoked, unknown) or with 403 `insufficient_scope`
(lib/api/api_guard.rb). Either is about this portal and not about a project, so the lists of all
projects stay in service, and the operator is told. Tokens live a year at most.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic

from portal.config.model import GitLab

log = logging.getLogger("portal.gitlab")

LOOK_SECONDS = 1.0  # between looks at the file
REMIND_SECONDS = 3600.0
WARN_DAYS = 30


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What GitLab says of the token (`/personal_access_tokens/self`).

    `expires_on` is the first day, in UTC, on which it is refused; None where it does not expire.
    """

    name: str
    scopes: tuple[str, ...]
    expires_on: date | None

    def seconds_left(self, now: datetime) -> float | None:
        """Until GitLab refuses it; 0 afterwards, None where it does not expire."""
        if self.expires_on is None:
            return None
        end = datetime(self.expires_on.year, self.expires_on.month, self.expires_on.day, tzinfo=UTC)
        return max(0.0, (end - now).total_seconds())


class Credential:
    """The token that requests carry now; belongs to one event loop.

    The file has one token a line. While a new one and an old one overlap, both may be in it: when
    GitLab refuses the one in use, the next is used. Without a file the token never changes.
    """

    def __init__(self, gitlab: GitLab) -> None:
        self._file = gitlab.token_file
        self._tokens: tuple[str, ...] = (gitlab.token,) if gitlab.token else ()
        self._used = 0
        self._refusals: dict[str, str] = {}
        self._seen: tuple[int, int, int] | None = None
        self._look_at = 0.0
        self._remind_at = 0.0
        self.info: TokenInfo | None = None

    @property
    def token(self) -> str:
        """The token; "" where none is configured."""
        self._look()
        return self._tokens[self._used] if self._tokens else ""

    @property
    def trouble(self) -> str:
        """Why GitLab refuses every token, in a few words; "" while one is taken."""
        token = self.token
        return self._refusals.get(token, "")

    def refused(self, token: str, why: str = "") -> None:
        """GitLab has refused that token; `why` in its words, "" where it has said none."""
        if token != self.token:
            return  # another is in use by now
        why = why or self._refusals.get(token, "it answered 401")
        self._refusals[token] = why
        for number, other in enumerate(self._tokens):
            if other not in self._refusals:
                self._used = number
                self.info = None
                log.warning("GitLab refuses a token (%s); the next of the file is used", why)
                return
        self._remind(why)

    def accepted(self, token: str) -> None:
        """GitLab has answered a request that carried that token."""
        if self._refusals.pop(token, None) is not None:
            self._remind_at = 0.0
            log.warning("GitLab takes the token again")

    def reload(self) -> None:
        """Look at the file now."""
        self._look_at = 0.0
        self._look()

    def expires_soon(self, now: datetime) -> int | None:
        """The days that are left, where these are few; None otherwise."""
        left = self.info.seconds_left(now) if self.info else None
        return None if left is None or left > WARN_DAYS * 86_400 else int(left // 86_400)

    def _remind(self, why: str) -> None:
        """Once, and again each hour."""
        if monotonic() < self._remind_at:
            return
        self._remind_at = monotonic() + REMIND_SECONDS
        log.warning(
            "GitLab refuses the token: %s. Lists of releases stay as they were; files and clones "
            "answer 503 until there is a new one",
            why,
        )

    def _look(self) -> None:
        if self._file is None or monotonic() < self._look_at:
            return
        self._look_at = monotonic() + LOOK_SECONDS
        try:
            status = self._file.stat()
            seen = (status.st_mtime_ns, status.st_ino, status.st_size)
            if seen == self._seen:
                return
            tokens = read_tokens(self._file)
        except (OSError, ValueError) as error:
            if self._seen is not None:
                log.warning("the token's file is not read anew: %s", error)
                self._seen = None
            return
        self._seen = seen
        if tokens != self._tokens:
            self._tokens, self._used, self.info = tokens, 0, None
            self._refusals.clear()
            self._remind_at = 0.0
            log.info("GitLab's token is read from its file: %d", len(tokens))


def read_tokens(path: Path) -> tuple[str, ...]:
    """The tokens of a file, one a line. Raises OSError, and ValueError where there is none."""
    text = path.read_text(encoding="ascii")
    tokens = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not tokens or any(not 32 < ord(c) < 127 for token in tokens for c in token):
        raise ValueError(f"{path} holds no token: one a line, in printable ASCII without spaces")
    return tokens
