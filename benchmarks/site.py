"""Starts what a benchmark measures: the origin, the stand-in GitLab, the proxies, the portal."""

import base64
import json
import select
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import content, load, nginx
from benchmarks.children import (
    ADDRESS,
    ROOT,
    START_SECONDS,
    BenchmarkError,
    free_port,
    listening,
    running,
)
from benchmarks.peers import PEERS
from benchmarks.plan import Plan

TOKEN = "benchmark"  # noqa: S105 - what the stand-in takes, on the loopback only

_PORTAL = """
data_dir = {data_dir}
[listen]
port = {port}
trusted_proxies = ["{address}"]
[gitlab]
url = "{gitlab}"
asset_hosts = ["{address}:{origin}"]
asset_networks = ["127.0.0.0/8"]
[[projects]]
slug = "{slug}"
gitlab = "{project}"
"""


@dataclass(frozen=True, slots=True)
class Target:
    """One server under measurement: its port, its process tree, its paths."""

    name: str
    port: int
    pid: int
    prefix: str = "/"
    repository: str = ""

    def path(self, name: str) -> str:
        """The path of a file."""
        return self.prefix + name

    @property
    def clone_url(self) -> str:
        """The address of the repository."""
        return f"http://{ADDRESS}:{self.port}{self.repository}"


@dataclass(slots=True)
class Site:
    """`direct` is the origin itself; `yardstick` is nginx with large buffers.

    `skipped` and `failed` name the missing peers and the reasons. `git_url` is the repository in
    the stand-in, without a proxy.
    """

    folder: Path
    direct: Target
    yardstick: Target
    portal: Target
    git_url: str
    peers: list[Target] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def proxies(self) -> list[Target]:
        """All proxies that are compared, the yardstick first."""
        return [self.yardstick, *self.peers, self.portal]

    def downloads(self) -> int:
        """The number of rows in the portal's table of downloads."""
        with closing(
            sqlite3.connect(self.folder / "data" / "portal.sqlite3", timeout=5)
        ) as database:
            count: int = database.execute("select count(*) from downloads").fetchone()[0]
            return count


@contextmanager
def running_site(folder: Path, plan: Plan, peers: bool = True) -> Iterator[Site]:
    """Write the content and start everything; end everything at exit. Raises BenchmarkError."""
    content.write_files(folder / "files", plan)
    ports = {name: free_port() for name in ("origin", "yardstick", "portal")}
    content.write_project(folder / "gitlab", f"http://{ADDRESS}:{ports['origin']}")
    content.write_repository(folder / "gitlab", plan.pack_bytes)
    with ExitStack() as stack:
        pid = stack.enter_context(nginx.origin(folder, ports["origin"], folder / "files"))
        direct = Target("no proxy (nginx, sendfile)", ports["origin"], pid)
        gitlab = stack.enter_context(_standin(folder))
        yardstick = stack.enter_context(_yardstick(folder, ports, gitlab))
        portal = stack.enter_context(_portal(folder, ports, gitlab))
        git_url = gitlab.replace("://", f"://git:{TOKEN}@") + f"/{content.PROJECT}.git"
        site = Site(folder, direct, yardstick, portal, git_url)
        if peers:
            _start_peers(site, stack)
        for target in (site.direct, *site.proxies):
            load.fetch(target.port, target.path(content.SMALL))  # warm-up
        yield site


def _start_peers(site: Site, stack: ExitStack) -> None:
    """Start the peers that are installed."""
    for name, start, missing in PEERS:
        if reason := missing():
            site.skipped.append(f"{name}: {reason}")
            continue
        port = free_port()
        try:
            pid = stack.enter_context(start(site.folder, port, site.direct.port))
        except BenchmarkError as error:
            site.failed.append(str(error))
        else:
            site.peers.append(Target(name, port, pid))


@contextmanager
def _standin(folder: Path) -> Iterator[str]:
    """Run the stand-in GitLab; its origin."""
    command = [sys.executable, "-m", "demo.standin", "--content", folder / "gitlab"]
    with running("standin", command, folder, {"GITLAB_TOKEN": TOKEN}, piped=True) as child:
        assert child.stdout
        readable, _, _ = select.select([child.stdout], [], [], START_SECONDS)
        ready = child.stdout.readline() if readable else ""
        if not ready:
            raise BenchmarkError("the stand-in GitLab did not start")
        origin: str = json.loads(ready)["gitlab"]
        yield origin


@contextmanager
def _yardstick(folder: Path, ports: dict[str, int], gitlab: str) -> Iterator[Target]:
    credentials = base64.b64encode(f"git:{TOKEN}".encode()).decode()
    location = f"""
        location /{content.PROJECT}.git/ {{
            proxy_pass {gitlab};
            proxy_set_header Authorization "Basic {credentials}";
            client_max_body_size 0;
        }}
    """
    port = ports["yardstick"]
    with nginx.proxy(
        "nginx-512k", folder, port, ports["origin"], nginx.LARGE_BUFFERS, location
    ) as pid:
        yield Target("nginx 512k", port, pid, repository=f"/{content.PROJECT}.git")


@contextmanager
def _portal(folder: Path, ports: dict[str, int], gitlab: str) -> Iterator[Target]:
    """Run the real server in one process."""
    port = ports["portal"]
    configuration = folder / "portal.toml"
    configuration.write_text(
        _PORTAL.format(
            data_dir=json.dumps(str(folder / "data")),
            port=port,
            gitlab=gitlab,
            address=ADDRESS,
            origin=ports["origin"],
            slug=content.SLUG,
            project=content.PROJECT,
        )
    )
    command = [sys.executable, ROOT / "server.py", "--config", configuration]
    with listening("portal", command, port, folder, {"GITLAB_TOKEN": TOKEN}) as pid:
        yield Target(
            name="the portal",
            port=port,
            pid=pid,
            prefix=f"/downloads/{content.SLUG}/{content.VERSION}/",
            repository=f"/{content.SLUG}.git",
        )
