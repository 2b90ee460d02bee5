"""State of the GitLab connection for the operator: the token, and each project's list."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

ListState = Literal["fresh", "stale", "withdrawn", "unknown"]
LIST_STATES: tuple[ListState, ...] = ("fresh", "stale", "withdrawn", "unknown")


@dataclass(frozen=True, slots=True)
class ProjectState:
    """One project. `state` says what is served: GitLab's last list, one that is older since GitLab
    gave no newer, none since it was withdrawn, or none yet; `why` is what GitLab said.

    `path` is where the project is in GitLab now, `configured_path` where the configuration says.
    """

    slug: str
    path: str
    configured_path: str
    state: ListState
    why: str

    @property
    def moved(self) -> bool:
        """Whether the project has another path than the configuration says."""
        return self.path.lower() != self.configured_path.lower()


@dataclass(frozen=True, slots=True)
class GitLabState:
    """`token_refused` says why GitLab refuses the token, "" while it does not.

    `token_expires_on` is the first day on which it is refused, None where that is not known or
    never; `token_seconds_left` until then.
    """

    token_refused: str
    token_name: str
    token_expires_on: date | None
    token_seconds_left: float | None
    token_expires_soon: bool
    projects: tuple[ProjectState, ...]
