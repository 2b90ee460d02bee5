"""Package files by their number: the address that the button of a package's page has.

`/:path/-/package_files/:n/download` opens for no token, and the API wants the package's number too
(lib/api/package_files.rb). No request leads from a file to its package, so the lists of files are
read, of the newest packages first, until every file that a release links to is found.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from portal.gitlab.requests import Withdrawn
from portal.releases.model import Asset, Release

PACKAGES_A_ROUND = 50  # that are looked into at one refresh
AGAIN_SECONDS = 300.0  # after which packages that were looked into are looked into again

_WEB = re.compile(r"/-/package_files/(\d+)/download$")
_API = re.compile(r"/packages/\d+/package_files/(\d+)/download$")

Entries = Callable[[str, str], Awaitable[list[Any]]]


@dataclass(frozen=True, slots=True)
class NumberedFile:
    """A file of a package, as the list of its package's files has it."""

    package: int
    name: str
    size: int | None
    sha256: str | None


class NumberedFiles:
    """What is known of package files by their number, for one project; of one event loop."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries
        self._files: dict[int, NumberedFile] = {}
        self._looked_into: dict[int, float] = {}
        self._linked: tuple[tuple[Release, ...], frozenset[int]] = ((), frozenset())
        self.searched = False  # whether every package was looked into

    def find(self, number: int) -> NumberedFile | None:
        """The file of that number, once it was found."""
        return self._files.get(number)

    def of_asset(self, asset: Asset) -> NumberedFile | None:
        """The file that an asset's address names by number."""
        number = number_of(asset.url)
        return None if number is None else self._files.get(number)

    async def refresh(self, path: str, releases: tuple[Release, ...]) -> bool:
        """Look for the files that releases link to and that are not known; `path` is the project's
        in the API. Whether any was found. Raises `Failing` and `Withdrawn`."""
        if releases is not self._linked[0]:
            self._linked = (releases, await asyncio.to_thread(_linked, releases))
        wanted = self._linked[1]
        self._files = {n: f for n, f in self._files.items() if n in wanted}
        missing = set(wanted - self._files.keys())
        lacking = len(missing)
        if not missing:
            return False
        query = "order_by=created_at&sort=desc&per_page=100"
        packages = await self._entries(f"{path}/packages", query)
        now = monotonic()
        numbers = [p["id"] for p in packages if isinstance(p, dict) and type(p.get("id")) is int]
        due = [n for n in numbers if now - self._looked_into.get(n, -1e9) > AGAIN_SECONDS]
        for package in due[:PACKAGES_A_ROUND]:
            if not missing:
                break
            missing -= await self._look_into(path, package, missing)
        self.searched = len(due) <= PACKAGES_A_ROUND
        return len(missing) < lacking

    async def _look_into(self, path: str, package: int, missing: set[int]) -> set[int]:
        """Read the files of one package; the numbers that were missing and are there."""
        self._looked_into[package] = monotonic()
        try:
            entries = await self._entries(
                f"{path}/packages/{package}/package_files", "per_page=100"
            )
        except Withdrawn:
            return set()  # deleted meanwhile
        found = {e["id"]: e for e in entries if isinstance(e, dict) and type(e.get("id")) is int}
        for number in missing & found.keys():
            self._files[number] = _read(package, found[number])
        return missing & found.keys()


def _linked(releases: Iterable[Release]) -> frozenset[int]:
    """The numbers that releases link to; runs in a thread."""
    numbers = (number_of(asset.url) for release in releases for asset in release.assets)
    return frozenset(number for number in numbers if number is not None)


def number_of(url: str) -> int | None:
    """The number of a package file that an address names, or None."""
    match = _WEB.search(url) or _API.search(url)
    return int(match[1]) if match else None


def _read(package: int, entry: dict[str, Any]) -> NumberedFile:
    size, sha256 = entry.get("size"), str(entry.get("file_sha256")).lower()
    return NumberedFile(
        package,
        str(entry.get("file_name")),
        size if type(size) is int and size >= 0 else None,
        sha256 if re.fullmatch(r"[0-9a-f]{64}", sha256) else None,
    )
