"""A backup of a portal that serves, and the restore steps of docs/operate.md, to the letter."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.running import ROOT, TOKEN, Clients, ask, curl

FILE = "/downloads/pets/v2.1.0/pets-2.1.0-windows.zip"


@pytest.fixture(scope="module")
def running(start_portal):
    with start_portal() as portal:
        yield portal


def steps():
    """The commands of the section, but the first and last, which stop and start the portal."""
    page = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
    section = page.partition("\n## Restore\n")[2].partition("\n## ")[0]
    lines = re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1].splitlines()
    assert (lines[0], lines[-1]) == ("systemctl stop portal", "systemctl start portal")
    return "\n".join(lines[1:-1])


def restore(portal, backup):
    """With this portal's places and user in the stead of the page's."""
    script = steps()
    for shown, real in (
        (r"/var/lib/portal", str(portal.data_dir)),
        (r"/var/backups/portal/portal-\S+\.sqlite3", str(backup)),
        (r"-o portal -g portal", f"-o {os.getuid()} -g {os.getgid()}"),
    ):
        script, found = re.subn(shown, real, script)
        assert found == 1
    subprocess.run(["sh", "-euc", script], check=True)


def backup(portal, target):
    """The command, while the portal serves; not waited for."""
    return subprocess.Popen(
        [sys.executable, ROOT / "server.py", "--config", portal.config, "--backup", target],
        stdout=subprocess.PIPE,
        text=True,
        env=portal.environ,
    )


def download(portal, times):
    for _ in range(times):
        curl("-o", "/dev/null", portal.url + FILE, client=CLIENTS.new())


def replayed(portal, downloads):
    """Wait until so many are counted: what was spilled is, soon after the start."""
    until = time.monotonic() + 10
    while (counted := portal.rows("select count(*) from downloads")) != [(downloads,)]:
        assert time.monotonic() < until, counted
        time.sleep(0.05)


CLIENTS = Clients()


def test_restore(running, tmp_path):
    """Three downloads before, one that waits to be counted, two that are lost."""
    copy = tmp_path / "copy.sqlite3"
    download(running, 3)
    with closing(sqlite3.connect(running.data_dir / "portal.sqlite3", timeout=5)) as other:
        other.isolation_level = None
        other.execute("begin immediate")
        download(running, 1)
        with backup(running, copy) as command:
            assert command.stdout.readline().endswith("bytes, checked.\n")
            left_out = command.stdout.readline()
            running.stop(signal.SIGKILL)
            other.execute("rollback")
            assert re.match(r"Not in it: \d+ events? in ", left_out)
            assert command.wait(20) == 0
    running.start()
    replayed(running, 4)
    download(running, 2)
    assert running.stop() == 0
    restore(running, copy)
    running.start()
    assert running.rows("select sum(count) from download_totals") == [(3,)]
    assert running.rows("pragma journal_mode") == [("wal",)]
    status, _, page = ask(f"{running.url}/metrics", Authorization=f"Bearer {TOKEN}")
    assert status == 200
    assert b"Downloads" in page
    download(running, 1)
    assert running.rows("select sum(count) from download_totals") == [(4,)]


def test_what_waits_in_a_spill_file_is_counted_after_the_restore(running, tmp_path):
    copy = tmp_path / "copy.sqlite3"
    (before,) = running.rows("select count(*) from downloads")[0]
    with backup(running, copy) as command:
        assert command.wait(20) == 0
    with closing(sqlite3.connect(running.data_dir / "portal.sqlite3", timeout=5)) as other:
        other.isolation_level = None
        other.execute("begin immediate")
        download(running, 1)
        running.stop(signal.SIGKILL)
    subprocess.run(["rm", "-rf", running.data_dir / "before-restore"], check=True)
    restore(running, copy)
    assert running.rows("select count(*) from downloads") == [(before,)]
    running.start()
    replayed(running, before + 1)


def test_a_restore_while_the_portal_serves(running, tmp_path):
    """The same steps without the first and the last: what comes meanwhile is counted, too."""
    copy = tmp_path / "copy.sqlite3"
    with backup(running, copy) as command:
        assert command.wait(20) == 0
    (before,) = running.rows("select count(*) from downloads")[0]
    download(running, 2)
    subprocess.run(["rm", "-rf", running.data_dir / "before-restore"], check=True)
    restore(running, copy)
    download(running, 3)
    replayed(running, before + 3)
    status, _, page = ask(f"{running.url}/readyz")
    assert (status, page) == (200, page)
    assert running.rows("pragma integrity_check") == [("ok",)]
    assert "is another file now" in running.log()


def test_a_deleted_database_is_said_and_what_comes_waits(running):
    away = running.data_dir / "away.sqlite3"
    (before,) = running.rows("select count(*) from downloads")[0]
    for suffix in ("", "-wal", "-shm"):
        (running.data_dir / f"portal.sqlite3{suffix}").rename(f"{away}{suffix}")
    download(running, 1)
    assert ask(f"{running.url}/readyz")[0] == 503
    assert not (running.data_dir / "portal.sqlite3").exists()
    for suffix in ("-wal", "-shm", ""):
        Path(f"{away}{suffix}").rename(running.data_dir / f"portal.sqlite3{suffix}")
    replayed(running, before + 1)
    assert ask(f"{running.url}/readyz")[0] == 200
