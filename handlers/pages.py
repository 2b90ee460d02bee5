"""Pages of the portal's own: the first one, and what is recorded."""

from handlers.base.handler import Handler
from handlers.releases import OverviewHandler
from portal.site.map import no_page


class HomeHandler(OverviewHandler):
    """/: the home page, with every project and its newest release."""

    template = "site/home.html"


class PrivacyHandler(Handler):
    """/privacy: what is recorded, from the live schema; what never is; how long it is kept."""

    async def get(self) -> None:
        """The page."""
        disclosure = await self.services.disclosures.disclosure()
        await self.answer_page("site/privacy.html", disclosure=disclosure, config=self.config)


class ProjectRedirectHandler(Handler):
    """/<project> and /<project>.git in a browser: where the project's releases are."""

    def get(self, slug: str) -> None:
        """Redirect, or say what is near."""
        if self.config.project(slug) is None:
            raise no_page(self.config, f"/{slug}")
        self.redirect(f"/downloads/{slug}")
