"""Files beside packages: uploads, artifacts of jobs, files of the repository.

https://docs.gitlab.com/api/project_markdown_uploads/, https://docs.gitlab.com/api/job_artifacts/,
https://docs.gitlab.com/api/repository_files/
"""

import hashlib
import subprocess
import zipfile
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote

from tornado.web import HTTPError

from demo.answers import ApiHandler
from demo.files import FileSender, attachment
from demo.git import commit_of, git
from demo.projects import DemoProject, JSONEntry


class UploadedFile(FileSender, ApiHandler):
    """GET and HEAD /projects/:id/uploads/:secret/:filename (GitLab 17.4 and later)."""

    async def get(self, project: str, secret: str, file_name: str) -> None:
        """The file; the secret is 32 hex digits and as good as a password."""
        for upload in self.project(project).uploads():
            if (upload["secret"], upload["file_name"]) == (secret, file_name):
                path = self.site.content / upload["location"]
                self.set_header("Content-Type", "application/octet-stream")
                self.set_header("Content-Disposition", attachment(file_name))
                await self.send_file(path, _etag(path))
                return
        raise HTTPError(HTTPStatus.NOT_FOUND)

    head = get


class Artifacts(FileSender, ApiHandler):
    """What the four forms of an artifact's address share."""

    async def send_archive(self, job: JSONEntry) -> None:
        """The whole archive, under the name that GitLab gives to each."""
        path = self.site.content / job["location"]
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", attachment("artifacts.zip"))
        await self.send_file(path, _etag(path))

    def send_member(self, job: JSONEntry, member: str) -> None:
        """One file of the archive, unpacked as it is sent: GitLab has no ranges for these."""
        try:
            with zipfile.ZipFile(self.site.content / job["location"]) as archive:
                content = archive.read(member)
        except KeyError:
            raise HTTPError(HTTPStatus.NOT_FOUND) from None
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", attachment(member.rpartition("/")[2]))
        self.set_header("Content-Length", str(len(content)))
        if self.request.method != "HEAD":
            self.write(content)

    def latest_job(self, project: DemoProject, ref: str) -> JSONEntry:
        """The newest job `?job=` of a branch or tag."""
        name = self.get_query_argument("job")
        found = [j for j in project.jobs() if (j["name"], j["ref"]) == (name, ref)]
        if not found:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        return found[-1]

    def job(self, project: DemoProject, number: str) -> JSONEntry:
        """The job of that number."""
        for job in project.jobs():
            if str(job["id"]) == number:
                return job
        raise HTTPError(HTTPStatus.NOT_FOUND)


class ArtifactsOfRef(Artifacts):
    """GET /projects/:id/jobs/artifacts/:ref/download?job= and …/raw/*path?job=."""

    async def get(self, project: str, ref: str, member: str | None) -> None:
        """The archive, or the file in it."""
        job = self.latest_job(self.project(project), unquote(ref))
        if member is None:
            await self.send_archive(job)
        else:
            self.send_member(job, member)

    head = get


class ArtifactsOfJob(Artifacts):
    """GET /projects/:id/jobs/:job_id/artifacts and …/artifacts/*path."""

    async def get(self, project: str, number: str, member: str | None) -> None:
        """The archive, or the file in it."""
        job = self.job(self.project(project), number)
        if member is None:
            await self.send_archive(job)
        else:
            self.send_member(job, member)

    head = get


class RawFile(FileSender, ApiHandler):
    """GET /projects/:id/repository/files/:file_path/raw?ref=."""

    def get(self, project: str, file_path: str) -> None:
        """The file as it is in that commit; no ranges, as Workhorse sends blobs."""
        found = self.project(project)
        commit = commit_of(found.repository, self.get_query_argument("ref", "HEAD"))
        try:
            content = git(found.repository, "show", f"{commit}:{file_path}") if commit else None
        except subprocess.CalledProcessError:
            content = None
        if content is None:
            raise HTTPError(HTTPStatus.NOT_FOUND, reason="File Not Found")
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("X-Gitlab-Content-Sha256", hashlib.sha256(content).hexdigest())
        self.set_header("Content-Length", str(len(content)))
        if self.request.method != "HEAD":
            self.write(content)

    head = get


def _etag(path: Path) -> str:
    stat = path.stat()
    return f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
