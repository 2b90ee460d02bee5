"""File names of a release's links: what is shown in a listing and what is saved are one name.

GitLab lets two links of a release end in the same segment; only their labels and addresses are
unique. The order in which a name is looked for, and how equal ones are told apart, is written at
`name_of` and `apart`.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_NAME_BYTES = 255  # what common file systems take
# Marks that change the direction of writing can make "exe.gpj" look like "gpj.exe".
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# A name with an ending that is no number: "app-1.0.zip", and not "Release 1.0".
_FILE = re.compile(r".*[^/\s.]\.[A-Za-z][A-Za-z0-9_]{0,11}|.*\.(?:7z|tar\.7z)", re.DOTALL)
# Last segments that name what is done and not the file.
_NO_NAMES = frozenset({"download", "raw", "latest", "file", "get", "artifacts", "content", "blob"})
_NO_NAMES |= {"msi", "exe", "dmg", "pkg", "deb", "rpm", "zip", "tar", "gz", "apk", "appimage"}
_SLASHES = re.compile(r"[/\\]+")


@dataclass(frozen=True, slots=True)
class Named:
    """What a name can be made of.

    `filepath` is the link's own path below `…/downloads/`, `own` the name that a form of GitLab's
    holds, `segment` the last segment of the address, each "" where there is none. `archive` says
    that the file is the archive of a job's artifacts, which is a zip.
    """

    label: str
    filepath: str = ""
    own: str = ""
    segment: str = ""
    archive: bool = False


def names(links: Sequence[Named], taken: Iterable[str] = ()) -> list[str]:
    """A name for each link, all different; "" where nothing of a link can be a name."""
    first = [name_of(link) for link in links]
    often = Counter(first)
    chosen: list[str] = []
    used = set(taken)
    for name, link in zip(first, links, strict=True):
        unique = name if often[name] == 1 else apart(name, link, often)
        chosen.append(_numbered(unique, used) if unique else "")
        used.add(chosen[-1])
    return chosen


def name_of(link: Named) -> str:
    """The filepath's end; the name that GitLab itself saves; the label where it looks like a file;
    the address's last segment; the label."""
    for name in (usable(link.filepath.rpartition("/")[2]), usable(link.own)):
        if name:
            return name
    label, segment = usable(_flat(link.label)), usable(link.segment)
    if looks_like_file(label):
        return label
    if segment and segment.lower() not in _NO_NAMES:
        return segment
    if label and link.archive:
        return usable(f"{label}.zip")
    return label


def apart(name: str, link: Named, often: Counter[str]) -> str:
    """A name for one of several links with the same: its whole filepath, or its label.

    A label without an ending gets that of the file. A filepath without folders is a name already.
    """
    if link.filepath and "/" not in link.filepath:
        return name
    whole = usable(_flat(link.filepath.strip("/")))
    if whole and whole not in often:
        return whole
    label = usable(_flat(link.label))
    if label and label not in often:
        return label if looks_like_file(label) else usable(label + ending(name)) or label
    return name


def ending(name: str) -> str:
    """ ".tar.gz" of "tool.tar.gz"; "" where there is none."""
    if not looks_like_file(name):
        return ""
    stem, dot, last = name.rpartition(".")
    inner = ".tar" if stem.lower().endswith(".tar") else ""
    return inner + dot + last


def looks_like_file(name: str) -> bool:
    """Whether people would take it for a file's name."""
    return _FILE.fullmatch(name) is not None


def file_name(address: str) -> str:
    """The file name that the last segment of an address stands for; "" where none can be used.

    A quoted slash makes it a path: the generic packages allow one before the name.
    """
    try:
        name = unquote(urlsplit(address).path.rsplit("/", 1)[-1])
    except ValueError:
        return ""
    return usable(name.rsplit("/", 1)[-1])


def usable(name: str) -> str:
    """The name, or "" where it is none on its own (`..`, over 255 bytes) or would deceive (control
    characters, changed direction of writing)."""
    fine = name.strip(". ") and len(name.encode()) <= _NAME_BYTES and not unprintable(name)
    return name if fine and "/" not in name else ""


def unprintable(value: str) -> bool:
    """Whether a text holds what cannot be shown as it is."""
    return bool(_DIRECTION.search(value)) or any(
        unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in value
    )


def _flat(text: str) -> str:
    return _SLASHES.sub("-", text)


def _numbered(name: str, used: set[str]) -> str:
    """The name, with a number before its ending where it is taken."""
    if name not in used:
        return name
    end = ending(name)
    stem = name[: len(name) - len(end)]
    number = 2
    while f"{stem}-{number}{end}" in used:
        number += 1
    return f"{stem}-{number}{end}"
