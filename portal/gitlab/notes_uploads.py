"""Uploads that a release's notes refer to: which file of the project each reference stands for.

The web page of GitLab writes `![a](/uploads/<secret>/a.png)` into notes, relative to the project;
people also paste whole addresses (https://docs.gitlab.com/user/markdown/#links).
"""

import re
from collections.abc import Sequence
from urllib.parse import unquote, urljoin

from portal.gitlab.addresses import Kind, ProjectLocation, read_address
from portal.gitlab.naming import Named, names
from portal.releases.model import Asset

UPLOADS = 100  # of one release; what is more stays text
NOTES = 200_000  # characters that are searched; a page shows fewer

_UPLOAD = re.compile(r"/uploads/[0-9a-f]{32}/[\w.+%-]{1,255}")
_BEFORE = re.compile(r"[^\s()<>\"'\[\]]*\Z")
_PREFIX = 300  # characters of an address before `/uploads/`
_FORM = re.compile(r"/uploads/[0-9a-f]{32}/[^/?#]+\Z")


def notes_uploads(notes: str, place: ProjectLocation, files: Sequence[Asset]) -> tuple[Asset, ...]:
    """The uploads of the project at `place` that `notes` refer to; each label is the reference.

    `files` are the release's other files; an upload that is one of them keeps its name. References
    to other projects, and to addresses that are no upload, are none.
    """
    found: dict[str, tuple[str, str]] = {}
    for match in _UPLOAD.finditer(notes, 0, NOTES):
        before = _BEFORE.search(notes[max(0, match.start() - _PREFIX) : match.start()])
        reference = unquote((before[0] if before else "") + match[0])
        if reference not in found and (upload := _upload(reference, place)):
            found[reference] = upload
        if len(found) == UPLOADS:
            break
    named = {file.url: file.name for file in files}
    # The same file can be referred to in several ways.
    new = {url: name for url, name in found.values() if url not in named}
    chosen = names([Named("", own=name) for name in new.values()], named.values())
    named |= zip(new, chosen, strict=True)
    return tuple(
        Asset(named[url], reference, url) for reference, (url, _) in found.items() if named[url]
    )


def _upload(reference: str, place: ProjectLocation) -> tuple[str, str] | None:
    """The API's address of an upload and its name, None where the reference is to nothing such."""
    if reference.startswith("/uploads/"):
        reference = f"{place.bases[0]}/{place.paths[0]}{reference}"
    elif reference.startswith("/"):
        reference = urljoin(place.bases[0], reference)
    try:
        address = read_address(reference, place)
    except ValueError:
        return None
    is_upload = address.kind is Kind.FILE and _FORM.search(address.url)
    return (address.url, address.name) if is_upload else None
