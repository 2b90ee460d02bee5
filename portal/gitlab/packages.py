"""Sizes and checksums of release assets that lie in GitLab's generic package registry.

A release link says nothing about its file. But the registry's addresses have a fixed form
(https://docs.gitlab.com/user/packages/generic_packages/), and the API lists each package's files
with `size` and `file_sha256`.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from portal.gitlab.addresses import same_origin
from portal.gitlab.package_numbers import NumberedFiles
from portal.gitlab.requests import Withdrawn
from portal.releases.model import Asset, Release

KNOWN_SECONDS = 600.0  # a file can be replaced under its name, if rarely
MISSING_SECONDS = 60.0  # a release can be there before its files
PACKAGES_A_ROUND = 100  # the newest releases' first; the others follow at the next refresh

_ADDRESS = re.compile(r"/api/v4/projects/([^/]+)/packages/generic/([^/]+)/([^/]+)/(.+)")
_SHA256 = re.compile(r"[0-9a-f]{64}")

log = logging.getLogger("portal.gitlab")

Entries = Callable[[str, str], Awaitable[list[Any]]]


class Package(NamedTuple):
    """A generic package; `project` is its number or its path, unquoted."""

    project: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class _File:
    size: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class _Files:
    """A package's files by name, and when GitLab was asked for them (monotonic seconds)."""

    asked_at: float
    files: dict[str, _File] = field(default_factory=dict)

    def due(self, wanted: set[str], now: float) -> bool:
        lasting = KNOWN_SECONDS if wanted <= self.files.keys() else MISSING_SECONDS
        return now - self.asked_at > lasting


