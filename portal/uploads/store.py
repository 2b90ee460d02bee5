"""Store of uploaded saves: for an hour, under names that nobody can guess.

One folder is shared by all processes of the portal, and there is no other record of what is in it:
`<id>-<client>` is a file as it came, `<id>-<client>-edited` its changed copy. The time of
modification is the moment at which it expires, the size is what counts against the limits, so a
crash leaves the accounts right. Each file begins with a line of JSON, `{"tool", "name", "version",
"game_name", "edits"}`. Whatever writes or deletes holds a lock on the folder; reading needs none,
since files are replaced as a whole.
"""

import asyncio
import contextlib
import json
import logging
import os
import re
import secrets
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from portal.errors import Conflict, Gone, NotFound, TooMany, Unavailable
from portal.jsontypes import JSONObject
from portal.uploads.folder import Folder, StoredFile, edited
from portal.uploads.limits import DEFAULTS, Demand, UploadLimits, room_for

log = logging.getLogger("portal.uploads")

NAME_BYTES = 255  # what file systems take
HEAD_BYTES = 192 << 10  # a name of 255 bytes may be thrice as long in JSON
EDITS_BYTES = 128 << 10  # of the list of edits, as JSON
_ID = re.compile(r"[0-9a-f]{32}")
_CLIENT = re.compile(r"[0-9a-f]{64}")
_FORBIDDEN = re.compile(r'[<>:"|?*]')  # on Windows, where players are

