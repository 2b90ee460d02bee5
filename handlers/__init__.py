"""The URL space on one screen, and the application made of it.

Besides these there are the two addresses of page analytics, which the configuration names.
"""

from typing import Any

from tornado.web import Application

from handlers import (
    analytics,
    catalog,
    catalogdiff,
    catalogsearch,
    downloads,
    git,
    machines,
    metrics,
    pages,
    pets,
    places,
    prospects,
    releases,
    tools,
)
from handlers.base import NotFoundHandler, log_request
from handlers.receiving import Site
from handlers.static import StaticHandler, WellKnownHandler
from portal.services import Services

SLUG = r"([a-z0-9][a-z0-9._-]*)"
REPOSITORY = r"([a-z0-9][a-z0-9._-]*)\.git"

ROUTES: tuple[Any, ...] = (
    (r"/", pages.HomeHandler),
    (r"/privacy", pages.PrivacyHandler),
    (r"/healthz", machines.HealthHandler),
    (r"/readyz", machines.ReadyHandler),
    (r"/robots\.txt", machines.RobotsHandler),
    (r"/sitemap\.xml", machines.SitemapHandler),
    (r"/\.well-known/security\.txt", machines.SecurityHandler),
    (rf"/feeds/{SLUG}\.atom", machines.FeedHandler),
    (rf"/badges/{SLUG}\.(svg|json)", machines.BadgeHandler),
    (r"/static/(.+)", StaticHandler),
    (r"/favicon\.ico", WellKnownHandler, {"path": "favicon.ico"}),
    (r"/manifest\.webmanifest", WellKnownHandler, {"path": "manifest.webmanifest"}),
    (r"/metrics", metrics.MetricsHandler),
    (r"/downloads/?", releases.ProjectsHandler),
    (r"/downloads/([^/]+)/?", releases.ProjectHandler),
    (r"/downloads/([^/]+)/([^/]+)", releases.ReleaseHandler),
    (r"/downloads/([^/]+)/(.+)/([^/]+)", downloads.AssetHandler),
    (rf"/{REPOSITORY}/info/refs", git.InfoRefsHandler),
    (rf"/{REPOSITORY}/git-upload-pack", git.UploadPackHandler),
    (rf"/{REPOSITORY}/info/lfs/.*", git.LfsHandler),
    (rf"/{REPOSITORY}/(git-receive-pack|HEAD|objects/.*)", git.RefusedHandler),
    (rf"/{SLUG}/info/refs", git.SuffixHandler),
    (r"/catalog/?", catalog.HomeHandler),
    (r"/catalog/search", catalogsearch.SearchHandler),
    (r"/catalog/diff/?", catalogdiff.DiffHandler),
    (r"/catalog/diff/([^/]+)/([^/]+)/?", catalogdiff.TableDiffHandler),
    (r"/catalog/history/([^/]+)/([^/]+)/?", catalogdiff.HistoryHandler),
    (r"/catalog/history/([^/]+)/([^/]+)/(.+)", catalogdiff.HistoryHandler),
    (r"/catalog/([^/]+)/?", catalog.HomeHandler),
    (r"/catalog/([^/]+)/([^/]+)/?", catalog.CategoryHandler),
    (r"/catalog/([^/]+)/([^/]+)/([^/]+)/?", catalog.TableHandler),
    (r"/catalog/([^/]+)/([^/]+)/([^/]+)/(.+)", catalog.RowHandler),
    *tools.routes(pets.PAGES),
    *tools.routes(prospects.PAGES),
    (rf"/{REPOSITORY}/?", pages.ProjectRedirectHandler),
    (rf"/{SLUG}/?", pages.ProjectRedirectHandler),
)


def make_app(services: Services) -> Application:
    """The application over these services; it holds no state of its own."""
    application = Site(
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
        navigation=places.NAVIGATION,
    )
    return application
