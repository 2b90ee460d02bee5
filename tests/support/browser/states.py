"""States of pages that are hard to bring about, each by name as a call that renders it."""

from dataclasses import replace
from functools import partial

from handlers.tools import pets, prospects
from portal.catalog.model import Progress
from portal.errors import NotFound, Unavailable
from portal.releases.model import Asset, Listing
from portal.saves.errors import EditError
from portal.suggestions import Place
from tests.releases.test_pages import (
    EVERYTHING,
    EVIL,
    HOSTILE,
    LISTINGS,
    NOW,
    entry,
    metrics_page,
    release,
)
from tests.releases.test_pages import project_page as project
from tests.support.browser.rendering import render
from tests.tools.test_forms import DESCRIPTIONS, page_of
from tests.tools.test_forms import HOSTILE as HOSTILE_MOUNTS

LONG = "an-extraordinarily-long-name-without-any-place-to-break-it-" * 4
MANY = tuple(f"file-{number}-{LONG[:30]}.zip" for number in range(500))
HERD = {
    **HOSTILE_MOUNTS,
    "mounts": [{**HOSTILE_MOUNTS["mounts"][1], "number": n} for n in range(1, 501)],
}
WRONG = {"m1-level": "no", "m1-gene0": "99", "difficulty": "no", "m2-name": "no"}


def long_home():
    """Projects and files with names that are too long for a phone."""
    file = Asset(f"{LONG}.zip", LONG, "https://x", 1 << 40, "ab" * 32)
    listing = Listing((replace(release(LONG), assets=(file,) * 5, title=LONG),), NOW)
    long = replace(HOSTILE, title=LONG, description=LONG)
    return render("site/home.html", projects=[entry(listing, long), *EVERYTHING])


def full_project():
    """A release of 500 files."""
    listing = Listing((release("v1.0.0", *MANY),), NOW)
    return render(
        "releases/project.html",
        **vars(entry(listing)),
        releases=listing.releases,
        number=1,
        pages=1,
        notes=lambda one: one.notes,
    )


STATES = {
    "home-empty": partial(render, "site/home.html", projects=[]),
    "home-long": long_home,
    "downloads-everything": partial(render, "releases/projects.html", projects=EVERYTHING),
    "downloads-empty": partial(render, "releases/projects.html", projects=[]),
    **{f"project-{name}": partial(project, name) for name in LISTINGS},
    "catalog-empty": partial(render, "catalog/empty.html", being_read=False, progress=[]),
    "catalog-reading": partial(
        render,
        "catalog/empty.html",
        being_read=True,
        progress=[Progress(LONG, 3, 9), Progress("1.10", 0, 0)],
    ),
    "error": partial(
        render,
        "site/error.html",
        error=NotFound(EVIL, f"See https://d.example/{LONG}", near=(Place(EVIL, "/a"),)),
    ),
    "error-503": partial(render, "site/error.html", error=Unavailable("Not now.", retry_after=90)),
    "metrics-full": partial(metrics_page, spilled=1200, behind=400, free=1 << 20),
    "metrics-empty": partial(metrics_page, empty=True),
    "drop-refused": partial(
        render,
        "tools/drop.html",
        pages=pets.PAGES,
        error=EditError(EVIL, LONG),
        way_on=("/prospects", "Open it with Prospects"),
        limit=5,
    ),
    "refused": partial(
        render,
        "tools/refused.html",
        pages=prospects.PAGES,
        error=EditError(EVIL, LONG),
        way_on=("/x", EVIL),
    ),
    **{name: partial(page_of, *about) for name, about in DESCRIPTIONS.items()},
    "mounts-wrong": partial(
        page_of, pets, HOSTILE_MOUNTS, WRONG, EditError("Two fields are not right.")
    ),
}
# axe takes its time with these.
LARGE = {"project-500-files": full_project, "mounts-500": partial(page_of, pets, HERD)}
