"""The URL space on one screen, and the application made of it.

Besides these, Tornado serves /static/ and, from the same folder, /robots.txt; and there are the
two addresses of page analytics, which the configuration names.
"""

from functools import partial
from pathlib import Path
from typing import Any

from tornado.web import Application

from handlers import (
    analytics,
    catalog,
    catalogdiff,
    catalogsearch,
    downloads,
    git,
    metrics,
    pages,
    pets,
    prospects,
    tools,
)
from handlers.base import NotFoundHandler, StaticHandler, log_request
from portal.services import Services

STATIC = Path(__file__).parent.parent / "static"

SLUG = r"([a-z0-9][a-z0-9._-]*)"
REPOSITORY = r"([a-z0-9][a-z0-9._-]*)\.git"

ROUTES: tuple[Any, ...] = (
    (r"/", pages.HomeHandler),
    (r"/healthz", pages.HealthHandler),
    (r"/metrics", metrics.MetricsHandler),
    (r"/downloads/?", downloads.ProjectsHandler),
    (r"/downloads/([^/]+)/?", downloads.ProjectHandler),
    (r"/downloads/([^/]+)/([^/]+)", downloads.ReleaseHandler),
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
    application = Application(
        list(ROUTES),
        default_handler_class=NotFoundHandler,
        log_function=log_request,
        static_path=str(STATIC),
        static_handler_class=StaticHandler,
        services=services,
    )
    # Where the configuration says; before the folder of static files, which the tracker is under.
    configured = analytics.routes(services.analytics, services.config.umami.collect)
    application.add_handlers(r".*", list(configured))
    services.templates.globals.update(
        site={"title": services.config.site_title, "description": services.config.site_description},
        static=partial(StaticHandler.make_static_url, application.settings),
    )
    return application
