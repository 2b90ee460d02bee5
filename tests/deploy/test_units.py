"""The units: that systemd can read them, and how far they are sandboxed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.deploy.sandbox import settings
from tests.support.deploy.units import PYTHON, UNITS, needs_systemd
from tests.support.programs import reason
from tests.support.running import ROOT

CADDY_UNIT = Path("/lib/systemd/system/caddy.service")
SERVICES = ["portal", "umami", "portal-backup"]


def analyze(*arguments, **environ):
    """Run systemd-analyze; status and all that it says."""
    done = subprocess.run(
        ["systemd-analyze", *map(str, arguments)],
        env={"PATH": os.environ["PATH"], "SYSTEMD_COLORS": "0", **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


@needs_systemd
def test_systemd_can_read_them(tmp_path):
    """All of them together; programs are where this machine has them."""
    for unit in (*UNITS.glob("*.service"), *UNITS.glob("*.timer")):
        text = unit.read_text(encoding="utf-8").replace("=/opt/umami/node ", "=/bin/true ")
        (tmp_path / unit.name).write_text(text.replace(PYTHON, sys.executable), encoding="utf-8")
    units = list(tmp_path.iterdir())
    assert len(units) == 4
    assert analyze("verify", *units) == (0, "")


@needs_systemd
@pytest.mark.skipif(not CADDY_UNIT.exists(), reason=reason("caddy"))
def test_systemd_can_read_what_is_added_to_caddy(tmp_path):
    shutil.copy(CADDY_UNIT, tmp_path)
    shutil.copytree(UNITS / "caddy.service.d", tmp_path / "caddy.service.d")
    assert analyze("verify", tmp_path / "caddy.service") == (0, "")


@needs_systemd
@pytest.mark.parametrize("service", SERVICES)
def test_exposure_is_at_most_2(service):
    path = UNITS / f"{service}.service"
    status, said = analyze("security", "--offline=true", "--threshold=20", path)
    assert status == 0, said


@needs_systemd
def test_the_threshold_would_be_noticed(tmp_path):
    open_unit = tmp_path / "open.service"
    open_unit.write_text("[Service]\nExecStart=/bin/true\nUser=nobody\n")
    assert analyze("security", "--offline=true", "--threshold=20", open_unit)[0] == 1


def test_what_stops_it_leaves_time_for_transfers():
    service = settings(UNITS / "portal.service")
    example = (ROOT / "portal.example.toml").read_text(encoding="utf-8")
    drain = int(re.search(r"drain_seconds = (\d+)", example)[1])
    assert int(service["TimeoutStopSec"][0]) >= drain + 10
    # systemd's signal to every process would be the second one, which ends transfers at once.
    assert service["KillMode"] == ["mixed"]
    assert service["NotifyAccess"] == ["main"]


@needs_systemd
@pytest.mark.parametrize(
    ("denied", "error"),
    [
        ("import mmap; mmap.mmap(-1, 4096, prot=7)", "PermissionError"),
        ("import os; os.chroot('/')", "PermissionError"),
        ("import os; os.setuid(0)", "PermissionError"),
        ("import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", "not supported"),
    ],
)
def test_the_sandbox_denies(denied, error):
    unit = UNITS / "portal.service"
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.deploy.sandbox", unit, sys.executable, "-c", denied],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert error in done.stderr


def test_deploy_md_names_what_is_shipped():
    """Every file, and none that is not there; and Caddy's example, every setting left open."""
    pages = "".join((ROOT / "docs" / page).read_text() for page in ("deploy.md", "operate.md"))
    named = {
        ROOT / name for name in re.findall(r"(?<!/)systemd/[\w.-]+(?:/[\w.-]+)*(?<!\.)", pages)
    }
    shipped = {path for path in UNITS.rglob("*") if path.is_file()}
    assert named == shipped
    example = (UNITS / "caddy.env.example").read_text(encoding="utf-8")
    left_open = set(re.findall(r"\{\$(\w+)", (UNITS / "Caddyfile").read_text(encoding="utf-8")))
    assert set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) == left_open
