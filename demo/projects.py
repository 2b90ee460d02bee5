"""Reads the filled folder again for each request, so that tests can change it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# One JSON object of the files below.
JSONEntry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DemoProject:
    """One project: `number` and `path` (`group/project`) in GitLab, `folder` on disk.

    An entry of `releases.json` holds tag_name, name, description, released_at and created_at
    (ISO 8601), optionally commit, and links: each id, name, url, filepath (or None), link_type.
    A url may begin with `{gitlab}` or `{objects}`. One of `packages.json` holds id, name, version,
    created_at and files: each id, file_name, size, file_sha256, created_at, location.
    """

    number: int
    path: str
    name: str
    description: str
    folder: Path

    @property
    def slug(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def repository(self) -> Path:
        """The bare repository."""
        return self.folder / "repository.git"

    def releases(self) -> list[JSONEntry]:
        """The releases, in the order of the file."""
        return _read(self.folder / "releases.json")

    def save_releases(self, releases: Iterable[JSONEntry]) -> None:
        """Replace all releases, in one step; the next request sees them."""
        text = json.dumps(list(releases), ensure_ascii=False, indent=1)
        written = self.folder / "releases.json.new"
        written.write_text(text, encoding="utf-8")
        written.replace(self.folder / "releases.json")

    def packages(self) -> list[JSONEntry]:
        """The generic packages with their files."""
        return _read(self.folder / "packages.json")


def projects(content: Path) -> list[DemoProject]:
    """Every project of a filled folder."""
    documents = [(file.parent, _read_object(file)) for file in content.glob("*/project.json")]
    return [
        DemoProject(d["id"], d["path"], d["name"], d["description"], folder)
        for folder, d in sorted(documents, key=lambda pair: str(pair[0]))
    ]


def find(content: Path, name: str) -> DemoProject | None:
    """The project of that number or path, or None."""
    found = (p for p in projects(content) if name in (str(p.number), p.path))
    return next(found, None)


def _read(path: Path) -> list[JSONEntry]:
    entries: list[JSONEntry] = json.loads(path.read_text(encoding="utf-8"))
    return entries


def _read_object(path: Path) -> JSONEntry:
    entry: JSONEntry = json.loads(path.read_text(encoding="utf-8"))
    return entry