class PackageFiles:
    """What is known of the packages that one project's releases link to.

    `entries(path, query)` gives all entries of an API list. Packages that no release links to any
    more are forgotten.
    """

    def __init__(self, gitlab_url: str, entries: Entries) -> None:
        self._gitlab_url = gitlab_url
        self._entries = entries
        self._ids: dict[Package, int] = {}
        self._files: dict[Package, _Files] = {}
        self._anew = asyncio.Lock()
        self.generation = 0  # moves whenever something else is known
        self._linked: tuple[tuple[Release, ...], dict[Package, set[str]]] = ((), {})
        self.numbered = NumberedFiles(entries)

    def measured(self, releases: Iterable[Release]) -> tuple[Release, ...]:
        """The releases with the sizes and checksums that are known."""
        return tuple(
            replace(release, assets=tuple(self._measured(asset) for asset in release.assets))
            for release in releases
        )

    def _measured(self, asset: Asset) -> Asset:
        place = package_of(self._gitlab_url, asset.url)
        known = self._files.get(place[0]) if place else None
        file = known.files.get(place[1]) if place and known else self.numbered.of_asset(asset)
        return replace(asset, size=file.size, sha256=file.sha256) if file else asset

    def measured_seconds_ago(self, asset: Asset) -> float | None:
        """How long ago GitLab was asked for this asset's package; None where it was not."""
        place = package_of(self._gitlab_url, asset.url)
        known = self._files.get(place[0]) if place else None
        return monotonic() - known.asked_at if known else None

    async def measured_anew(self, asset: Asset, since: float) -> Asset:
        """The asset with what GitLab says of its file, asked at `since` (monotonic) or later.

        Many can ask for one file at once: those who wait for an answer share the next one. Raises
        `Failing` and `Withdrawn`.
        """
        place = package_of(self._gitlab_url, asset.url)
        if place is None:
            return asset
        package, name = place
        async with self._anew:
            known = self._files.get(package)
            if known is None or known.asked_at < since:
                await self._ask_anew(package, name)
        return self._measured(replace(asset, size=None, sha256=None))

    async def _ask_anew(self, package: Package, name: str) -> None:
        """Ask for one package; its number is another where it was deleted and published again."""
        for _ in range(2):
            if package not in self._ids:
                await self._list(package.project, {package: {name}})
            await self._ask(package)
            if package in self._ids:
                return

    async def refresh(self, releases: tuple[Release, ...], path: str = "") -> None:
        """Ask for what is not known or too old; `path` is the project's in the API.

        Raises `Failing`; what was known then stays.
        """
        if releases is not self._linked[0]:
            self._linked = (releases, await asyncio.to_thread(self._wanted, releases))
        wanted = self._linked[1]
        self._ids = {package: i for package, i in self._ids.items() if package in wanted}
        self._files = {package: f for package, f in self._files.items() if package in wanted}
        now = monotonic()
        due = [p for p, names in wanted.items() if self._is_due(p, names, now)][:PACKAGES_A_ROUND]
        for project in {package.project for package in due if package not in self._ids}:
            await self._list(project, wanted)
        for package in due:  # one after the other: nobody waits for these
            await self._ask(package)
        if await self.numbered.refresh(path, releases):
            self.generation += 1

    def _wanted(self, releases: Iterable[Release]) -> dict[Package, set[str]]:
        wanted: dict[Package, set[str]] = {}
        for release in releases:
            for asset in release.assets:
                if place := package_of(self._gitlab_url, asset.url):
                    wanted.setdefault(place[0], set()).add(place[1])
        return wanted

    def _is_due(self, package: Package, names: set[str], now: float) -> bool:
        known = self._files.get(package)
        return known is None or known.due(names, now)

    async def _list(self, project: str, wanted: dict[Package, set[str]]) -> None:
        """Learn the numbers of a project's packages."""
        query = "package_type=generic&order_by=created_at&sort=desc&per_page=100"
        try:
            entries = await self._entries(f"/projects/{quote(project, safe='')}/packages", query)
        except Withdrawn:
            return  # another project's, and not ours to see
        for entry in entries:
            if isinstance(entry, dict) and isinstance(entry.get("id"), int):
                package = Package(project, str(entry.get("name")), str(entry.get("version")))
                if package in wanted:
                    self._ids.setdefault(package, entry["id"])

    async def _ask(self, package: Package) -> None:
        files: dict[str, _File] = {}
        asked_at = monotonic()
        number = self._ids.get(package)
        path = f"/projects/{quote(package.project, safe='')}/packages/{number}/package_files"
        try:
            if number is not None:
                files = _read(await self._entries(path, "per_page=100"))
        except Withdrawn:
            del self._ids[package]  # deleted, and perhaps published anew under another number
        before = self._files.get(package)
        self._files[package] = _Files(asked_at, files)
        if before is None or before.files != files:
            self.generation += 1
            self._tell(package, before.files if before else {}, files)

    def _tell(
        self, package: Package, before: Mapping[str, _File], after: Mapping[str, _File]
    ) -> None:
        """Tell the operator of files that a release links to and that are others now."""
        for name in self._linked[1].get(package, ()):
            old, new = before.get(name), after.get(name)
            if old and new and old.sha256 and new.sha256 not in (None, old.sha256):
                log.warning(
                    "the file %a of package %a %s was replaced: its SHA-256 was %s and is %s",
                    name,
                    package.name,
                    ascii(package.version),
                    old.sha256,
                    new.sha256,
                )


def package_of(gitlab_url: str, url: str) -> tuple[Package, str] | None:
    """The package and file name that an address of GitLab's generic registry stands for, or None.

    An address of another origin is none, however much it looks like one.
    """
    try:
        parts, root = urlsplit(url), urlsplit(gitlab_url).path
        own = same_origin(parts, gitlab_url) and not parts.username
    except ValueError:
        return None
    if not own or not parts.path.startswith(f"{root}/api/"):
        return None
    match = _ADDRESS.fullmatch(parts.path[len(root) :])
    if match is None:
        return None
    project, name, version, file = (unquote(part) for part in match.groups())
    return Package(project, name, version), file


def _read(entries: Iterable[Any]) -> dict[str, _File]:
    """Files by name; the newest of a name (the highest number) wins, as it does in downloads."""
    numbered = [e for e in entries if isinstance(e, dict) and isinstance(e.get("id"), int)]
    return {
        unquote(entry["file_name"]): _File(_size(entry.get("size")), _sha256(entry))
        for entry in sorted(numbered, key=lambda entry: int(entry["id"]))
        if isinstance(entry.get("file_name"), str)
    }


def _size(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _sha256(entry: dict[str, Any]) -> str | None:
    value = str(entry.get("file_sha256")).lower()
    return value if _SHA256.fullmatch(value) else None
