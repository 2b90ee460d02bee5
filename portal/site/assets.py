"""Static assets for /static: held in memory, compressed once, named by a hash of its content.

An address with the right hash can be kept for good. The files are read at the start only.
"""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from portal.config.site import Site
from portal.site import colours, icons

FOLDER = Path(__file__).parent.parent.parent / "static"
TYPES = {
    ".css": "text/css; charset=UTF-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=UTF-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=UTF-8",
    ".webmanifest": "application/manifest+json",
}
PACKED = (".css", ".js", ".svg", ".txt", ".webmanifest")
# One style sheet for every page, so that the first paint waits for one answer. The colours of the
# configuration stand after those they replace.
SHEETS = ("values.css", "theme.css", "portal.css", "parts.css", "forms.css")
SITE_SHEET = "site.css"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file: `version` is a hash of its content, `gzipped` None where that is no smaller."""

    content: bytes
    gzipped: bytes | None
    version: str
    content_type: str


class StaticFiles:
    """Assets by their path below /static/. Read-only once made; any thread may ask."""

    def __init__(self, site: Site, folder: Path = FOLDER) -> None:
        """Read the folder and make what the configuration colours. Raises OSError."""
        self._assets: dict[str, StaticFile] = {}
        for path, content in _files(folder):
            self._add(path, content)
        self._colour(site)
        self._add(SITE_SHEET, b"\n".join(self._assets[sheet].content for sheet in SHEETS))
        sizes = {size: self.address(f"icon-{size}.png") for size in icons.SIZES}
        self._add("manifest.webmanifest", icons.manifest(site, sizes).encode())

    def _colour(self, site: Site) -> None:
        self._add("theme.css", colours.theme(site.accent).encode())
        for path in [path for path in self._assets if path.startswith("icon-")]:
            self._add(path, icons.coloured(self._assets[path].content, site.accent))
        drawing = self._assets["favicon.svg"].content.decode()
        self._add("favicon.svg", icons.svg(drawing, site.accent).encode())
        self._add("favicon.ico", icons.ico(self._assets["icon-32.png"].content, 32))

    def _add(self, path: str, content: bytes) -> None:
        suffix = Path(path).suffix
        packed = gzip.compress(content, mtime=0) if suffix in PACKED else content
        self._assets[path] = StaticFile(
            content,
            packed if len(packed) < len(content) else None,
            hashlib.sha256(content).hexdigest()[:16],
            TYPES[suffix],
        )

    def get(self, path: str) -> StaticFile | None:
        """The asset of that path, or None."""
        return self._assets.get(path)

    def address(self, path: str) -> str:
        """Where it is, for good. Raises KeyError: a template names what is not there."""
        return f"/static/{path}?v={self._assets[path].version}"


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in TYPES:
            yield str(path.relative_to(folder)), path.read_bytes()
