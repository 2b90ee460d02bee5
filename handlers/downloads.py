"""/downloads/<project>/<version>/<asset>: the files themselves, each one counted."""

from functools import partial
from urllib.parse import quote

from tornado.httputil import HTTPHeaders
from tornado.ioloop import PeriodicCallback

from handlers.base.handler import FILE_POLICY, Handler
from handlers.base.streaming import StreamingHandler
from handlers.releases import ReleasesHandler, no_release
from portal.config.model import Project
from portal.counting import Classification, classify, file_size
from portal.errors import NotFound, PortalError, UpstreamFailed
from portal.events import DownloadRequest, now
from portal.relay.upstream import UpstreamResponse, throttled
from portal.releases.model import Asset, Listing, Release, asset_path
from portal.suggestions import Place, nearest

# The request headers that go upstream, and the answer's that come back; nothing else does.
CONDITIONAL_HEADERS = (
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "If-Unmodified-Since",
    "If-Range",
    "Range",
)
ANSWER_HEADERS = (
    "Content-Type",
    "Content-Length",
    "Content-Encoding",  # asked for identity; an upstream that encodes all the same must say so
    "Content-Range",
    "Accept-Ranges",
    "ETag",
    "Last-Modified",
    "Cache-Control",
)
RENEW_SECONDS = 60


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
            raise no_asset(self, project, release, name)
        if release.version != version:
            self.set_header("Cache-Control", "no-cache")
            self.redirect(asset_path(slug, release.version, name))
            return
        await self.serve(project, release, asset)

    async def answer_no_release(
        self, project: Project, listing: Listing, version: str, name: str
    ) -> None:
        """Say so, unless the address is that of a release: a tag can hold slashes."""
        named = listing.release(f"{version}/{name}")
        if named is None:
            raise no_release(self, project, listing, version)
        await self.answer_release(project, listing, named)

    async def serve(self, project: Project, release: Release, asset: Asset) -> None:
        """Ask the upstream, record what that makes of the request, and only then answer."""
        method, headers = self.request.method or "", self.request.headers
        asked = {name: headers[name] for name in CONDITIONAL_HEADERS if name in headers}

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
            self.services.recorder.post(event(Classification.FAILED))
            raise
        with slot:
            try:
                answer = await self.services.upstream.asset(
                    asset.url,
                    asked,
                    self.opened,
                    partial(self.services.listings.is_foreign, project),
                )
                self.check_size(project, asset, answer)
            except PortalError:
                self.services.recorder.post(event(Classification.FAILED))
                raise
            seen = event(classify(method, asked.get("Range"), answer.status, size_of(answer)))
            await self.services.recorder.record(seen)
            self.set_answer(asset, answer)
            if method == "HEAD" or answer.status not in (200, 206):
                answer.relay.abort()
                await self.flush()
            else:
                await self.deliver(seen, answer)

    def check_size(self, project: Project, asset: Asset, answer: UpstreamResponse) -> None:
        """Refuse an answer that is not as long as GitLab lists the file, which would be a whole
        one to the client; unless it has been replaced, which GitLab is then asked soon."""
        size = size_of(answer) if answer.status in (200, 206) else None
        if size is not None and asset.size is not None and size != asset.size:
            self.services.listings.doubt(project, asset)
            raise UpstreamFailed(
                "The file is not as long as its release says.", "Please try again in a minute.", 60
            )

    def set_answer(self, asset: Asset, answer: UpstreamResponse) -> None:
        """The status and headers of the answer; `PortalError` where it is none of a file's."""
        if answer.status not in (200, 206, 304, 412, 416):
            raise refusal(answer.status, answer.headers)
        self.set_status(answer.status)
        self.copy_headers(answer.headers, ANSWER_HEADERS)
        if answer.status in (412, 416):
            self.set_header("Content-Length", "0")
        elif answer.status != 304:
            self.set_header("Content-Disposition", content_disposition(asset.name))
            self.set_header("Content-Security-Policy", FILE_POLICY)

    async def deliver(self, seen: DownloadRequest, answer: UpstreamResponse) -> None:
        """Stream the body, and keep the window open for as long as that takes."""

        def renew() -> None:
            self.services.recorder.post(seen.renewal())

        timer = PeriodicCallback(renew, RENEW_SECONDS * 1000)
        if seen.classification.downloads:
            timer.start()
        try:
            await self.stream(answer.relay)
        finally:
            timer.stop()
            if seen.classification.downloads and now() != seen.time:
                renew()


def no_asset(handler: Handler, project: Project, release: Release, name: str) -> NotFound:
    """What to say of a file that is not there."""
    files = (*release.assets, *release.archives)
    places = [Place(a.name, asset_path(project.slug, release.version, a.name)) for a in files]
    return NotFound(
        f'Release {release.version} of {project.title} has no file "{name}".',
        f"Its files are listed at {handler.origin}/downloads/{project.slug}",
        near=nearest(name, places),
    )


def size_of(answer: UpstreamResponse) -> int | None:
    """The length of the whole file, where the upstream's answer tells it."""
    headers = answer.headers
    return file_size(headers.get("Content-Range"), headers.get("Content-Length"), answer.status)


def refusal(status: int, headers: HTTPHeaders) -> PortalError:
    """What to say where the upstream does not give the file."""
    if status in (401, 403, 404, 410):
        return NotFound("This file is not there any more.", "Please choose another release.")
    if status in (429, 503):
        return throttled(headers)
    return UpstreamFailed("The server that holds this file failed.", retry_after=30)


def content_disposition(name: str) -> str:
    """An attachment of that name, for old clients and new ones (RFC 6266, RFC 8187)."""
    plain = "".join(c if 31 < ord(c) < 127 and c not in '"\\%' else "_" for c in name)
    encoded = quote(name, safe="!#$&+-.^_`|~")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
