"""The folder of uploads: one lock, entries with all that the accounts need, whole files."""

import contextlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sql.locks import lock

NAME = re.compile(r"(?P<id>[0-9a-f]{32})-(?P<client>[0-9a-f]{64})(?P<edited>-edited)?")
PARTIAL = "partial"  # what is being written; only one is at a time
LOCK_SECONDS = 3.0  # a file of 16 MiB is written in 20 ms
CLOCK_SECONDS = 300  # that a clock may be set back without a file being lost


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file: whose it is, how long, how large. `expires_at` in Unix seconds, `size` in bytes."""

    path: Path
    id: str
    client: str
    edited: bool
    size: int
    expires_at: float


class Folder:
    """Blocking, for threads. Every method may raise OSError; TimeoutError where locked too long.

    `seconds` is how long files live.
    """

    def __init__(self, path: Path, seconds: int) -> None:
        self.path = path
        self._seconds = seconds

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Alone among all threads and processes. The kernel frees the lock of a killed one."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fchmod(descriptor, 0o700)
            until = time.monotonic() + LOCK_SECONDS
            while not lock(descriptor):
                if time.monotonic() > until:
                    raise TimeoutError
                time.sleep(0.005)
            yield
        finally:
            os.close(descriptor)

    def find(self, upload_id: str) -> StoredFile | None:
        """The file as it came, expired or not."""
        found = self._entries(f"{upload_id}-")
        return next((entry for entry in found if not entry.edited), None)

    def is_alive(self, entry: StoredFile, now: float) -> bool:
        """Whether it is within its hour; a moment that nobody can have set is over as well."""
        return now < entry.expires_at <= now + self._seconds + CLOCK_SECONDS

    def clean(self, now: float) -> tuple[list[StoredFile], int]:
        """Delete what is over; what is left, and how many were deleted. Needs the lock.

        Over are: an expired file, what a killed process wrote half, an edited copy whose file is
        gone, and what has another name and is older than files get.
        """
        entries = list(self._entries())
        alive = [entry for entry in entries if self.is_alive(entry, now)]
        whole = {entry.id for entry in alive if not entry.edited}
        alive = [entry for entry in alive if entry.id in whole]
        kept = {entry.path for entry in alive}
        gone = [entry.path for entry in entries if entry.path not in kept]
        gone += self._strangers(now - self._seconds)
        for path in gone:
            path.unlink(missing_ok=True)
        return alive, len(gone)

    def write(self, path: Path, head: bytes, content: bytes, expires_at: float) -> None:
        """A whole file or none. Needs the lock.

        Not synced: what a power cut leaves is deleted, as an empty line of JSON, within the hour.
        """
        partial = self.path / PARTIAL
        partial.unlink(missing_ok=True)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(partial, flags, 0o600), "wb", buffering=0) as file:
                _write(file.fileno(), head)
                _write(file.fileno(), content)
                os.utime(file.fileno(), (expires_at, expires_at))
            partial.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise

    def _entries(self, prefix: str = "") -> Iterator[StoredFile]:
        with contextlib.suppress(FileNotFoundError), os.scandir(self.path) as found:
            for item in found:
                match = NAME.fullmatch(item.name) if item.name.startswith(prefix) else None
                if match is None:
                    continue
                with contextlib.suppress(FileNotFoundError):  # swept at this moment
                    stat = item.stat(follow_symlinks=False)
                    yield StoredFile(
                        Path(item.path),
                        match["id"],
                        match["client"],
                        match["edited"] is not None,
                        stat.st_size,
                        stat.st_mtime,
                    )

    def _strangers(self, before: float) -> list[Path]:
        with os.scandir(self.path) as found:
            return [
                Path(item.path)
                for item in found
                if not NAME.fullmatch(item.name)
                and not item.is_dir(follow_symlinks=False)
                and (item.name == PARTIAL or item.stat(follow_symlinks=False).st_mtime < before)
            ]


def edited(entry: StoredFile) -> Path:
    """Where its changed copy is."""
    return entry.path.with_name(f"{entry.path.name}-edited")


def _write(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
