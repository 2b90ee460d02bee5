"""Describes the machine and the program versions of a run in one line."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence

import pycurl

from benchmarks import nginx

_VERSION = re.compile(r"\d+\.\d+[\w.]*")


def line() -> str:
    """The line that is printed."""
    versions = {
        "nginx": _asked(nginx.program(), "-v"),
        "Caddy": _asked(shutil.which("caddy"), "version"),
        "git": _asked(shutil.which("git"), "--version"),
    }
    parts = [
        f"{os.cpu_count()} cores",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
        f"libcurl {pycurl.version_info()[1]}",
        *(f"{name} {version}" for name, version in versions.items()),
    ]
    return ", ".join(parts)


def _asked(program: str | None, *arguments: str) -> str:
    if program is None:
        return "-"
    command: Sequence[str] = [program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    match = _VERSION.search(done.stdout + done.stderr)
    return match[0] if match else "?"
