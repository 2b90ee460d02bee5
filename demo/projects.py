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
    created_at and files: each id, file_name, size, file_sha256, created_at, location. One of
    `uploads.json` holds secret, file_name and location; one of `jobs.json` id, name, ref and
    location, that of the artifacts' archive. `old_paths` are paths that the project had before.
    """

    number: int
    path: str
    name: str
    description: str
    folder: Path
    old_paths: tuple[str, ...] = ()

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

    def uploads(self) -> list[JSONEntry]:
        """What was attached to the project's pages."""
        return _read(self.folder / "uploads.json")

    def jobs(self) -> list[JSONEntry]:
        """The jobs that have artifacts, the newest last."""
        return _read(self.folder / "jobs.json")


def projects(content: Path) -> list[DemoProject]:
    """Every project of a filled folder."""
    documents = [(file.parent, _read_object(file)) for file in content.glob("*/project.json")]
    return [
        DemoProject(
            d["id"],
            d["path"],
            d["name"],
            d["description"],
            folder,
            tuple(d.get("old_paths", ())),
        )
        for folder, d in sorted(documents, key=lambda pair: str(pair[0]))
    ]


def find(content: Path, name: str) -> DemoProject | None:
    """The project of that number, path or, where no other has taken it, former path; or None."""
    known = projects(content)
    present = (p for p in known if name in (str(p.number), p.path))
    former = (p for p in known if name in p.old_paths)
    return next(present, None) or next(former, None)


def _read(path: Path) -> list[JSONEntry]:
    """The entries of a file; none where there is no such file."""
    try:
        entries: list[JSONEntry] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return entries


def _read_object(path: Path) -> JSONEntry:
    entry: JSONEntry = json.loads(path.read_text(encoding="utf-8"))
    return entry
