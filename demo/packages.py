"""Generic packages: https://docs.gitlab.com/user/packages/generic_packages/ and their lists."""

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from tornado.web import HTTPError

from demo.answers import ApiHandler
from demo.files import FileSender, attachment
from demo.pagination import send_page
from demo.projects import DemoProject, JSONEntry


class Packages(ApiHandler):
    """GET /projects/:id/packages."""

    def get(self, name: str) -> None:
        """One page of them; `package_name`, `package_version` and `package_type` filter."""
        project = self.project(name)
        wanted = {key: self.get_query_argument(f"package_{key}", "") for key in ("name", "version")}
        generic = self.get_query_argument("package_type", "generic") == "generic"
        found = [
            _package(project, package)
            for package in project.packages()
            if generic and all(package[key] == v for key, v in wanted.items() if v)
        ]
        if self.get_query_argument("sort", "asc") == "desc":
            found.reverse()
        send_page(self, found)


class PackageFileList(ApiHandler):
    """GET /projects/:id/packages/:package_id/package_files."""

    def get(self, name: str, number: str) -> None:
        """One page of a package's files, each with size and checksum."""
        packages = self.project(name).packages()
        package = next((p for p in packages if str(p["id"]) == number), None)
        if package is None:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        shown = ("id", "created_at", "file_name", "size", "file_sha256")
        files = [{key: file[key] for key in shown} for file in package["files"]]
        send_page(self, [{**file, "package_id": package["id"]} for file in files])


class PackageFile(FileSender, ApiHandler):
    """GET and HEAD /projects/:id/packages/generic/:name/:version/:file."""

    async def get(self, project: str, name: str, version: str, file_name: str) -> None:
        """The file, or a redirect to a presigned address where it is in the object store."""
        file = _find(self.project(project), name, version, file_name)
        self.set_header("X-Checksum-SHA256", file["file_sha256"])
        if file["location"].startswith("objects/"):
            self.redirect(self._presigned(file))
            return
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", attachment(file_name))
        await self.send_file(self.site.content / file["location"], f'"{file["file_sha256"]}"')

    head = get

    def _presigned(self, file: JSONEntry) -> str:
        # Signed for GET whatever the method is: a HEAD that follows it is refused.
        path = quote("/" + file["location"].removeprefix("objects/"))
        query = self.site.presigner.query(path, attachment(file["file_name"]))
        return f"{self.site.objects_url}{path}?{query}"


class PackageFileByNumber(FileSender, ApiHandler):
    """GET and HEAD /projects/:id/packages/:package_id/package_files/:number/download."""

    async def get(self, project: str, package_id: str, number: str) -> None:
        """The file of that number, if it belongs to that package (lib/api/package_files.rb)."""
        packages = [p for p in self.project(project).packages() if str(p["id"]) == package_id]
        files = [f for p in packages for f in p["files"] if str(f["id"]) == number]
        if not files:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", attachment(files[0]["file_name"]))
        location = self.site.content / files[0]["location"]
        await self.send_file(location, f'"{files[0]["file_sha256"]}"')

    head = get


def _find(project: DemoProject, name: str, version: str, file_name: str) -> JSONEntry:
    for package in project.packages():
        if (package["name"], package["version"]) == (name, version):
            for file in package["files"]:
                if file["file_name"] == file_name:
                    return dict(file)
    raise HTTPError(HTTPStatus.NOT_FOUND)


def _package(project: DemoProject, package: JSONEntry) -> dict[str, Any]:
    return {
        "id": package["id"],
        "name": package["name"],
        "version": package["version"],
        "package_type": "generic",
        "status": "default",
        "_links": {"web_path": f"/{project.path}/-/packages/{package['id']}"},
        "created_at": package["created_at"],
    }
