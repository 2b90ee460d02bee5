"""Tests that need a program which is missing are skipped, and a run ends by naming the packages."""

import re
import subprocess
import sys

import pytest

from tests.support.programs import PACKAGES, needs, skip_instead, summary
from tests.support.running import ROOT

TEST = """
import subprocess
import pytest
from tests.support.programs import needs

@needs("caddy", "node")
def test_that_says_so():
    raise AssertionError

@pytest.fixture
def started():
    subprocess.run(["wget", "--version"], check=True)

def test_whose_fixture_starts_one(started):
    raise AssertionError

def test_that_starts_one():
    subprocess.run(["curl", "--version"], check=True)

def test_of_a_file_that_is_missing():
    with pytest.raises(FileNotFoundError):
        open("curl.txt")

def test_of_a_program_that_nobody_knows():
    with pytest.raises(FileNotFoundError):
        subprocess.run(["no-such-program"])

def test_of_nothing():
    pass
"""
LINE = "3 tests need caddy, curl, node, wget: apt-get install caddy curl nodejs wget"


@pytest.mark.parametrize(("environ", "status"), [({}, 0), ({"CI": "true"}, 1)])
def test_missing_programs_skip_tests_and_are_named_at_the_end(tmp_path, environ, status):
    (tmp_path / "test_it.py").write_text(TEST)
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    environ = {"PATH": str(tmp_path), "PYTHONPATH": str(ROOT), **environ}
    done = subprocess.run(
        [*command, f"--rootdir={tmp_path}"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert re.search(r"3 passed, 3 skipped", done.stdout), done.stdout + done.stderr
    assert LINE in done.stdout.splitlines()
    assert done.returncode == status


@pytest.mark.parametrize(
    ("reasons", "line"),
    [
        ([], ""),
        (["only root can become another user"], ""),
        (["needs curl (package curl)"], "1 test needs curl: apt-get install curl"),
        (
            ["Skipped: needs node (package nodejs), needs curl (package curl)"] * 2 + ["other"],
            "2 tests need curl, node: apt-get install curl nodejs",
        ),
    ],
)
def test_the_line(reasons, line):
    assert summary(reasons) == line


def test_an_installed_program_is_no_reason():
    assert not needs("git").args[0]
    assert skip_instead(FileNotFoundError(2, "No such file", "git")) is None
    assert skip_instead(FileNotFoundError("without a file")) is None
    assert set(map(type, PACKAGES.values())) == {str}


def test_ci_installs_every_package():
    text = (ROOT / ".ci/run").read_text()
    listed = re.search(r"--no-install-recommends(.*?)>/dev/null", text, re.DOTALL)[1]
    base = {"apt", "python3-pip"}  # Debian has apt, and the virtual environment has pip
    assert set(PACKAGES.values()) - base <= set(listed.split())
