"""The public pages that are always there: for the header, the sitemap and whoever is lost."""

from portal.config.model import Config
from portal.errors import NotFound
from portal.suggestions import Place, nearest

NAVIGATION = (
    Place("Home", "/"),
    Place("Downloads", "/downloads"),
    Place("Pets", "/pets"),
    Place("Prospects", "/prospects"),
    Place("Catalog", "/catalog"),
)
PRIVACY = Place("Privacy", "/privacy")


def public(config: Config) -> tuple[Place, ...]:
    """Every page of the portal's own, and every project's."""
    projects = (Place(project.title, f"/downloads/{project.slug}") for project in config.projects)
    return (*NAVIGATION, *projects, PRIVACY)


def by_address(config: Config) -> list[Place]:
    """The same, named by what somebody may have typed of their addresses."""
    places = public(config)
    feeds = [Place("", f"/feeds/{project.slug}.atom") for project in config.projects]
    named = [Place(place.address.strip("/"), place.address) for place in (*places, *feeds)]
    return [*named, *places]


def no_page(config: Config, path: str) -> NotFound:
    """What to say of an address that is none, and what is near it."""
    near = nearest(path.strip("/"), by_address(config))
    return NotFound("There is no such page.", "Start from the home page.", near=near)
