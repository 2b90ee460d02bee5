"""What the units start, run as they say.

No systemd runs here: the commands and the environment are taken from the units, and run in what of
their sandbox can be had without one (`tests.support.deploy.sandbox`).
"""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import LARGE
from tests.process.test_stopping import BIG, children
from tests.support.deploy.sandbox import settings
from tests.support.deploy.units import UNITS, UnitPortal, command_of, environment_of, needs_systemd
from tests.support.programs import needs
from tests.support.running import ROOT, TOKEN, ask, curl, git
from tests.support.saves import mounts_json
from tests.support.tools import opened

pytestmark = [pytest.mark.long, needs_systemd]


@pytest.fixture
def unit_portal(start_portal, tmp_path):
    portal = start_portal()
    unit = UnitPortal(portal, tmp_path)
    with unit.systemd:
        yield unit
        portal.__exit__()


def test_the_unit_starts_the_portal(unit_portal, tmp_path):
    """Everything it does works in the sandbox: a download, a clone, a save file, /metrics."""
    portal = unit_portal.start().portal
    assert len(children(portal.process.pid)) == int(portal.environ["PORTAL_PROCESSES"]) == 2
    status = Path(f"/proc/{portal.process.pid}/status").read_text()
    assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
    assert re.search(r"^Seccomp:\t2$", status, re.MULTILINE)  # a filter
    assert len(curl(portal.url + BIG)) == LARGE
    assert git("clone", f"{portal.url}/pets.git", tmp_path / "x")[0] == 0
    said = opened(portal, "pets", mounts_json(), "198.51.100.7")
    assert said["tool"] == "pets"
    assert ask(f"{portal.url}/metrics", Authorization=f"Bearer {TOKEN}")[0] == 200
    assert portal.rows(
        "select (select count(*) from downloads), (select count(*) from clones)"
    ) == [(1, 1)]
    modes = {path.stat().st_mode & 0o077 for path in portal.data_dir.rglob("*")}
    assert modes == {0}
    assert portal.stop() == 0
    unit_portal.systemd.until("STOPPING=1")
    assert "Operation not permitted" not in portal.log()


def test_the_reader_of_save_files_cannot_speak_for_the_portal(unit_portal):
    portal = unit_portal.start().portal
    opened(portal, "pets", mounts_json(), "198.51.100.7")
    tasks = (Path(f"/proc/{pid}/task") for pid in children(portal.process.pid))
    lists = [path.read_text() for task in tasks for path in task.glob("*/children")]
    # The pass over the catalog's folder can be another.
    started = [Path(f"/proc/{pid}") for pid in "".join(lists).split()]
    (reader,) = (
        each for each in started if b"portal.workers.child" in (each / "cmdline").read_bytes()
    )
    assert (reader / "environ").read_bytes() == b"LC_ALL=C.UTF-8\0"


def test_a_faulty_configuration_is_not_started_again(unit_portal):
    unit_portal.start()
    portal = unit_portal.portal
    assert portal.stop() == 0
    portal.config.write_text("nonsense = true\n")
    done = subprocess.run(portal.command, cwd=ROOT, env=portal.environ, capture_output=True)
    assert [str(done.returncode)] == unit_portal.service["RestartPreventExitStatus"]


def test_the_backup_unit(start_portal, tmp_path):
    """It copies while the portal serves, and deletes what is too old, only after that."""
    unit = UNITS / "portal-backup.service"
    service = settings(unit)
    environ = environment_of(service)
    folder = tmp_path / "backups"
    folder.mkdir()
    old, kept = folder / "portal-old.sqlite3", folder / "portal-kept.sqlite3"
    days = int(environ["KEEP_DAYS"])
    for path, age in ((old, days + 1.1), (kept, days - 0.1)):
        path.touch()
        os.utime(path, (time.time() - age * 86_400,) * 2)
    with start_portal() as portal:
        curl("-o", "/dev/null", portal.url + BIG)
        places = {
            ".venv/bin/python": sys.executable,
            "/etc/portal/portal.toml": portal.config,
            "/var/backups/portal": folder,
        }
        for line in range(len(service["ExecStart"])):
            command = command_of(service, places, environ, line)
            done = subprocess.run(
                [sys.executable, "-m", "tests.support.deploy.sandbox", unit, *command],
                cwd=ROOT,
                env=environ,
                capture_output=True,
                text=True,
            )
            assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert not old.exists()
        kept.unlink()
        (copy,) = folder.iterdir()
        assert re.fullmatch(r"portal-\d{4}-\d\d-\d\dT\d{6}Z\.sqlite3", copy.name)
        with closing(sqlite3.connect(copy)) as database:
            assert database.execute("select count(*) from downloads").fetchone() == (1,)


UMAMI = """
let sum = 0;
for (let i = 0; i < 5e6; i++) sum = (sum + i * 7) % 1000003;  // enough for V8 to compile it
require("http").createServer((request, answer) => answer.end(
  [process.env.HOSTNAME, process.env.PORT, process.env.DATABASE_URL, sum].join(" ")
)).listen(0, process.env.HOSTNAME, function () { console.log(this.address().port); });
"""


@needs("node")
def test_the_umami_unit_runs_node(tmp_path):
    """A server of Node's own kind runs as that unit says: on the loopback, with V8's compiler."""
    unit = UNITS / "umami.service"
    service = settings(unit)
    (tmp_path / "server.js").write_text(UMAMI)
    environ = environment_of(service, APP_SECRET="x")
    command = command_of(service, {}, environ)
    assert command == ["/opt/umami/node", "server.js"]
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.support.deploy.sandbox",
            unit,
            shutil.which("node"),
            tmp_path / "server.js",
        ],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        port = int(process.stdout.readline())
        assert curl(f"http://127.0.0.1:{port}/").split()[:3] == [
            b"127.0.0.1",
            b"3001",
            b"file:/var/lib/umami/umami.db",
        ]
        process.send_signal(signal.SIGTERM)
        process.wait(10)
