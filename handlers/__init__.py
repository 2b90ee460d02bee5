"""The URL space on one screen, and the application made of it.

Besides these there are the two addresses of page analytics, which the configuration names.
"""

from typing import Any

from tornado.web import Application

from handlers import analytics, downloads, git, hooks, images, metrics, pages, releases, wellknown
from handlers.base.handler import NotFoundHandler, log_request
from handlers.base.receiving import PortalApplication
from handlers.catalog import diff, search
from handlers.catalog import pages as browse
from handlers.static import StaticHandler, WellKnownHandler
from handlers.tools import drop, pets, prospects
from portal.services import Services
from portal.site import map as site_map

SLUG = r"([a-z0-9][a-z0-9._-]*)"
REPOSITORY = r"([a-z0-9][a-z0-9._-]*)\.git"
# People type addresses without `.git`, in capitals and with slashes too many. `info/refs` leads to
# the one address; all else is served there, since some clients post to where they asked first.
GIT = r"/+([A-Za-z0-9][A-Za-z0-9._-]*?)(?i:\.git)?"

ROUTES: tuple[Any, ...] = (
    (r"/", pages.HomeHandler),
    (r"/privacy", pages.PrivacyHandler),
    (r"/healthz", wellknown.HealthHandler),
    (r"/readyz", wellknown.ReadyHandler),
    (r"/robots\.txt", wellknown.RobotsHandler),
    (r"/sitemap\.xml", wellknown.SitemapHandler),
    (r"/\.well-known/security\.txt", wellknown.SecurityHandler),
    (rf"/feeds/{SLUG}\.atom", wellknown.FeedHandler),
    (rf"/badges/{SLUG}\.(svg|json)", wellknown.BadgeHandler),
    (r"/static/(.+)", StaticHandler),
    (r"/favicon\.ico", WellKnownHandler, {"path": "favicon.ico"}),
    (r"/manifest\.webmanifest", WellKnownHandler, {"path": "manifest.webmanifest"}),
    (r"/hooks/gitlab", hooks.GitLabHookHandler),
    (r"/metrics", metrics.MetricsHandler),
    (r"/downloads/?", releases.ProjectsHandler),
    (r"/downloads/([^/]+)/?", releases.ProjectHandler),
    (r"/downloads/([^/]+)/([^/]+)", releases.ReleaseHandler),
    (r"/downloads/([^/]+)/(.+)/", releases.FolderHandler),
    (r"/downloads/([^/]+)/(.+)/([^/]+)", downloads.AssetHandler),
    (r"/images/([^/]+)/(.+)/([^/]+)", images.ImageHandler),
    (rf"{GIT}/+info/+refs", git.InfoRefsHandler),
    (rf"{GIT}/+git-upload-pack", git.UploadPackHandler),
    (rf"{GIT}/+info/+lfs/.*", git.LfsHandler),
    (rf"{GIT}/+(git-receive-pack|git-upload-archive)", git.RefusedHandler),
    (rf"/{REPOSITORY}/(HEAD|objects/.*)", git.RefusedHandler),
    (r"/catalog/?", browse.CatalogHomeHandler),
    (r"/catalog/search", search.SearchHandler),
    (r"/catalog/diff/?", diff.DiffHandler),
    (r"/catalog/diff/([^/]+)/([^/]+)/?", diff.TableDiffHandler),
    (r"/catalog/history/([^/]+)/([^/]+)/?", diff.HistoryHandler),
    (r"/catalog/history/([^/]+)/([^/]+)/(.+)", diff.HistoryHandler),
    (r"/catalog/([^/]+)/?", browse.CatalogHomeHandler),
    (r"/catalog/([^/]+)/([^/]+)/?", browse.CategoryHandler),
    (r"/catalog/([^/]+)/([^/]+)/([^/]+)/?", browse.TableHandler),
    (r"/catalog/([^/]+)/([^/]+)/([^/]+)/(.+)", browse.RowHandler),
    *drop.routes(pets.PAGES),
    *drop.routes(prospects.PAGES),
    (r"/+(.+?)(?:\.git)?/+info/+refs", git.NoRepositoryHandler),
    (rf"/{REPOSITORY}/?", pages.ProjectRedirectHandler),
    (rf"/{SLUG}/?", pages.ProjectRedirectHandler),
)


def make_app(services: Services) -> Application:
    """The application over these services; it holds no state of its own."""
    application = PortalApplication(
        list(ROUTES),
        default_handler_class=NotFoundHandler,
        log_function=log_request,
        services=services,
    )
    # Where the configuration says; before the folder of static files, which the tracker is under.
    configured = analytics.routes(services.analytics, services.config.umami.collect)
    application.add_handlers(r".*", list(configured))
    services.templates.globals.update(
        site=services.config.site,
        static=services.assets.address,
        navigation=site_map.NAVIGATION,
    )
    return application
