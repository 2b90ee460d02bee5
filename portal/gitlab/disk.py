"""The last list of each project's releases, over a restart: what is shown while GitLab is away.

<folder>/<slug>.json    a line of JSON that says whose list it is, then one for each release; the
                        file's own time is when GitLab last gave them

Each line is written and read by itself: one call for a whole list of thousands of files would hold
the interpreter's lock, and with it the event loop, for as long as it takes.
"""

import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from portal.config.model import Project
from portal.releases.model import Asset, Listing, OutgoingLink, Release

log = logging.getLogger("portal.listings")


@dataclass(frozen=True, slots=True)
class KnownProject:
    """A project's list, with its number and its path in GitLab ("" where that is not known)."""

    listing: Listing
    number: int | None = None
    path: str = ""


class ListingFiles:
    """Keeps lists in a folder, which several processes may share. Blocking; any thread may call.

    What cannot be written or read is logged and does without.
    """

    def __init__(self, folder: Path, gitlab: str) -> None:
        """`gitlab` is its address: a list of another one is none of ours."""
        self._folder = folder
        self._gitlab = gitlab

    def keep(self, project: Project, known: KnownProject, changed: bool) -> None:
        """Keep a list that GitLab has just given; only its time, unless it `changed`."""
        path = self._path(project)
        try:
            if changed or not path.exists():
                self._write(path, project, known)
            when = known.listing.fetched_at.timestamp()
            os.utime(path, (when, when))
        except OSError as error:
            log.warning("%s: the list cannot be kept: %s", project.slug, error.strerror)

    def forget(self, project: Project) -> None:
        """Keep nothing of a project that was withdrawn."""
        try:
            self._path(project).unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s: the kept list cannot be deleted: %s", project.slug, error.strerror)

    def recall(self, project: Project) -> KnownProject | None:
        """The list that was kept, which is stale, or None."""
        path = self._path(project)
        self._sweep(path)
        try:
            with path.open(encoding="utf-8") as file:
                when = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
                head = json.loads(file.readline())
                if [head["gitlab"], head["project"]] != [self._gitlab, project.path]:
                    return None
                releases = tuple(_release(json.loads(line)) for line in file)
            whole = len(releases) == head["releases"]
            number, where = head.get("number"), head.get("path", "")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s: the kept list cannot be read: %s", project.slug, error)
            return None
        if not whole:
            return None
        return KnownProject(
            Listing(releases, when, stale=True),
            number if type(number) is int else None,
            where if isinstance(where, str) else "",
        )

    def _sweep(self, path: Path) -> None:
        """Delete what a process that was killed had begun to write."""
        for written in self._folder.glob(f"{path.stem}.*.new"):
            number = written.suffixes[-2][1:]
            if not (number.isdecimal() and Path(f"/proc/{number}").exists()):
                with suppress(OSError):
                    written.unlink(missing_ok=True)

    def _path(self, project: Project) -> Path:
        return self._folder / f"{project.slug}.json"

    def _write(self, path: Path, project: Project, known: KnownProject) -> None:
        """In one step, so that a kill leaves the old list or the new one."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        count = len(known.listing.releases)
        head = {
            "gitlab": self._gitlab,
            "project": project.path,
            "number": known.number,
            "path": known.path,
            "releases": count,
        }
        written = path.with_suffix(f".{os.getpid()}.new")
        # ASCII, since notes may hold half of a surrogate pair.
        with written.open("w", encoding="ascii") as file:
            for document in (head, *map(asdict, known.listing.releases)):
                file.write(json.dumps(document, default=datetime.isoformat) + "\n")
        written.replace(path)


def _release(document: Mapping[str, Any]) -> Release:
    files = {
        kind: tuple(Asset(**asset) for asset in document.get(kind, ()))
        for kind in ("assets", "archives", "uploads")  # an earlier version wrote no uploads
    }
    links = tuple(OutgoingLink(**link) for link in document["links"])
    edited = document.get("edited_at")  # absent in what an earlier version wrote
    times = {
        "released_at": datetime.fromisoformat(document["released_at"]),
        "edited_at": datetime.fromisoformat(edited) if edited else None,
    }
    return Release(**{**document, **files, "links": links, **times})
