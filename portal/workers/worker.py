"""Parent's side of one worker process: a thread sends requests over a socket and waits."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from portal.saves.limits import FILE_BYTES
from portal.workers.protocol import HEAD, MAX_JSON, READY

ROOT = Path(__file__).parent.parent.parent
# No site-packages, no environment, no byte code written: portal.saves needs the library alone.
START = "import sys; sys.path.insert(0, sys.argv[1])"
START += "; from portal.workers.child import main; main(int(sys.argv[2]))"
FILES = 200  # read by one process, which then makes place for a fresh one
RESIDENT_BYTES = 128 << 20  # that a process may keep between files; a fresh one has 20 MiB
END_SECONDS = 1.0  # for a killed process to be gone; one that swaps takes long
CHUNK = 1 << 20

_PAGE = os.sysconf("SC_PAGE_SIZE")


class WorkerBroken(Exception):  # noqa: N818 - its state
    """The process died, or answered what was not agreed."""


class WorkerMissing(Exception):  # noqa: N818
    """No process could be started."""


class WorkerSlow(Exception):  # noqa: N818
    """No answer in time; the process is killed."""


@dataclass(frozen=True, slots=True)
class Frame:
    """JSON (an answer's in lines), and the content of a file or nothing."""

    json: bytes
    content: bytes


def command() -> list[str]:
    """What starts a worker of this process."""
    return [sys.executable, "-I", "-S", "-B", "-c", START, str(ROOT), str(os.getpid())]


class Worker:
    """Starts its process when it is first asked, and again after each end.

    `ask` and `end` block and belong to one thread at a time; `close` may come from any. The thread
    that starts the process must live as long as the portal: the process dies with it (Linux).
    """

    def __init__(self, arguments: list[str]) -> None:
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._dying: list[subprocess.Popen[bytes]] = []
        self._files = 0
        self._spent = False
        self._lock = threading.Lock()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The number of the process that runs, if one does."""
        return self._process.pid if self._process else None

    def ask(self, request: Frame, until: float) -> Frame:
        """The answer, by a moment of the monotonic clock.

        Raises `WorkerBroken`, `WorkerMissing`, `WorkerSlow`; it is `worn` then, to be ended.
        """
        self._spent = True
        try:
            connection = self._socket or self._start(until)
            name = os.urandom(8)  # whatever an earlier file left in the socket has another
            head = HEAD.pack(name, len(request.json), len(request.content))
            _send(connection, head + request.json, until)
            _send(connection, request.content, until)
            self._files += 1
            answered, json_size, size = HEAD.unpack(_receive(connection, HEAD.size, until))
            if answered != name or json_size > MAX_JSON or size > FILE_BYTES:
                raise WorkerBroken("it answered nonsense")
            json = _receive(connection, json_size, until)
            answer = Frame(json, _receive(connection, size, until))
        except TimeoutError:
            self._kill()
            raise WorkerSlow from None
        except OSError:
            raise WorkerBroken("it died") from None
        self._spent = False
        return answer

    @property
    def worn(self) -> bool:
        """Whether the process should end: it broke, has read many files or has grown."""
        return self.pid is not None and (
            self._spent or self._files >= FILES or _resident(self.pid) > RESIDENT_BYTES
        )

    def end(self) -> None:
        """Kill the process, if there is one, and wait for it."""
        self._dying = [process for process in self._dying if process.poll() is None]
        if self._socket:
            self._socket.close()
        self._kill()
        process, self._process, self._socket, self._files = self._process, None, None, 0
        self._spent = False
        if process:
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._dying.append(process)

    def close(self) -> None:
        """Kill the process and start no other; whoever asks has `WorkerMissing`."""
        with self._lock:
            self._closed = True
            self._kill()

    def _kill(self) -> None:
        if self._process:
            self._process.kill()

    def _start(self, until: float) -> socket.socket:
        try:
            with self._lock:
                if self._closed:
                    raise WorkerMissing("the portal stops")
                self._socket, theirs = socket.socketpair()
                with theirs:
                    self._process = _spawn(self._arguments, theirs)
            if _receive(self._socket, len(READY), until) != READY:
                raise WorkerMissing("it does not say that it is ready")
        except TimeoutError:
            raise WorkerMissing("it was not ready in time") from None
        except OSError as error:
            raise WorkerMissing(f"it cannot be started: {error.strerror or error}") from None
        return self._socket


def _spawn(arguments: list[str], connection: socket.socket) -> subprocess.Popen[bytes]:
    """A process with one socket and no other descriptor, away from the terminal's signals."""
    return subprocess.Popen(  # noqa: S603 - our own command  # nosec B603
        arguments,
        stdin=connection.fileno(),
        stdout=connection.fileno(),
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"LC_ALL": "C.UTF-8"},
        start_new_session=True,
    )


def _send(connection: socket.socket, content: bytes, until: float) -> None:
    connection.settimeout(_left(until))
    connection.sendall(content)


def _receive(connection: socket.socket, size: int, until: float) -> bytes:
    """Exactly so many bytes. In chunks that are joined: both let the event loop run."""
    chunks, missing = [], size
    while missing:
        connection.settimeout(_left(until))
        chunk = connection.recv(min(missing, CHUNK))
        if not chunk:
            raise ConnectionResetError("it died")
        chunks.append(chunk)
        missing -= len(chunk)
    return b"".join(chunks)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _resident(pid: int) -> int:
    """Bytes of memory that a process has; 0 where the kernel does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        text = Path(f"/proc/{pid}/statm").read_text(encoding="ascii")
        return int(text.split()[1]) * _PAGE
    return 0
