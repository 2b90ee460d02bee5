"""/downloads/<project>/<version>/<asset>: release files, streamed from the upstream and counted."""

import hashlib
from urllib.parse import quote

from tornado.httputil import HTTPHeaders
from tornado.ioloop import PeriodicCallback

from handlers.base.handler import FILE_POLICY
from handlers.base.streaming import StreamingHandler
from handlers.releases import ReleasesHandler
from portal.config.model import Project
from portal.counting import Classification, classify
from portal.errors import NotFound, PortalError, UpstreamFailed
from portal.events import DownloadRequest, now
from portal.gitlab.files import FileResponse
from portal.http.validators import file_caching
from portal.relay.relay import Relay
from portal.relay.upstream import throttled
from portal.releases.model import Asset, Listing, Release, asset_path
from portal.suggestions import Place, nearest

# The headers of the upstream's answer that go to the client, of those that describe a body and of
# those that a 304 has too (RFC 9110, 15.4.5).
BODY_HEADERS = (
    "Content-Type",
    "Content-Length",
    "Content-Encoding",  # asked for identity; an upstream that encodes all the same must say so
    "Content-Range",
    "Accept-Ranges",
)
FILE_HEADERS = ("Last-Modified",)
NAME_BYTES = 255  # what file systems take as a name
RENEW_SECONDS = 60
_PLAIN = "".join(chr(c) for c in range(32, 127) if chr(c) not in '"\\%')


class AssetHandler(StreamingHandler, ReleasesHandler):
    """/downloads/<project>/<version>/<asset>: the file itself."""

    async def get(self, slug: str, version: str, name: str) -> None:
        """The file, or the part of it that was asked for."""
        project = self.project(slug)
        listing = await self.services.listings.listing(project)
        release = listing.named(version)
        if release is None:
            await self.answer_no_release(project, listing, version, name)
            return
        asset = release.asset(name)
        if asset is None:
            raise self._no_asset(project, release, name)
        if release.version != version:
            self.set_header("Cache-Control", "no-cache")
            self.redirect(asset_path(slug, release.version, name))
            return
        await self.serve(project, release, asset)

    def _no_asset(self, project: Project, release: Release, name: str) -> NotFound:
        """What to say of a file that is not there."""
        files = (*release.assets, *release.archives)
        places = [Place(a.name, asset_path(project.slug, release.version, a.name)) for a in files]
        return NotFound(
            f'Release {release.version} of {project.title} has no file "{name}".',
            f"Its files are listed at {self.origin}/downloads/{project.slug}",
            near=nearest(name, places),
        )

    async def answer_no_release(
        self, project: Project, listing: Listing, version: str, name: str
    ) -> None:
        """Say so, unless the address is that of a release: a tag can hold slashes."""
        named = listing.release(f"{version}/{name}")
        if named is None and (version, name) == (
            "info",
            "refs",
        ):  # git was given the page's address
            clone = f"Clone {self.clone_url(project.slug)} instead."
            raise NotFound("This is a page of releases and no repository.", clone)
        if named is None:
            raise self.no_release(project, listing, version)
        await self.answer_release(project, listing, named)

    async def serve(self, project: Project, release: Release, asset: Asset) -> None:
        """Ask the upstream, record what that makes of the request, and only then answer."""
        method, headers = self.request.method or "", self.request.headers

        def event(classification: Classification) -> DownloadRequest:
            return DownloadRequest(
                project=project.slug,
                version=release.version,
                asset=asset.name,
                ip_hash=self.ip_hash,
                user_agent=self.user_agent,
                classification=classification,
            )

        try:
            slot = self.services.transfers.acquire()
        except PortalError:
            self.services.events.post(event(Classification.FAILED))
            raise
        with slot:
            try:
                file = await self.services.files.open(project, asset, method, headers, self.opened)
            except PortalError:
                self.services.events.post(event(Classification.FAILED))
                raise
            seen = event(classify(method, headers.get("Range"), file.status, file.size))
            await self.services.events.record(seen)
            self.set_answer(asset, file)
            if method == "HEAD" or file.relay is None or file.status not in (200, 206):
                if file.relay:
                    file.relay.abort()
                await self.flush()
            else:
                await self.deliver(seen, file.relay)

    def set_answer(self, asset: Asset, file: FileResponse) -> None:
        """The status and headers of the answer; `PortalError` where it is none of a file's."""
        if file.status not in (200, 206, 304, 412, 416):
            raise refusal(file.status, file.headers)
        self.set_status(file.status)
        if file.status in (200, 206):
            self.copy_headers(file.headers, FILE_HEADERS + BODY_HEADERS)
            self.set_header("Content-Disposition", content_disposition(asset.name))
            self.set_header("Content-Security-Policy", FILE_POLICY)
        elif file.status == 304:
            self.copy_headers(file.headers, FILE_HEADERS)
        else:
            self.copy_headers(file.headers, ("Content-Range",))
            self.set_header("Content-Length", "0")
        if file.etag is not None:
            self.set_header("ETag", file.etag)
        self.set_header("Cache-Control", file_caching(file.headers.get("Cache-Control", "")))

    async def deliver(self, seen: DownloadRequest, relay: Relay) -> None:
        """Stream the body, and keep the window open for as long as that takes."""

        def renew() -> None:
            self.services.events.post(seen.renewal())

        timer = PeriodicCallback(renew, RENEW_SECONDS * 1000)
        if seen.classification.downloads:
            timer.start()
        try:
            await self.stream(relay)
        finally:
            timer.stop()
            if seen.classification.downloads and now() != seen.time:
                renew()


def refusal(status: int, headers: HTTPHeaders) -> PortalError:
    """What to say where the upstream does not give the file."""
    if status in (401, 403, 404, 410):
        return NotFound("This file is not there any more.", "Please choose another release.")
    if status in (429, 503):
        return throttled(headers)
    return UpstreamFailed("The server that holds this file failed.", retry_after=30)


def content_disposition(name: str) -> str:
    """An attachment of that name (RFC 6266, RFC 8187).

    Clients that do not read `filename*` (curl -OJ is one) get the name percent-encoded where it is
    not plain ASCII, so that two names stay two.
    """
    plain = quote(name, safe=_PLAIN)
    if len(plain) > NAME_BYTES:
        end = plain.rpartition(".")[2][:16]
        plain = f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.{end}"
    encoded = quote(name, safe="!#$&+-.^_`|~")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