AGAIN = "Please upload the file again."


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file. `id` are 32 hex digits and all that is needed to have it.

    `name` is the client's, safe to show and to save under, `game_name` that by which the game looks
    for such a file, or "". `size` in bytes, of the file that it comes with; `expires_at` in Unix
    seconds; `version` counts how often it was edited, from 0; `edits` is the list of all edits
    since it came.
    """

    id: str
    tool: str
    name: str
    size: int
    expires_at: float
    version: int
    game_name: str = ""
    edits: tuple[JSONObject, ...] = ()


class Uploads:
    """The files of all processes; each has its own object, for any thread or loop.

    Where the folder is full, files of its heaviest client go first (`portal.uploads.limits`). What
    is expired is gone even before it is swept.
    """

    def __init__(
        self,
        folder: Path,
        limits: UploadLimits = DEFAULTS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = Folder(folder, limits.seconds)
        self._limits = limits
        self._clock = clock

    async def keep(
        self, client: str, tool: str, name: str, content: bytes, game_name: str = ""
    ) -> Upload:
        """Keep a file; `client` is a hash of 64 hex digits.

        Raises `TooLarge`, `TooMany` for the client's limits, `Unavailable` for the total ones and
        for a full disk.
        """
        return await asyncio.to_thread(self._keep, client, tool, name, content, game_name)

    async def read(self, id: str, tool: str) -> tuple[Upload, bytes]:  # noqa: A002
        """The file as it came, with the version of its edited copy. Raises `NotFound`, `Gone`."""
        return await asyncio.to_thread(self._read, id, tool)

    async def read_edited(self, id: str, tool: str) -> tuple[Upload, bytes]:  # noqa: A002
        """The file as it was last edited. Raises `NotFound`, also for one that was not, `Gone`."""
        return await asyncio.to_thread(self._read, id, tool, True)

    async def save_edited(
        self,
        id: str,  # noqa: A002
        tool: str,
        content: bytes,
        expected_version: int,
        edits: Sequence[JSONObject] = (),
    ) -> Upload:
        """Keep the edited copy beside the file, for as long; the version is one more.

        `edits` is the list of all edits since the file came. Raises `Conflict` where the version is
        not the expected one, `TooMany` for too long a list, and what `read` and `keep` do.
        """
        work = self._save_edited
        return await asyncio.to_thread(work, id, tool, content, expected_version, tuple(edits))

    async def sweep(self) -> int:
        """Delete what is expired and what a crash has left; how many files that were."""
        return await asyncio.to_thread(self._sweep)

    def _keep(self, client: str, tool: str, name: str, content: bytes, game_name: str) -> Upload:
        if not _CLIENT.fullmatch(client):
            raise ValueError("a client is the hash of an address")
        expires_at = int(self._clock()) + self._limits.seconds
        upload = Upload(
            secrets.token_hex(16),
            tool,
            safe_name(name),
            len(content),
            expires_at,
            0,
            safe_name(game_name) if game_name else "",
        )
        with self._writing():
            alive, _ = self._folder.clean(self._clock())
            self._make_room(alive, Demand(client, len(content), 1, len(_head(upload))))
            path = self._folder.path / f"{upload.id}-{client}"
            self._folder.write(path, _head(upload), content, expires_at)
        return upload

    def _save_edited(
        self,
        upload_id: str,
        tool: str,
        content: bytes,
        expected: int,
        edits: tuple[JSONObject, ...],
    ) -> Upload:
        if len(json.dumps(edits)) > EDITS_BYTES:
            raise TooMany(
                "So many changes of one file cannot be listed any more.",
                "Download it, and upload the changed file again.",
            )
        with self._writing():
            entry, old, _ = self._found(upload_id, tool)
            if old.version != expected:
                raise Conflict(
                    "The file was changed in another tab meanwhile.",
                    "Reload the page to see what is in it now.",
                )
            alive, _ = self._folder.clean(self._clock())
            others = [other for other in alive if other.path != edited(entry)]
            new = replace(old, size=len(content), version=expected + 1, edits=edits)
            head = len(_head(new))
            self._make_room(others, Demand(entry.client, len(content), 0, head))
            self._folder.write(edited(entry), _head(new), content, entry.expires_at)
        return new

    def _read(self, upload_id: str, tool: str, latest: bool = False) -> tuple[Upload, bytes]:
        try:
            _, upload, content = self._found(upload_id, tool, latest)
        except OSError as error:
            raise _not_now(error) from error
        return upload, content

    def _found(
        self, upload_id: str, tool: str, latest: bool = False
    ) -> tuple[StoredFile, Upload, bytes]:
        """A living file, or its edited copy, with the version that it has now."""
        entry = self._folder.find(upload_id) if _ID.fullmatch(upload_id) else None
        if entry is None:
            raise _missing()
        if not self._folder.is_alive(entry, self._clock()):
            raise Gone("This file was deleted, an hour after it was uploaded.", AGAIN)
        changed = _parsed(edited(entry))
        read = changed if latest else _parsed(entry.path)
        if read is None or read[0].get("tool") != tool:
            raise _missing()
        head, content = read
        now = changed[0] if changed else head
        version, edits = now.get("version"), now.get("edits")
        upload = Upload(
            upload_id,
            tool,
            str(head["name"]),
            len(content),
            entry.expires_at,
            version if isinstance(version, int) else 0,
            str(head.get("game_name", "")),
            tuple(edits) if isinstance(edits, list) else (),
        )
        return entry, upload, content

    def _sweep(self) -> int:
        with self._writing():
            return self._folder.clean(self._clock())[1]

    def _make_room(self, alive: Sequence[StoredFile], demand: Demand) -> None:
        """Delete what has to go for a demand. Needs the lock. Raises what `room_for` does."""
        gone = room_for(demand, alive, self._limits, self._clock())
        for file in gone:
            file.path.unlink(missing_ok=True)
        if gone:
            log.warning("the folder is full: %d files of its heaviest clients went", len(gone))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with self._folder.locked():
                yield
        except OSError as error:
            raise _not_now(error) from error


def safe_name(name: str) -> str:
    """A client's name for a file, without folders and what cannot be shown or saved."""
    base = re.split(r"[/\\]", name)[-1]
    shown = "".join(c for c in base if unicodedata.category(c)[0] != "C")
    shown = _FORBIDDEN.sub("_", shown).strip(" .")
    stem, dot, ending = shown.rpartition(".")
    if not dot or len(ending.encode()) > 20:
        stem, ending = shown, ""
    kept = stem.encode()[: NAME_BYTES - len(dot + ending)].decode(errors="ignore")
    return f"{kept}{dot if ending else ''}{ending}" if kept else "save.json"


def _head(upload: Upload) -> bytes:
    head = {
        "tool": upload.tool,
        "name": upload.name,
        "version": upload.version,
        "game_name": upload.game_name,
        "edits": upload.edits,
    }
    return json.dumps(head).encode() + b"\n"


def _parsed(path: Path) -> tuple[dict[str, object], bytes] | None:
    """A file's head and content; None where there is none, or what a power cut has left."""
    try:
        with path.open("rb", buffering=0) as file:
            line = os.pread(file.fileno(), HEAD_BYTES, 0).partition(b"\n")[0]
            # Read once and into place, since a copy of it would hold the GIL.
            file.seek(len(line) + 1)
            content = file.readall()
        head = json.loads(line)
    except (FileNotFoundError, ValueError):
        return None
    return (head, content) if isinstance(head, dict) and "name" in head else None


def _missing() -> NotFound:
    return NotFound(
        "There is no such file here, or not any more: files are stored for an hour at most.", AGAIN
    )


def _not_now(error: OSError) -> Unavailable:
    log.error("uploads: %s", error.strerror or type(error).__name__)
    return Unavailable(
        "Files cannot be stored at the moment: the disk is full or broken.",
        retry_after=60,
    )
