"""The folder of versions, as it is on the disk; nothing here follows a link out of it."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from portal.catalog.naming import natural

# First segments of the catalog's own addresses; a version of that name could not be reached.
RESERVED = frozenset({"search", "diff", "history"})
_LABEL = 200  # characters


@dataclass(frozen=True, slots=True)
class TableFile:
    """One table's file; `shown` is its path below the folder of versions."""

    category: str
    table: str
    path: Path
    shown: str
    stamp: tuple[int, int]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.stamp[0]


@dataclass(slots=True)
class VersionFolder:
    """A version's files, in natural order; `problems` are pairs of a path and a sentence.

    One that cannot be shown has no files, and its problems say why.
    """

    name: str
    label: str = ""
    date: str = ""
    files: list[TableFile] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """The same as long as no file has changed, come or gone."""
        parts = [self.label, self.date, *(f"{each.shown}\0{each.stamp}" for each in self.files)]
        parts += [f"{path}\0{sentence}" for path, sentence in self.problems]
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def versions(root: Path) -> list[VersionFolder]:
    """All versions, the oldest first. Raises OSError where the folder cannot be read."""
    root = root.resolve(strict=True)
    found = []
    for entry in _entries(root):
        if entry.is_dir():
            folder = VersionFolder(_shown(entry.name))
            if folder.name != entry.name or folder.name in RESERVED:
                folder.problems.append((folder.name, "cannot be the name of a version."))
            else:
                _look(root, Path(entry.path), folder)
                if not folder.files:
                    folder.problems.append((folder.name, "holds no tables."))
            found.append(folder)
    return sorted(found, key=lambda each: natural(each.name))


def _look(root: Path, path: Path, folder: VersionFolder) -> None:
    try:
        if not path.resolve().is_relative_to(root):
            folder.problems.append((folder.name, "leads out of the catalog's folder."))
            return
        _describe(path, folder)
        within = path / "data"
        base = within if _holds_categories(within) else path
        for entry in _entries(base):
            if entry.is_dir():
                _category(root, Path(entry.path), folder)
    except OSError as error:
        folder.problems.append((folder.name, f"cannot be read: {error.strerror}."))
    folder.files.sort(key=lambda each: (natural(each.category), natural(each.table)))


def _holds_categories(path: Path) -> bool:
    return path.is_dir() and any(entry.is_dir() for entry in _entries(path))


def _describe(path: Path, folder: VersionFolder) -> None:
    """Its label and date, which it need not have."""
    try:
        told = json.loads((path / "version.json").read_bytes())
    except FileNotFoundError:
        return
    except (OSError, ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        folder.problems.append((f"{folder.name}/version.json", "is no JSON object of a version."))
        return
    folder.label, folder.date = (_text(told.get(name)) for name in ("label", "date"))


def _category(root: Path, path: Path, folder: VersionFolder) -> None:
    shown = f"{folder.name}/{_shown(path.name)}"
    if _shown(path.name) != path.name:
        folder.problems.append((shown, "has a name that is not UTF-8."))
        return
    try:
        if not path.resolve().is_relative_to(root):
            folder.problems.append((shown, "leads out of the catalog's folder."))
            return
        for entry in _entries(path):
            if entry.is_dir():
                folder.problems.append((f"{shown}/{_shown(entry.name)}", "is a folder too deep."))
            elif entry.name.lower().endswith(".json"):
                _file(root, path.name, entry, folder)
    except OSError as error:
        folder.problems.append((shown, f"cannot be read: {error.strerror}."))


def _file(root: Path, category: str, entry: "os.DirEntry[str]", folder: VersionFolder) -> None:
    shown = f"{folder.name}/{category}/{_shown(entry.name)}"
    if _shown(entry.name) != entry.name:
        folder.problems.append((shown, "has a name that is not UTF-8."))
        return
    try:
        status = entry.stat()
        inside = not entry.is_symlink() or Path(entry.path).resolve().is_relative_to(root)
    except OSError as error:
        folder.problems.append((shown, f"cannot be read: {error.strerror}."))
        return
    if not inside or not entry.is_file():
        folder.problems.append((shown, "is no file within the catalog's folder."))
        return
    stamp = (status.st_size, status.st_mtime_ns)
    folder.files.append(TableFile(category, entry.name[:-5], Path(entry.path), shown, stamp))


def _entries(path: Path) -> Iterator["os.DirEntry[str]"]:
    """What is in a folder, but what is hidden."""
    with os.scandir(path) as entries:
        yield from sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode()


def _text(value: object) -> str:
    text = str(value) if isinstance(value, str | int | float) else ""
    return _shown("".join(c for c in text if c.isprintable()))[:_LABEL]
