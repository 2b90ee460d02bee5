"""server.py without a network: --check-config, --help, and a start that cannot bind."""

import os
import socket
import subprocess
from contextlib import closing

import pytest

from portal.process.binding import bind_fault
from tests.support.running import ROOT, RunningPortal


def run(portal, *arguments):
    portal.write_config()
    return subprocess.run(
        [*portal.command, *arguments],
        cwd=ROOT, env=portal.environ, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def refused(portal):
    done = run(portal, "--check-config")
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


def test_a_good_one(tmp_path):
    done = run(RunningPortal(tmp_path, "https://gitlab.test"), "--check-config")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["portal.toml"]


def test_the_untouched_example(tmp_path):
    text = refused(RunningPortal(tmp_path, "https://gitlab.example.com"))
    assert text == (
        "gitlab.url: gitlab.example.com is that of the example: write your own GitLab's\n"
    )


def test_a_data_dir_that_cannot_be_written(tmp_path):
    tmp_path.joinpath("data").touch()
    text = refused(RunningPortal(tmp_path, "https://gitlab.test"))
    assert text == f"data_dir: no file can be written in {tmp_path}/data: Not a directory\n"


def test_a_catalog_that_is_not_there(tmp_path):
    environ = {"CATALOG_DIR": str(tmp_path / "none")}
    text = refused(RunningPortal(tmp_path, "https://gitlab.test", environ=environ))
    assert text == f"catalog.dir: {tmp_path}/none is no folder (CATALOG_DIR goes before it)\n"


def test_a_port_that_is_taken(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        portal = RunningPortal(tmp_path, "https://gitlab.test")
        portal.port = taken.getsockname()[1]
        done = run(portal)
    assert done.returncode == 1
    assert f"127.0.0.1:{portal.port} is taken by " in done.stderr
    assert f"(process {os.getpid()})" in done.stderr


@pytest.mark.parametrize(
    ("number", "address", "port", "sentence"),
    [
        (13, "::", 80, "port 80 needs root or CAP_NET_BIND_SERVICE"),
        (99, "192.0.2.1", 8000, "192.0.2.1 is no address of this machine"),
        (98, "::1", 1, "[::1]:1 is taken by another program"),
        (24, "::1", 8000, "[::1]:8000 cannot be listened on: Too many open files"),
    ],
)
def test_why_it_cannot_be_bound(number, address, port, sentence):
    error = OSError(number, os.strerror(number))
    assert bind_fault(error, address, port).startswith(sentence)


def test_help_has_examples(tmp_path):
    done = run(RunningPortal(tmp_path, "https://gitlab.test"), "--help")
    for command in ("--check-config", "--probe", "--backup", "--rebuild-totals", "--prune-before"):
        assert command in done.stdout.partition("examples:")[2]
