"""Child processes of a benchmark: started, waited for, and always ended by their id."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ADDRESS = "127.0.0.1"
START_SECONDS = 20.0
STOP_SECONDS = 10.0
ROOT = Path(__file__).parent.parent
# The last part of a configuration that needs no GitLab: nothing listens at this address.
NO_GITLAB = """
[gitlab]
url = "http://127.0.0.1:9"
refresh_seconds = 3600
[[projects]]
slug = "pets"
gitlab = "icarus/pets"
"""


class BenchmarkError(Exception):
    """A measurement failed; the text says which and why."""


@contextmanager
def running(
    name: str,
    command: Sequence[object],
    folder: Path,
    environ: Mapping[str, str] | None = None,
    *,
    piped: bool = False,
) -> Iterator[subprocess.Popen[str]]:
    """A child whose output goes to `<folder>/<name>.log`; `piped` connects its input and output.

    At the end it gets SIGTERM, and SIGKILL if it does not end then.
    """
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        child = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(folder),
                **(environ or {}),
            },
            stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
            stdout=subprocess.PIPE if piped else output,
            stderr=output,
            text=True,
        )
    try:
        yield child
    finally:
        _end(child)


def _end(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()


@contextmanager
def listening(
    name: str,
    command: Sequence[object],
    port: int,
    folder: Path,
    environ: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Run a child until it accepts connections; its id. Raises BenchmarkError if it does not."""
    with running(name, command, folder, environ) as child:
        give_up = time.monotonic() + START_SECONDS
        while not _accepts(port):
            if child.poll() is not None or time.monotonic() > give_up:
                raise BenchmarkError(f"{name} did not start: {_last_words(name, folder)}")
            time.sleep(0.02)
        try:
            yield child.pid
        except BenchmarkError as error:
            if child.poll() is None:
                raise
            raise BenchmarkError(f"{name} ended: {_last_words(name, folder)}") from error


def _last_words(name: str, folder: Path) -> str:
    return (folder / f"{name}.log").read_text(errors="replace")[-2000:]


def _accepts(port: int) -> bool:
    with socket.socket() as client:
        # The kernel may give a port of the ephemeral range to the connecting socket itself, which
        # is then connected to itself.
        return client.connect_ex((ADDRESS, port)) == 0 and client.getsockname()[1] != port


def free_port() -> int:
    """A free port of 127.0.0.1."""
    with socket.socket() as listener:
        listener.bind((ADDRESS, 0))
        port: int = listener.getsockname()[1]
        return port
