"""Visits of real clients to a portal, each from an address of its own.

Programs that cannot send X-Forwarded-For ask through a proxy that adds it.
"""

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

BIG = "/downloads/pets/v2.1.0/pets-2.1.0-soak.bin"
SECONDS = 120


@dataclass(frozen=True)
class Client:
    """A client, what it does (given a `Visit`), and the rows that this must make, and why."""

    name: str
    does: Callable
    why: str
    downloads: int = 0
    pets: int = 0
    prospects: int = 0


class NamingProxy:
    """A proxy on a port of its own, all of whose visitors have one address.

    Each request goes on over a connection of its own. The first `cuts` answers with a body of more
    than `after` bytes are cut off there; `pace` is in bytes a second.
    """

    def __init__(self, port, client, cuts=0, after=1 << 20, pace=0):
        self._port, self._client, self._pace = port, client, pace
        self._cuts, self._after = cuts, after
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._lock = threading.Lock()
        self._open = True

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._open = False
        with contextlib.suppress(OSError):  # wakes who waits for a visitor
            socket.create_connection(self._listening.getsockname()).close()
        self._listening.close()

    def _accept(self):
        while self._open:
            visitor, _ = self._listening.accept()
            threading.Thread(target=self._serve, args=(visitor,), daemon=True).start()

    def _serve(self, visitor):
        with visitor, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                piece = visitor.recv(1 << 16)
                if not piece:
                    return
                head += piece
            head, _, body = head.partition(b"\r\n\r\n")
            lines = [x for x in head.split(b"\r\n") if not x.lower().startswith(b"connection:")]
            lines += [f"X-Forwarded-For: {self._client}".encode(), b"Connection: close"]
            with socket.create_connection(("127.0.0.1", self._port)) as portal:
                portal.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
                back = threading.Thread(target=self._copy, args=(visitor, portal), daemon=True)
                back.start()
                self._answer(portal, visitor)

    def _copy(self, source, target):
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                target.sendall(piece)

    def _answer(self, portal, visitor):
        sent = 0
        while piece := portal.recv(1 << 16):
            left = self._after - sent
            sent += len(piece)
            if sent > self._after and self._may_cut():
                visitor.sendall(piece[:left])
                break
            visitor.sendall(piece)
            time.sleep(len(piece) / self._pace if self._pace else 0)
        for each in (visitor, portal):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _may_cut(self):
        with self._lock:
            self._cuts -= 1
            return self._cuts >= 0


class Visit:
    """One client's visit: its address, a folder, and what it takes to run programs as it."""

    def __init__(self, portal, client, directory, digest):
        self.portal, self.client, self.directory, self.digest = portal, client, directory, digest
        self.url, self.out = portal.url, directory / "file"

    def words(self, command, number=""):
        """A command whose words may hold {url}, {big}, {out}, {dir} and {header}."""
        names = {
            "url": self.url,
            "big": self.url + BIG,
            "out": f"{self.out}{number}",
            "dir": self.directory,
            "header": f"X-Forwarded-For: {self.client}",
        }
        return [word.format(**names) for word in command.split()]

    def run(self, command, *, status=0, number="", **environ):
        """Run one to its end; what it printed."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C.UTF-8",
            **environ,
        }
        done = subprocess.run(
            self.words(command, number),
            env=environment,
            cwd=self.directory,
            capture_output=True,
            timeout=SECONDS,
        )
        said = (done.stdout + done.stderr).decode(errors="replace")
        assert status is None or done.returncode == status, (command, done.returncode, said)
        return said

    def git(self, command, *, status=0, **environ):
        """Run git, with the client's address in a header."""
        header = f"http.extraHeader=X-Forwarded-For:{self.client}"
        return self.run(f"git -c {header} {command}", status=status, **environ)

    def at_once(self, count, command):
        """Run several of one kind together."""
        with ThreadPoolExecutor(count) as threads:
            list(threads.map(lambda n: self.run(command, number=n), range(count)))
        return [self.whole(number) for number in range(count)]

    def broken(self, command):
        """Run one that gets a megabyte a second, and kill it when it has something."""
        slow = self.through_proxy(pace=1 << 20)
        with slow, subprocess.Popen(self.words(command), cwd=self.directory) as process:
            until = time.monotonic() + SECONDS
            while not (self.portal.count("downloads", self.client) and self.out.exists()):
                assert process.poll() is None, command
                assert time.monotonic() < until, command
                time.sleep(0.05)
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
        assert hashlib.sha256(self.out.read_bytes()).hexdigest() != self.digest

    def whole(self, number=""):
        """What was downloaded is the file."""
        content = self.out.with_name(f"{self.out.name}{number}").read_bytes()
        assert hashlib.sha256(content).hexdigest() == self.digest

    @contextlib.contextmanager
    def through_proxy(self, cuts=0, after=1 << 20, pace=0):
        """Ask through a proxy that names the client; a context."""
        direct = self.url
        with NamingProxy(self.portal.port, self.client, cuts, after, pace) as proxy:
            self.url = proxy.url
            try:
                yield proxy
            finally:
                self.url = direct
