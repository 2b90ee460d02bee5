"""Conditional requests for files: an ETag of the portal's own, and the upstream behind it.

Where GitLab names a file's SHA-256, that is the file's ETag, whatever the upstream's is. The
upstream does not know our ETag, so conditions on it are decided here, once the upstream's head is
there and shows that its bytes are those of the checksum. FileOpener without a checksum keep their
upstream's validators, and their conditions go upstream as they came.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from functools import partial
from time import monotonic

from tornado.httputil import HTTPHeaders

from portal.config.model import Project
from portal.counting import file_size
from portal.errors import PortalError, UpstreamFailed
from portal.gitlab.addresses import is_archive
from portal.gitlab.cache import Listings
from portal.http.validators import (
    CONDITIONAL_HEADERS,
    checksum_tag,
    is_checksum_tag,
    is_strong,
    names_tag,
    precondition,
)
from portal.relay.relay import Relay
from portal.relay.unasked import check_answer
from portal.relay.upstream import Upstream, UpstreamResponse
from portal.releases.model import Asset

ARCHIVE_HEAD_SECONDS = 60.0
REMEMBERED = 10_000  # upstream ETags
# Last-Modified and Date are in whole seconds, and the two may be of different clocks by that much.
MARGIN_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class FileResponse:
    """An upstream's answer about a file: `status` is ours, `etag` the file's, None without one.

    `size` is that of the whole file in bytes, None where the answer does not tell it.
    """

    status: int
    headers: HTTPHeaders
    etag: str | None
    size: int | None
    relay: Relay | None


class ArchiveHeads:
    """What HEAD answers about source archives, remembered for a minute; of one event loop.

    GitLab makes an archive for each request, HEAD or GET, and may limit these to five a minute for
    all users of one token together.
    """

    def __init__(self) -> None:
        # By address: until when it is good (monotonic), the answer's status and headers.
        self._known: dict[str, tuple[float, int, HTTPHeaders]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def head(
        self, url: str, asked: Mapping[str, str], ask: Callable[[], Awaitable[UpstreamResponse]]
    ) -> FileResponse:
        """The answer to HEAD; those who ask at once share one request, which `ask` makes."""
        async with self._locks.setdefault(url, asyncio.Lock()):
            now = monotonic()
            self._known = {u: known for u, known in self._known.items() if known[0] > now}
            if url not in self._known:
                answer = await ask()
                answer.relay.abort()
                until = monotonic() + ARCHIVE_HEAD_SECONDS
                self._known[url] = (until, answer.status, answer.headers)
            _, status, headers = self._known[url]
        self._locks = {u: lock for u, lock in self._locks.items() if u in self._known}
        tag = headers.get("ETag")
        if status == 200:
            opaque = (tag.removeprefix("W/"),) if tag else ()  # If-None-Match compares weakly
            status = precondition(asked, opaque) or status
        return FileResponse(status, headers, tag, None, None)


class FileOpener:
    """Opens files, with the client's conditions; belongs to one event loop."""

    def __init__(self, upstream: Upstream, listings: Listings) -> None:
        self._upstream = upstream
        self._listings = listings
        # By the asset's address: the SHA-256 and the upstream's strong ETag of the same bytes.
        self._tags: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._archive_heads = ArchiveHeads()

    async def open(
        self,
        project: Project,
        asset: Asset,
        method: str,
        headers: Mapping[str, str],
        opened: Callable[[Relay], None],
    ) -> FileResponse:
        """Ask for an asset as a client asked for it; raises as `Upstream.asset` does.

        Where the file is not what GitLab listed, GitLab is asked for its size and checksum at once,
        and the file once more.
        """
        asked = {name: headers[name] for name in CONDITIONAL_HEADERS if name in headers}
        if method == "HEAD":  # a range is defined for GET alone (RFC 9110, 14.2)
            asked.pop("Range", None)
            asked.pop("If-Range", None)
        if method == "HEAD" and is_archive(asset.url):
            return await self._archive_heads.head(
                asset.url, asked, lambda: self._ask(project, asset, {}, opened)
            )
        for _ in range(3):
            answer = await self._ask(project, asset, self._sent(asset, asked), opened)
            current = await self._confirmed(project, asset, answer)
            if current == asset:
                return self._response(asset, asked, answer)
            answer.relay.abort()
            asset = current
        raise UpstreamFailed("This file is being replaced.", retry_after=5)

    async def _ask(
        self,
        project: Project,
        asset: Asset,
        sent: dict[str, str],
        opened: Callable[[Relay], None],
    ) -> UpstreamResponse:
        """One answer, which is one to the request that was made."""
        route = partial(self._listings.target, project)
        answer = await self._upstream.asset(asset.url, sent, opened, route)
        try:
            check_answer(sent, answer.status, answer.headers)
        except PortalError:
            answer.relay.abort()
            raise
        return answer

    def _sent(self, asset: Asset, asked: dict[str, str]) -> dict[str, str]:
        """The conditions that go upstream: those that it can decide."""
        if asset.sha256 is None:
            return asked
        tag, sent = checksum_tag(asset.sha256), {}
        if "If-Match" not in asked and "If-Unmodified-Since" in asked:
            sent["If-Unmodified-Since"] = asked["If-Unmodified-Since"]
        if "If-None-Match" not in asked:
            if "If-Modified-Since" in asked:
                sent["If-Modified-Since"] = asked["If-Modified-Since"]
        elif names_tag(asked["If-None-Match"], tag, weak=True):
            sha256, known = self._tags.get(asset.url, ("", ""))
            return {"If-None-Match": known} if sha256 == asset.sha256 else {}
        else:
            sent["If-None-Match"] = asked["If-None-Match"]
        condition = asked.get("If-Range", "").strip()
        if "Range" in asked and condition in ("", tag):
            sent["Range"] = asked["Range"]
        elif "Range" in asked and not is_checksum_tag(condition):
            sent |= {"Range": asked["Range"], "If-Range": condition}
        return sent

    async def _confirmed(self, project: Project, asset: Asset, answer: UpstreamResponse) -> Asset:
        """The asset as the answer's bytes show it.

        It has another size or checksum where the file was replaced, and no checksum where it cannot
        be told whether it was.
        """
        if answer.status not in (200, 206, 304):
            return asset
        size = _size(answer)
        wrong = size is not None and asset.size is not None and size != asset.size
        if asset.sha256 and "Content-Encoding" in answer.headers:
            return replace(asset, sha256=None)  # it is of the file, not of its encoded form
        if not wrong and (asset.sha256 is None or self._trusted(project, asset, answer)):
            return asset
        current = await self._listings.measured_anew(project, asset)
        if current is None:
            current = replace(asset, sha256=None)
        if size is not None and current.size is not None and size != current.size:
            answer.relay.abort()
            raise UpstreamFailed(
                "The file is not as long as its release says.", "Please try again in a minute.", 60
            )
        if current == asset:
            self._remember(asset, answer)
        return current

    def _trusted(self, project: Project, asset: Asset, answer: UpstreamResponse) -> bool:
        """Whether the answer's bytes are surely those whose SHA-256 GitLab listed."""
        headers = answer.headers
        if named := headers.get("X-Checksum-SHA256"):
            trusted = named.lower() == asset.sha256
        elif self._tags.get(asset.url) == (asset.sha256, headers.get("ETag")):
            trusted = True
        else:
            # Nobody has changed the file since GitLab named its checksum.
            measured = self._listings.measured_seconds_ago(project, asset)
            age = _age(headers)
            trusted = bool(measured and age and age > measured + MARGIN_SECONDS)
        if trusted:
            self._remember(asset, answer)
        return trusted

    def _remember(self, asset: Asset, answer: UpstreamResponse) -> None:
        """Note the upstream's ETag, so that the next client that has the file costs a 304 there."""
        tag = answer.headers.get("ETag", "")
        if asset.sha256 and answer.status in (200, 206) and is_strong(tag):
            self._tags[asset.url] = (asset.sha256, tag)
            self._tags.move_to_end(asset.url)
            if len(self._tags) > REMEMBERED:
                self._tags.popitem(last=False)

    def _response(
        self, asset: Asset, asked: Mapping[str, str], answer: UpstreamResponse
    ) -> FileResponse:
        """The answer with our status and tag.

        A client may hold the upstream's ETag, from before GitLab named the checksum: it is answered
        with that one as long as the upstream confirms it.
        """
        status, theirs = answer.status, answer.headers.get("ETag")
        tag = theirs
        if asset.sha256 is not None:
            tag = checksum_tag(asset.sha256)
            if status in (200, 206):
                status = precondition(asked, (tag, theirs) if theirs else (tag,)) or status
            named = asked.get("If-None-Match") if status == 304 else asked.get("If-Range")
            if status in (206, 304) and theirs and named and '"' in named:
                tag = tag if names_tag(named, tag, weak=True) else theirs
        return FileResponse(status, answer.headers, tag, _size(answer), answer.relay)


def _size(answer: UpstreamResponse) -> int | None:
    headers = answer.headers
    if answer.status not in (200, 206):
        return None
    return file_size(headers.get("Content-Range"), headers.get("Content-Length"), answer.status)


def _age(headers: HTTPHeaders) -> float | None:
    """How long ago the file was changed, in seconds by the clock of the server that holds it."""
    try:
        date, modified = (parsedate_to_datetime(headers[n]) for n in ("Date", "Last-Modified"))
        return (date - modified).total_seconds()
    except (KeyError, ValueError, TypeError):
        return None
