"""Programs that tests run: which Debian package has each, and what becomes of a test without it.

A test is skipped when a program that it runs is not installed: `needs` says so in advance, and
`skip_instead` turns the FileNotFoundError of any other start of a program into the same skip. At
the end of a run one line names the packages. In CI no test may be skipped (see conftest.py).
"""

import os
import re
import shutil
from pathlib import Path

import pytest

# Programs by their names, with the package of Debian that has each. What a minimal Debian or README
# asks for (git, make, python3) is not here: without it a test fails.
PACKAGES = {
    **{
        name: name
        for name in ("curl", "wget", "axel", "lftp", "caddy", "nginx", "openssl", "squid")
    },
    **{name: name for name in ("chromium", "git-lfs")},
    "apt-get": "apt",
    "aria2c": "aria2",
    "firefox-esr": "firefox-esr",
    "node": "nodejs",
    "promtool": "prometheus",
    "systemd-analyze": "systemd",
    "systemd-notify": "systemd",
    "systemd-sysusers": "systemd",
    "varnishd": "varnish",
    "pip": "python3-pip",
}
# What a program may be called as well.
ALSO = {"chromium": ("google-chrome",), "firefox-esr": ("firefox",)}
# Debian has daemons where only the PATH of root leads.
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])

_REASON = re.compile(r"needs ([\w.-]+) \(package ([\w.+-]+)\)")


def find(program):
    """The path of a program; None where it is not installed."""
    found = (shutil.which(name, path=PATH) for name in (program, *ALSO.get(program, ())))
    return next(filter(None, found), None)


def reason(program):
    """Why a test is skipped that needs this program."""
    return f"needs {program} (package {PACKAGES[program]})"


def needs(*programs):
    """A mark for tests that run these programs."""
    missing = [program for program in programs if find(program) is None]
    return pytest.mark.skipif(bool(missing), reason=", ".join(map(reason, missing)))


def skip_without(program):
    """Skip the test that calls this, where the program is not installed."""
    if find(program) is None:
        pytest.skip(reason(program))


def skip_instead(error):
    """A skip in the place of the error of starting a program that is not installed, or None."""
    name = Path(os.fsdecode(error.filename)).name if _names_a_file(error) else ""
    if name in PACKAGES and find(name) is None:
        return pytest.skip.Exception(reason(name))
    return None


def _names_a_file(error):
    return isinstance(error, FileNotFoundError) and isinstance(error.filename, str | bytes)


def summary(reasons):
    """One line for the end of a run, from the reasons of all skipped tests; "" where none needs a
    program."""
    found = [_REASON.findall(text) for text in reasons]
    count = sum(map(bool, found))
    pairs = {pair for each in found for pair in each}
    if not pairs:
        return ""
    programs = ", ".join(sorted({program for program, _ in pairs}))
    packages = " ".join(sorted({package for _, package in pairs}))
    tests = "1 test needs" if count == 1 else f"{count} tests need"
    return f"{tests} {programs}: apt-get install {packages}"
