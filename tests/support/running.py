"""A real portal in a process of its own, and real clients of it."""

import json
import os
import re
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent.parent
TOKEN = "metrics-token"
CURL = "curl/8.14.1"  # as curl names itself
START_SECONDS = 20


class RunningPortal:
    """server.py over a configuration in `directory`; a context. Tests trust the loopback as proxy.

    `gitlab` is the upstream's origin; `asset_host` the host:port of other assets, or several.
    """

    def __init__(
        self,
        directory,
        gitlab,
        asset_host="",
        token="",
        processes=1,
        environ=None,
        umami=None,
        site_url="",
        site=None,
        asset_networks=("127.0.0.0/8",),
        **limits,
    ):
        self.directory = directory
        self.data_dir = directory / "data"
        self.log_file = directory / "log"
        self.config = directory / "portal.toml"
        self.gitlab, self.limits, self.site_url = gitlab, limits, site_url
        self.site = site or {}
        self.asset_hosts = [asset_host] if isinstance(asset_host, str) else list(asset_host)
        self.asset_networks = list(asset_networks)
        self.umami = umami or {}
        self.command = [sys.executable, str(ROOT / "server.py"), "--config", str(self.config)]
        self.command += ["--processes", str(processes)]
        self.environ = {
            "PATH": os.environ["PATH"],
            "PYTHONWARNINGS": "error",
            "METRICS_TOKEN": TOKEN,
            "GITLAB_TOKEN": token,
            **(environ or {}),
        }
        self.port = 0

    def write_config(self):
        """Write the TOML file; JSON's strings and arrays are TOML's too."""
        limits = "".join(f"{name} = {value}\n" for name, value in self.limits.items())
        umami = "".join(f"{name} = {json.dumps(value)}\n" for name, value in self.umami.items())
        projects = "".join(
            f'[[projects]]\nslug = "{slug}"\ngitlab = "icarus/{slug}"\ntitle = "{slug.title()}"\n'
            for slug in ("pets", "prospects")
        )
        # TOML writes true as JSON does.
        site = {"url": self.site_url, **self.site}
        lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in site.items())
        self.config.write_text(
            f"data_dir = {json.dumps(str(self.data_dir))}\n"
            f'[listen]\nport = {self.port}\ntrusted_proxies = ["127.0.0.1"]\n'
            f"[limits]\n{limits}[umami]\n{umami}"
            f"[gitlab]\nurl = {json.dumps(self.gitlab)}\nrefresh_seconds = 1\n"
            f"asset_hosts = {json.dumps([host for host in self.asset_hosts if host])}\n"
            f"asset_networks = {json.dumps(self.asset_networks)}\n"
            f"[site]\n{lines}{projects}",
            encoding="utf-8",
        )

    def start(self):
        """Start it and wait until it serves; a second start takes the same port."""
        self.write_config()
        with self.log_file.open("ab") as log:
            begin = log.tell()
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environ, stderr=log, stdout=log
            )
        until = time.monotonic() + START_SECONDS
        while not (match := re.search(r"serving on http://\S+:(\d+)", self.log()[begin:])):
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.02)
        self.port = int(match[1])
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def stop(self, number=signal.SIGTERM, seconds=20):
        """Send a signal and wait for the end; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def log(self):
        """All that it has printed."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def rows(self, statement, *parameters):
        """What a statement gives on its database."""
        with closing(sqlite3.connect(self.data_dir / "portal.sqlite3", timeout=5)) as database:
            rows = database.execute(statement, parameters).fetchall()
            database.commit()
            return rows

    def count(self, table, client):
        """How many rows of a table are a client's."""
        from portal.http.client import ip_hash

        statement = {
            "downloads": "select count(*) from downloads where ip_hash = ?",
            "clones": "select count(*) from clones where ip_hash = ?",
        }[table]
        return self.rows(statement, ip_hash(client, ""))[0][0]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextmanager
def standing_in(content, token):
    """The addresses of a stand-in GitLab over this content, in a process of its own."""
    command = [sys.executable, "-m", "demo.standin", "--content", str(content)]
    environ = {"PATH": os.environ["PATH"], "GITLAB_TOKEN": token}
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield json.loads(process.stdout.readline())
        process.stdin.close()
        process.wait(10)


class Clients:
    """Addresses for clients, each used once."""

    def __init__(self):
        self._count = 0

    def new(self):
        """An address that nobody had before."""
        self._count += 1
        return f"198.51.{self._count >> 8}.{self._count & 255}"


def curl(*arguments, client="198.51.100.1", check=True):
    """Run curl; its standard output. With `check`, exit status 0 is expected."""
    command = ["curl", "-sS", "-H", f"X-Forwarded-For: {client}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert not check or done.returncode == 0, done.stderr.decode()
    return done.stdout if check else done


def ask(url, client="198.51.100.1", method="GET", **headers):
    """One request with curl's own head; its status, headers (names in lower case) and body.

    `headers` replace curl's own (User_Agent is User-Agent), and an empty value leaves one out. It
    needs no program, so that the tests that only ask run on a machine without curl.
    """
    parts = urlsplit(url)
    fields = {"Host": parts.netloc, "User-Agent": CURL, "Accept": "*/*", "X-Forwarded-For": client}
    fields |= {_field(name): value for name, value in headers.items()}
    target = url.removeprefix(f"{parts.scheme}://{parts.netloc}").partition("#")[0]
    lines = [f"{method} {target if target.startswith('/') else f'/{target}'} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items() if value]
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=60) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        with HTTPResponse(connection, method=method) as answer:
            answer.begin()
            body = answer.read()
            return answer.status, {n.lower(): v for n, v in answer.getheaders()}, body


def _field(name):
    return "-".join(part.capitalize() for part in name.split("_"))


def parsed(answer):
    """Status, headers (names in lower case) and body of what `curl -D -` prints."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, value in pairs}, body


def wait_for(state, seconds=20):
    """Wait until `state()` is true; fails when it is not after so long, on a loaded machine too."""
    until = time.monotonic() + seconds
    while not (found := state()):
        assert time.monotonic() < until, found
        time.sleep(0.02)
    return found


def begin(portal, path, client="198.51.100.1"):
    """A download that has begun and is then read only when the test does; its connection."""
    connection = socket.create_connection(("127.0.0.1", portal.port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    fields = f"Host: x\r\nX-Forwarded-For: {client}\r\nConnection: close\r\n"
    connection.sendall(f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode())
    assert connection.recv(15) == b"HTTP/1.1 200 OK"
    return connection


def git(*arguments, cwd=None, client="198.51.100.1", **environ):
    """Run git without the user's configuration; status, standard error."""
    command = ["git", "-c", f"http.extraHeader=X-Forwarded-For: {client}", *map(str, arguments)]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C.UTF-8",
        **environ,
    }
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, timeout=60)
    return done.returncode, (done.stderr + done.stdout).decode()


@contextmanager
def no_descriptors(*pids):
    """Processes that have the descriptors that they have, and get no more."""
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in pids}
    try:
        for pid, (_, hard) in limits.items():
            used = {int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir()}
            first_free = min(set(range(len(used) + 1)) - used)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (first_free, hard))
        yield
    finally:
        for pid, limit in limits.items():
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)


def host(url):
    """host:port of an address."""
    return urlsplit(url).netloc
