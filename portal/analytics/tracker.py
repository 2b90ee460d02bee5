"""The tracker: the script that pages carry, from the operator's Umami or, until then, our own."""

import asyncio
import gzip
import hashlib
import logging
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from portal.analytics.client import NotSent, UmamiClient, Unanswered
from portal.process.background import Background

log = logging.getLogger("portal.analytics")

OWN = Path(__file__).parent.parent.parent / "static" / "umami" / "script.js"
SCRIPT_LIMIT = 64 << 10  # bytes; Umami's is under five thousand
FETCH_SECONDS = 10.0
REFRESH_SECONDS = 86_400.0
FIRST_PAUSE, LONGEST_PAUSE = 60.0, 3600.0  # after a failure
_TYPES = ("text/javascript", "application/javascript", "application/x-javascript")
# What every tracker posts to; one that was built for another path would not reach the collector.
_ENDPOINT = "/api/send"


@dataclass(frozen=True, slots=True)
class Script:
    """A script as it is served; `version` changes with its content."""

    content: bytes
    gzipped: bytes
    version: str


class Tracker:
    """What is served under /static/umami/`name`: the file at `kept`, where one is, or our own.

    Any number of processes look at the same file; one that another has replaced is seen at once.
    """

    def __init__(self, name: str, kept: Path) -> None:
        self.name = name
        self.kept = kept
        self._seen: tuple[int, int] | None = None
        self._script = _script(OWN.read_bytes())

    @property
    def script(self) -> Script:
        """As it is now."""
        try:
            status = self.kept.stat()
            seen = (status.st_mtime_ns, status.st_ino)
            if seen != self._seen:
                self._seen = seen
                self._script = self._read()
        except FileNotFoundError:
            pass  # none has been fetched yet, or somebody deleted it: what is known still works
        except OSError as error:
            log.warning("the kept tracker cannot be read: %s", error)
        return self._script

    @property
    def address(self) -> str:
        """Where pages find it; another for each content, so that it can be cached for good."""
        return f"/static/umami/{self.name}?v={self.script.version}"

    def _read(self) -> Script:
        content = self.kept.read_bytes()
        if what := fault(content):
            log.warning("the kept tracker is not used: %s", what)
            content = OWN.read_bytes()
        return _script(content)


class TrackerFetch(Background):
    """Takes the script of the operator's Umami at the start and once a day; one process does."""

    def __init__(self, client: UmamiClient, kept: Path) -> None:
        self._client = client
        self._kept = kept
        self._said = ""

    async def fetch(self) -> str:
        """Fetch it once and keep it; what was wrong, "" where nothing was."""
        content, what = await fetched(self._client)
        if what:
            return what
        try:
            await asyncio.to_thread(keep, self._kept, content)
        except OSError as error:
            return f"the tracker cannot be kept: {error}"
        return ""

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            what = await self.fetch()
            if what and what != self._said:
                log.warning("%s; the tracker stays as it is", what)
            self._said = what
            await asyncio.sleep(pause if what else REFRESH_SECONDS)
            pause = min(2 * pause, LONGEST_PAUSE) if what else FIRST_PAUSE


async def fetched(client: UmamiClient) -> tuple[bytes, str]:
    """Umami's own tracker; or b"" and what is wrong with it."""
    try:
        answer = await client.get("/script.js", FETCH_SECONDS)
    except (NotSent, Unanswered) as error:
        return b"", f"Umami gave no answer to /script.js: {error}"
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if answer.status != 200 or kind not in _TYPES:
        return b"", f"Umami answered {answer.status}, {kind or 'no type'}, to /script.js"
    if what := fault(answer.body):
        return b"", f"Umami's /script.js {what}"
    return answer.body, ""


def fault(content: bytes) -> str:
    """What shows that these bytes are no tracker; "" where nothing does."""
    if len(content) > SCRIPT_LIMIT:
        return f"is larger than {SCRIPT_LIMIT >> 10} KiB"
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return "is not UTF-8"
    if "\0" in text or text.lstrip("\ufeff \t\r\n")[:1] in ("", "<", "{", "["):
        return "is no script"
    if _ENDPOINT not in text:
        return f"does not post to {_ENDPOINT}"
    return ""


def keep(path: Path, content: bytes) -> None:
    """Replace the file by one with that content, if it differs; never by a part of it."""
    with suppress(FileNotFoundError):
        if path.read_bytes() == content:
            return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _script(content: bytes) -> Script:
    version = hashlib.sha256(content).hexdigest()[:16]
    return Script(content, gzip.compress(content, mtime=0), version)
