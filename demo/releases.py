"""Releases: https://docs.gitlab.com/api/releases/, and the permalinks to them and their assets."""

from datetime import UTC, datetime
from html import escape
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from tornado.web import HTTPError

from demo.answers import ApiHandler, DemoSite, WebHandler
from demo.pagination import send_page
from demo.projects import DemoProject, JSONEntry

SOURCE_FORMATS = ("zip", "tar.gz", "tar.bz2", "tar")


def ordered(project: DemoProject) -> list[JSONEntry]:
    """A project's releases, the newest first; those of the future are the newest."""
    return sorted(project.releases(), key=lambda r: _time(r["released_at"]), reverse=True)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _upcoming(release: JSONEntry) -> bool:
    return _time(release["released_at"]) > datetime.now(UTC)


def find(project: DemoProject, tag: str) -> JSONEntry:
    """The release of that tag; 404 where there is none."""
    release = next((r for r in project.releases() if r["tag_name"] == tag), None)
    if release is None:
        raise HTTPError(HTTPStatus.NOT_FOUND)
    return release


def latest(project: DemoProject) -> JSONEntry:
    """The newest release that is out, pre-release or not: GitLab does not tell them apart."""
    release = next((r for r in ordered(project) if not _upcoming(r)), None)
    if release is None:
        raise HTTPError(HTTPStatus.NOT_FOUND)
    return release


def target(site: DemoSite, release: JSONEntry, path: str) -> str:
    """Where the asset link of that filepath leads; 404 where there is none."""
    for link in release["links"]:
        if link["filepath"] == f"/{path}":
            return site.address(link["url"])
    raise HTTPError(HTTPStatus.NOT_FOUND)


def rendered(site: DemoSite, project: DemoProject, release: JSONEntry) -> dict[str, Any]:
    """One release as the API gives it."""
    tag = release["tag_name"]
    page = f"{site.base}/{project.path}/-/releases/{quote(tag, safe='')}"
    links = [_link(site, page, link) for link in release["links"]]
    sources = [_source(site, project, tag, form) for form in SOURCE_FORMATS]
    return {
        "tag_name": tag,
        "description": release["description"],
        "name": release["name"],
        "created_at": release.get("created_at", release["released_at"]),
        "released_at": release["released_at"],
        "upcoming_release": _upcoming(release),
        "commit": release.get("commit"),
        "tag_path": f"/{project.path}/-/tags/{quote(tag)}",
        "assets": {"count": len(links) + len(sources), "sources": sources, "links": links},
        "evidences": [],
        "_links": {"self": page},
    }


def _link(site: DemoSite, page: str, link: JSONEntry) -> dict[str, Any]:
    url = site.address(link["url"])
    filepath = link["filepath"]
    return {
        "id": link["id"],
        "name": link["name"],
        "url": url,
        "direct_asset_url": f"{page}/downloads{filepath}" if filepath else url,
        "link_type": link["link_type"],
    }


def _source(site: DemoSite, project: DemoProject, tag: str, form: str) -> dict[str, str]:
    name = f"{project.slug}-{tag.replace('/', '-')}.{form}"
    url = f"{site.base}/{project.path}/-/archive/{quote(tag)}/{quote(name)}"
    return {"format": form, "url": url}


class ProjectPage(ApiHandler):
    """GET /projects/:id."""

    def get(self, name: str) -> None:
        """The project, with the fields that matter to a client of its releases."""
        project = self.project(name)
        address = f"{self.site.base}/{project.path}"
        self.finish(
            {
                "id": project.number,
                "name": project.name,
                "description": project.description,
                "path": project.slug,
                "path_with_namespace": project.path,
                "default_branch": "main",
                "visibility": "private",
                "web_url": address,
                "permissions": {
                    "project_access": {"access_level": self.site.access_level},
                    "group_access": None,
                },
                "http_url_to_repo": f"{address}.git",
            }
        )


class Releases(ApiHandler):
    """GET /projects/:id/releases."""

    def get(self, name: str) -> None:
        """One page of them; `sort=asc` turns the order round."""
        project = self.project(name)
        releases = ordered(project)
        if self.get_query_argument("sort", "desc") == "asc":
            releases.reverse()
        send_page(self, [rendered(self.site, project, release) for release in releases])


class SingleRelease(ApiHandler):
    """GET /projects/:id/releases/:tag."""

    def get(self, name: str, tag: str) -> None:
        """One release."""
        project = self.project(name)
        self.finish(rendered(self.site, project, find(project, tag)))


class LatestRelease(ApiHandler):
    """GET /projects/:id/releases/permalink/latest, with whatever follows it."""

    def get(self, name: str, rest: str) -> None:
        """To the same address of the newest release."""
        tag = quote(latest(self.project(name))["tag_name"], safe="")
        project = quote(name, safe="")
        self.redirect(f"/api/v4/projects/{project}/releases/{tag}{quote(rest)}")


class AssetOfRelease(ApiHandler):
    """GET /projects/:id/releases/:tag/downloads/*path."""

    def get(self, name: str, tag: str, path: str) -> None:
        """To wherever the link leads."""
        self.redirect(target(self.site, find(self.project(name), tag), path))


class AssetPermalink(WebHandler):
    """GET /:group/:project/-/releases/:tag/downloads/*path."""

    def get(self, name: str, tag: str, path: str) -> None:
        """To wherever the link leads; outside GitLab, a page with a warning and a link.

        `redirect_to_external` of app/controllers/projects/releases_controller.rb (since 15.6).
        """
        url = target(self.site, find(self.project(name), tag), path)
        if url.startswith(f"{self.site.base}/"):
            self.redirect(url)
            return
        self.finish(
            "<!DOCTYPE html><title>Redirecting</title><h2>You are being redirected away from "
            f'GitLab</h2><a href="{escape(url)}">{escape(url)}</a>'
        )


class LatestPermalink(WebHandler):
    """GET /:group/:project/-/releases/permalink/latest, with whatever follows it."""

    def get(self, name: str, rest: str) -> None:
        """To the same address of the newest release."""
        tag = quote(latest(self.project(name))["tag_name"], safe="")
        self.redirect(f"/{name}/-/releases/{tag}{quote(rest)}")
