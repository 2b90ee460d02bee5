"""/hooks/gitlab: GitLab says that a release, a tag or a branch has changed.

https://docs.gitlab.com/user/project/integrations/webhook_events/; the secret that was entered there
comes as X-Gitlab-Token. A hook only makes the portal ask GitLab sooner: nothing of it is believed
but which project to ask for.
"""

import hmac
import logging

from handlers.base.receiving import ReceivingHandler
from portal.errors import Malformed, NotFound, PortalError, TooLarge, TooMany, Unauthorized
from portal.http.json_body import posted_json
from portal.uploads.quota import Held

log = logging.getLogger("portal.gitlab")

BODY_LIMIT = 1 << 20  # a push event has twenty commits at most
EVENTS = ("Release Hook", "Tag Push Hook", "Push Hook")
FORM = "GitLab sends this: see the project's settings, Webhooks."


class GitLabHookHandler(ReceivingHandler):
    """One event. Whoever does not know the secret is refused before the body is read."""

    body_limit = BODY_LIMIT

    def prepare(self) -> None:
        """Compare the secret, in constant time."""
        secret = self.config.gitlab.webhook_token
        if not secret:
            raise NotFound("There is no such page.")
        if self.request.method == "POST":
            given = self.request.headers.get("X-Gitlab-Token", "")
            if not hmac.compare_digest(given.encode(), secret.encode()):
                if wait := self.services.guesses.wrong(self.client):
                    raise TooMany("Too many wrong tokens.", retry_after=wait)
                raise Unauthorized("This address is for GitLab's webhooks.")
        super().prepare()

    def hold(self) -> Held | None:
        """None: only GitLab gets here."""
        return None

    def too_large(self) -> PortalError:
        """What to say of too large an event."""
        return TooLarge(f"An event is no larger than {BODY_LIMIT >> 20} MiB.")

    def post(self) -> None:
        """Have every process ask for the project's list."""
        event = self.request.headers.get("X-Gitlab-Event", "")
        document = posted_json(self.received(), FORM)
        if event not in EVENTS:
            self.finish({"asked": False, "why": f"{event[:64]!a} is none of {', '.join(EVENTS)}"})
            return
        project = document.get("project")
        if not isinstance(project, dict):
            raise Malformed("The event names no project.")
        number, path = project.get("id"), project.get("path_with_namespace")
        slug = self.services.listings.hint(
            number if type(number) is int else 0, path if isinstance(path, str) else ""
        )
        if not slug:
            raise NotFound("This portal has no such project.")
        log.info("%s: GitLab's webhook says: %s", slug, event)
        self.finish({"asked": True, "project": slug})
