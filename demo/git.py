"""Runs the git program without the configuration of the user."""

import os
import subprocess
from pathlib import Path
from typing import IO

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "LC_ALL": "C",
    "TZ": "UTC",  # zip archives hold local times
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    # git would refuse a repository that belongs to another user.
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}


def git(repository: Path, *arguments: str, stdin: IO[bytes] | None = None) -> bytes:
    """Run git in a repository; its output. Raises CalledProcessError, whose stderr says why."""
    # Without a shell, and with the git that is in PATH.
    return subprocess.run(  # nosec B603 B607
        ["git", *arguments],
        cwd=repository,
        env=ENVIRONMENT,
        stdin=stdin or subprocess.DEVNULL,
        capture_output=True,
        check=True,
    ).stdout


def import_history(history: Path, repository: Path) -> None:
    """Make a bare repository of a `git fast-export` stream.

    Dates and names are in the stream, so commit ids are the same on every machine.
    """
    repository.mkdir(parents=True)
    git(repository, "init", "--quiet", "--bare", "--initial-branch=main")
    with history.open("rb") as stream:
        git(repository, "fast-import", "--quiet", stdin=stream)
    for key, value in {
        "uploadpack.allowFilter": "true",
        "uploadpack.allowAnySHA1InWant": "true",
        "http.receivepack": "false",
    }.items():
        git(repository, "config", key, value)


def commit_of(repository: Path, revision: str) -> str | None:
    """The commit id that a tag, branch or id stands for, or None."""
    if revision.startswith("-"):
        return None  # it would be an option and not a revision
    try:
        name = git(repository, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    except subprocess.CalledProcessError:
        return None
    return name.decode().strip()
