"""Quotas of uploads by client, and eviction where the folder is full.

A client is an IPv4 address or an IPv6 /64, as a hash. A full folder makes room at the cost of the
client that takes the most: its oldest upload that was never edited goes first, then the oldest at
all. Nothing goes for a client that would itself be the heaviest then.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from portal.errors import TooLarge, TooMany, Unavailable, spoken
from portal.saves.limits import FILE_BYTES
from portal.uploads.folder import StoredFile


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """How long (seconds), how many files and bytes; with edited copies, except `client_files`."""

    seconds: int = 3600
    file_bytes: int = FILE_BYTES
    client_files: int = 20
    client_bytes: int = 64 << 20
    total_files: int = 4000  # so that the folder is read in some 10 ms
    total_bytes: int = 1 << 30


DEFAULTS = UploadLimits()


@dataclass(frozen=True, slots=True)
class Demand:
    """What a client wants to store: so many bytes; `uploads` is 1 for a new file, 0 for a copy.

    `head` is the size of the line before the content, which takes room as well.
    """

    client: str
    size: int
    uploads: int
    head: int


def room_for(
    demand: Demand, alive: Sequence[StoredFile], limits: UploadLimits, now: float
) -> list[StoredFile]:
    """The files that have to go so that there is room, mostly none.

    Raises `TooLarge`, `TooMany` for the client's own limits, `Unavailable` where only files of
    lighter clients could go.
    """
    if demand.size > limits.file_bytes:
        raise TooLarge(f"The file has more than {limits.file_bytes >> 20} MiB.")
    own = [file for file in alive if file.client == demand.client]
    count = sum(not file.edited for file in own) + demand.uploads
    if count > limits.client_files or _bytes(own) + demand.size > limits.client_bytes:
        wait = _earliest(own, now)
        raise TooMany(
            "You have uploaded as much as one visitor can within an hour.",
            f"Go on with a file that is here, or come back in {spoken(wait)}.",
            wait,
        )
    left, gone = list(alive), list[StoredFile]()
    while len(left) >= limits.total_files or _bytes(left) + demand.size > limits.total_bytes:
        by_bytes = _bytes(left) + demand.size > limits.total_bytes
        upload = _evicted(demand, left, by_bytes)
        if upload is None:
            raise Unavailable(
                "There is no more room for uploaded files at the moment.",
                retry_after=_earliest(alive, now),
            )
        files = [file for file in left if file.id == upload]
        gone += files
        left = [file for file in left if file.id != upload]
    return gone


def _evicted(demand: Demand, files: Sequence[StoredFile], by_bytes: bool) -> str | None:
    """The upload that goes first; None where the demand would make its client the heaviest."""
    weights: Counter[str] = Counter()
    for file in files:
        weights[file.client] += file.size if by_bytes else 1
    wanted = weights[demand.client] + (demand.head + demand.size if by_bytes else 1)
    heaviest, weight = max(weights.items(), key=lambda item: item[1])
    if heaviest == demand.client or weight <= wanted:
        return None
    touched = {file.id for file in files if file.edited}
    theirs = [file for file in files if file.client == heaviest]
    return min(theirs, key=lambda file: (file.id in touched, file.expires_at)).id


def _earliest(files: Sequence[StoredFile], now: float) -> int:
    """Seconds until the first of them expires."""
    first = min((file.expires_at for file in files), default=0.0)
    return max(1, int(first - now) + 1)


def _bytes(files: Sequence[StoredFile]) -> int:
    return sum(file.size for file in files)
