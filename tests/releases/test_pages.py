"""Every page, with ordinary, empty and hostile content: rendered whole, and inert."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

from portal.analytics.share import UmamiFigures
from portal.catalog.state import CatalogState
from portal.config.model import Project, UmamiConfig
from portal.errors import NotFound
from portal.gitlab.state import GitLabState, ProjectState
from portal.metrics.condition import Condition
from portal.metrics.dashboard import Dashboard, FilledSection, FilledTable, MetricsRow
from portal.metrics.figures import Figures, calendar
from portal.metrics.tables import REQUESTS, SECTIONS, WINDOWS
from portal.releases import notes
from portal.releases.model import Asset, Listing, Release
from portal.site import templates
from portal.suggestions import Place
from tests.support.browser.rendering import render

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
EVIL = "\"'><script>alert(1)</script><img src=x onerror=y>{{ 1234*5678 }}"


def release(version="v1.0.0", *names, **changes):
    assets = tuple(Asset(name, f"Label {name}", "https://x", 2048, "ab" * 32) for name in names)
    archives = (Asset(f"pets-{version}.zip".replace("/", "-"), "Source code (zip)", "https://x"),)
    made = Release(version, f"Title {version}", "# Notes", NOW, False, assets, archives)
    return replace(made, **changes)


def evil():
    assets = (Asset(EVIL, EVIL, "https://x", None, None), Asset("a" * 250, "b" * 900, "https://x"))
    return Release(EVIL, EVIL, EVIL, NOW, False, assets, ())


PETS = Project("pets", "g/pets", "Pets", "Mounts.")
HOSTILE = Project("evil", "g/evil", EVIL, EVIL)
LISTINGS = {
    "plain": Listing((release("v2.0.0", "a.zip", "b.zip"), release("v1.0.0")), NOW),
    "empty": Listing((), NOW),
    "stale": Listing((release("release/2.1", "a b.zip"),), NOW, stale=True),
    "early": Listing((release("v1.0.0-rc.1", prerelease=True), release("v3", upcoming=True)), NOW),
    "many": Listing(tuple(release(f"v1.{i}.0", "a.zip") for i in range(120)), NOW),
    "evil": Listing((evil(),), NOW),
}


def entry(listing, project=PETS):
    latest = listing.latest() if listing else None
    return SimpleNamespace(
        project=project, listing=listing, latest=latest, clone_url="https://d.example/pets.git"
    )


def project_page(name, number=1):
    pages = LISTINGS[name].pages()
    return render(
        "releases/project.html",
        **vars(entry(LISTINGS[name], HOSTILE if name == "evil" else PETS)),
        releases=pages[number - 1],
        number=number,
        pages=len(pages),
        notes=lambda release: notes.render(release.notes),
    )


def metrics_page(spilled=0, behind=0.0, **changes):
    """With hostile rows in every table, or none in any."""
    counts = Figures(1, 2, 3, 1234567)
    drawn = calendar(NOW.date(), {"2026-11-22": 7}, {"2026-11-22": 5})

    def filled(table):
        row = MetricsRow((EVIL,) * len(table.columns), counts, counts if table.scope else None, 3)
        return FilledTable(table, () if changes.get("empty") else (row,), True)

    sections = tuple(
        FilledSection(
            section, MetricsRow((), counts, counts), tuple(map(filled, section.tables)), drawn
        )
        for section in SECTIONS
    )
    project = ProjectState("pets", "g/pets", "g/pets", "fresh", "")
    gitlab = GitLabState("", EVIL, None, None, False, (project,))
    condition = Condition(
        1, spilled, 1 << 20, changes.get("free", 1 << 40), {}, {"bytes": 5}, {}, behind, gitlab
    )
    return render(
        "metrics/page.html",
        dashboard=Dashboard(
            NOW, NOW.date(), bool(spilled), "90", sections, filled(REQUESTS), condition
        ),
        windows=WINDOWS,
        link=lambda **query: f"/metrics?{urlencode(query)}",
        shared=UmamiFigures(),
        tables=CatalogState(("1.0",), 5, 1 << 20, (), (), 0),
        umami=UmamiConfig("", ""),
        kinds=(),
        version="1.2.3",
    )


LOST = NotFound(EVIL, f"Try {EVIL}", near=(Place(EVIL, "/a"),))
EVERYTHING = [entry(listing) for listing in (*LISTINGS.values(), None)] + [
    entry(LISTINGS["evil"], HOSTILE)
]
PAGES = {
    "home": lambda: render("site/home.html", projects=EVERYTHING),
    "home-empty": lambda: render("site/home.html", projects=[]),
    "downloads": lambda: render("releases/projects.html", projects=EVERYTHING),
    "downloads-empty": lambda: render("releases/projects.html", projects=[]),
    "error": lambda: render("site/error.html", error=LOST),
    "metrics": lambda: metrics_page(1),
    **{f"project-{name}": lambda name=name: project_page(name) for name in LISTINGS},
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_page_is_whole_and_inert(page):
    made = page()
    tags = [tag for tag, _ in made.elements]
    assert tags.count("h1") == tags.count("main") == 1
    assert not {"style", "iframe", "img"} & set(tags)
    assert "7006652" not in made.text
    ids = [a["id"] for _, a in made.elements if "id" in a and a["id"] != "s"]
    assert len(ids) == len(set(ids))
    assert not any(re.search(r"\s", i) for i in ids)
    for _, attributes in made.elements:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href"):
            assert attributes.get(name, "/").startswith(("/", "#"))
    for target in (a["href"] for a in made.all("a") if a["href"].startswith("#")):
        assert target[1:] in ids
    assert all("hidden" in button for button in made.all("button", type="button"))


def test_a_project_and_its_files():
    page = project_page("plain")
    links = {a["href"] for a in page.all("a")}
    assert {
        "#release-v2.0.0",
        "/downloads/pets/v2.0.0/a.zip",
        "/downloads/pets/v2.0.0/pets-v2.0.0.zip",
        "/downloads/pets/latest/a.zip",
        "/downloads/pets/v1.0.0/pets-v1.0.0.zip",
    } <= links
    assert "/downloads/pets/latest/pets-v2.0.0.zip" not in links
    assert {b["data-copy"] for b in page.all("button")} == {
        "git clone https://d.example/pets.git",
        "ab" * 32,
    }
    assert page.all("article", id="release-v1.0.0")
    assert not page.all("p", role="status", **{"class": "notice"})


def test_a_stale_project_says_so():
    page = project_page("stale")
    assert page.all("p", role="status", **{"class": "notice"})
    assert "as of 2026-11-23 12:30 UTC" in page.text
    assert page.all("a", href="/downloads/pets/release%2F2.1/a%20b.zip")


def test_badges_and_older_releases():
    early = project_page("early").text
    assert "Pre-release" in early
    assert "Upcoming" in early
    assert "Latest" in early  # since nothing else is out
    many = project_page("many")
    assert len(many.all("article")) == 50  # of 120; the others follow on two more pages
    assert "45 older releases" in many.text
    assert "Page 1 of 3" in many.text
    last = project_page("many", 3)
    assert len(last.all("article")) == 20
    assert last.all("a", href="/downloads/pets?page=2")


def test_metrics_lead_nowhere():
    page = metrics_page()
    targets = {a["href"].partition("?")[0].partition("#")[0] for a in page.all("a")}
    assert targets == {"", "/metrics"}
    assert page.all("meta", name="referrer", content="no-referrer")
    assert page.all("meta", name="robots", content="noindex, nofollow")
    assert not page.all("script")
    assert not page.all("p", **{"class": "notice"})
    assert "1,234,567" in page.text
    assert all(th["scope"] in ("row", "col", "colgroup") for th in page.all("th"))
    assert all(table for table in page.all("table"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert "Nothing yet." not in page.text
    assert "Nothing yet." in metrics_page(empty=True).text


def test_metrics_warn():
    assert "1 event waits" in metrics_page(1).text
    assert "1,200 events wait" in metrics_page(1200).text
    assert "windows are longer" in metrics_page(1).text
    assert "nearly full" in metrics_page(free=1 << 20).text
    assert "They are 12 seconds behind." in metrics_page(behind=12).text
    assert "They are 3 minutes behind." in metrics_page(behind=180).text


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (1023, "1.0 KiB"),
        (999, "999 B"),
        (1024, "1.0 KiB"),
        (1_572_864, "1.5 MiB"),
        (1024**2 - 1, "1.0 MiB"),
        (10**15, "909.5 TiB"),
        (10**18, "909494.7 TiB"),
    ],
)
def test_sizes(size, shown):
    assert f'title="{size:,} bytes">{shown}<' in templates.filesize(size)


def test_dates_are_utc():
    made = templates.date(datetime.fromisoformat("2026-01-01T01:00:00+02:00"))
    assert made == (
        '<time datetime="2025-12-31T23:00:00Z" title="2025-12-31 23:00:00 UTC">2025-12-31</time>'
    )
    assert "2026-11-23 12:30 UTC" in templates.moment(NOW + timedelta(seconds=5))
