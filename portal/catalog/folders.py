"""The folder of versions, as it is on the disk; nothing here follows a link out of it."""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from portal.catalog.naming import natural

# First segments of the catalog's own addresses; a version of that name could not be reached.
RESERVED = frozenset({"search", "diff", "history", "compare"})
_LABEL = 200  # characters
_TOLD_BYTES = 1 << 16  # of version.json
DEEPEST = 8  # folders within one another; real versions have two
MOST_BYTES = 128 << 20  # of a file; the largest of a real set has three million


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


def versions(root: Path, only: str | None = None) -> list[VersionFolder]:
    """All versions, the oldest first; with `only`, that one if it is there.

    Raises OSError where the folder cannot be read.
    """
    root = _real(root)
    found = []
    for entry in _entries(root):
        if only is not None and entry.name != only:
            continue
        try:
            if not entry.is_dir():
                continue
        except OSError as error:  # a link that leads to itself
            folder = VersionFolder(_shown(entry.name), problems=[_unreadable(entry.name, error)])
        else:
            folder = _version(root, entry)
        found.append(folder)
    return sorted(found, key=lambda each: natural(each.name))


def content(file: TableFile) -> bytes:
    """What is in a file, one byte more than MOST_BYTES at most. Raises OSError.

    Whatever may have taken its place since it was found: nothing is waited for, no link followed.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(file.path, flags), "rb") as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise OSError(errno.EINVAL, "It is no file")
        return opened.read(MOST_BYTES + 1)


def _version(root: Path, entry: "os.DirEntry[str]") -> VersionFolder:
    folder = VersionFolder(_shown(entry.name))
    if folder.name != entry.name or folder.name in RESERVED:
        folder.problems.append((folder.name, "cannot be the name of a version."))
        return folder
    _look(root, Path(entry.path), folder)
    folder.files.sort(key=lambda each: (natural(each.category), natural(each.table)))
    if not folder.files:
        folder.problems.append((folder.name, "holds no tables."))
    return folder


def _look(root: Path, path: Path, folder: VersionFolder) -> None:
    try:
        if not _real(path).is_relative_to(root):
            folder.problems.append((folder.name, "leads out of the catalog's folder."))
            return
        _describe(root, path, folder)
        within = path / "data"
        base = within if _holds_categories(within) else path
        for entry in _entries(base):
            try:
                if entry.is_dir():
                    _category(root, Path(entry.path), entry.name, folder)
                elif entry.name.lower().endswith(".json") and entry.name != "version.json":
                    shown = f"{folder.name}/{_shown(entry.name)}"
                    folder.problems.append((shown, "lies in no category and is left out."))
            except OSError as error:
                folder.problems.append(_unreadable(f"{folder.name}/{entry.name}", error))
    except OSError as error:
        folder.problems.append(_unreadable(folder.name, error))


def _holds_categories(path: Path) -> bool:
    return path.is_dir() and any(entry.is_dir() for entry in _entries(path))


def _describe(root: Path, path: Path, folder: VersionFolder) -> None:
    """Its label and date, which it need not have."""
    file = path / "version.json"
    try:
        real = _real(file)
        usable = real.is_relative_to(root) and real.is_file() and real.stat().st_size <= _TOLD_BYTES
        told = json.loads(real.read_bytes()) if usable else None
    except FileNotFoundError:
        return
    except (OSError, ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        folder.problems.append((f"{folder.name}/version.json", "is no JSON object of a version."))
        return
    folder.label, folder.date = (_text(told.get(name)) for name in ("label", "date"))


def _category(
    root: Path, path: Path, name: str, folder: VersionFolder, within: frozenset[Path] = frozenset()
) -> None:
    """Add the tables of a folder and of those within it; each folder is a category of its own, as
    "Items" and "Items/Types" are. Raises OSError."""
    shown = f"{folder.name}/{_shown(name)}"
    if _shown(name) != name:
        folder.problems.append((shown, "has a name that is not UTF-8."))
        return
    real = _real(path)
    if not real.is_relative_to(root):
        folder.problems.append((shown, "leads out of the catalog's folder."))
        return
    if real in within:
        folder.problems.append((shown, "leads to a folder that it is in."))
        return
    if name.count("/") >= DEEPEST:
        folder.problems.append((shown, f"is more than {DEEPEST} folders deep and is left out."))
        return
    found: dict[str, TableFile] = {}
    for entry in _entries(path):
        entry_shown = f"{shown}/{_shown(entry.name)}"
        try:
            if entry.is_dir():
                deeper = f"{name}/{entry.name}"
                _category(root, Path(entry.path), deeper, folder, within | {real})
                continue
            problem = _file(root, name, entry, entry_shown, found)
        except OSError as error:
            folder.problems.append(_unreadable(entry_shown, error))
        else:
            if problem:
                folder.problems.append((entry_shown, problem))
    folder.files += found.values()


def _file(
    root: Path,
    category: str,
    entry: "os.DirEntry[str]",
    shown: str,
    found: dict[str, TableFile],
) -> str:
    """Add a file to those that were found in a category, or say why not. Raises OSError."""
    table, dot, ending = entry.name.rpartition(".")
    if not dot or ending.lower() != "json":
        return ""
    if _shown(entry.name) != entry.name:
        return "has a name that is not UTF-8."
    real = _real(Path(entry.path))
    if not real.is_relative_to(root) or not entry.is_file():
        return "is no file within the catalog's folder."
    if table in found:
        return "is there in another spelling, which is shown."
    status = entry.stat()
    stamp = (status.st_size, status.st_mtime_ns)
    found[table] = TableFile(category, table, real, shown, stamp)
    return ""


def _real(path: Path) -> Path:
    """Where a path leads. Raises OSError, also for a link that leads to itself."""
    return Path(os.path.realpath(path, strict=True))


def _unreadable(shown: str, error: OSError) -> tuple[str, str]:
    return _shown(shown), f"cannot be read: {error.strerror}."


def _entries(path: Path) -> Iterator["os.DirEntry[str]"]:
    """What is in a folder, but what is hidden."""
    with os.scandir(path) as entries:
        yield from sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode()


def _text(value: object) -> str:
    text = str(value) if isinstance(value, str | int | float) else ""
    return _shown("".join(c for c in text if c.isprintable()))[:_LABEL]
