"""What a token can read and nobody may publish, and what GitLab says of itself and of a token."""

from demo.answers import ApiHandler

VALUE = "this-value-must-never-be-published"


class Variables(ApiHandler):
    """GET /projects/:id/variables, issues, hooks and members: for a Maintainer's token only."""

    def get(self, name: str, kind: str) -> None:
        """A list with a secret in it, so that a test can look for the secret."""
        self.project(name)
        self.set_header("Content-Type", "application/json")
        self.write(f'[{{"kind": "{kind}", "key": "DEPLOY_KEY", "value": "{VALUE}"}}]')


class OwnToken(ApiHandler):
    """GET /personal_access_tokens/self: https://docs.gitlab.com/api/personal_access_tokens/."""

    def get(self) -> None:
        """What the token may do, and until when."""
        self.finish(
            {
                "id": 9,
                "name": "portal",
                "revoked": False,
                "active": True,
                "scopes": list(self.site.scopes),
                "access_level": self.site.access_level,
                "expires_at": self.site.expires_at,
            }
        )


class Metadata(ApiHandler):
    """GET /metadata and /version: https://docs.gitlab.com/api/metadata/."""

    def get(self) -> None:
        """The version, and the external address of what belongs to GitLab."""
        self.finish(
            {
                "version": "18.9.1-ee",
                "revision": "0123abc",
                "enterprise": True,
                "kas": {"enabled": False, "externalUrl": None},
            }
        )
