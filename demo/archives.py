"""Source archives, made by `git archive` once and kept."""

import asyncio
import bz2
import shutil
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

from tornado.web import HTTPError

from demo.answers import ApiHandler, DemoHandler, WebHandler
from demo.files import FileSender, attachment
from demo.git import commit_of, git
from demo.projects import DemoProject
from demo.refusals import ARCHIVES


class ArchiveSender(FileSender, DemoHandler):
    """Sends archives as Workhorse does.

    The first answer is sent while it is being made: no length, no ranges. Later ones come from
    the copy that was kept and have both.
    """

    async def send_archive(self, project: DemoProject, commit: str, stem: str, form: str) -> None:
        """The archive `<stem>.<form>` of a commit; everything inside is below `<stem>/`."""
        if not self.site.archive_is_allowed(project.number):
            self.refuse_as(ARCHIVES)
        kept = self.site.content / "archives" / commit / f"{stem}.{form}"
        is_first = not kept.exists()
        if is_first:
            await asyncio.to_thread(_make, project.repository, commit, kept, form)
        kind = "application/zip" if form == "zip" else "application/octet-stream"
        self.set_header("Content-Type", kind)
        self.set_header("Content-Disposition", attachment(kept.name))
        if is_first and self.request.method == "GET":
            await self.send_bytes(kept, range(kept.stat().st_size))
        else:
            await self.send_file(kept, f'"{commit}.{form}"')

    def commit(self, project: DemoProject, revision: str) -> str:
        """The commit of a tag, branch or id; 404 where there is none."""
        commit = commit_of(project.repository, revision)
        if commit is None:
            raise HTTPError(HTTPStatus.NOT_FOUND, reason="File Not Found")
        return commit


class ApiArchive(ArchiveSender, ApiHandler):
    """GET and HEAD /projects/:id/repository/archive.:format?sha=:revision."""

    async def get(self, name: str, form: str | None) -> None:
        """The archive, whose name ends with the commit."""
        project = self.project(name)
        revision = self.get_query_argument("sha", "main")
        commit = self.commit(project, revision)
        stem = f"{project.slug}-{revision.replace('/', '-')}-{commit}"
        await self.send_archive(project, commit, stem, form or "tar.gz")

    head = get


class WebArchive(ArchiveSender, WebHandler):
    """GET and HEAD /:group/:project/-/archive/:revision/:project-:revision.:format."""

    async def get(self, name: str, revision: str, form: str) -> None:
        """The archive, named after project and revision whatever the address says."""
        project = self.project(name)
        stem = f"{project.slug}-{revision.replace('/', '-')}"
        await self.send_archive(project, self.commit(project, revision), stem, form)

    head = get


def _make(repository: Path, commit: str, path: Path, form: str) -> None:
    stem = path.name.removesuffix(f".{form}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent) as directory:
        made = Path(directory) / path.name
        # git knows no bzip2 of its own.
        archive = made.with_suffix("") if form == "tar.bz2" else made
        options = (f"--prefix={stem}/", f"--output={archive.absolute()}")
        git(repository, "archive", *options, commit)
        if form == "tar.bz2":
            with archive.open("rb") as tar, bz2.open(made, "wb") as packed:
                shutil.copyfileobj(tar, packed)
        made.replace(path)
