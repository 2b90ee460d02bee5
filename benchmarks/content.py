"""Content for the benchmarks: random files, one repository, a release that links to the files."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.plan import MIB, SMALL_BYTES, Plan
from demo.git import ENVIRONMENT, git

SLUG = "bench"
PROJECT = "bench/bench"
VERSION = "v1.0.0"
ONE, MANY, SMALL = "one.bin", "many.bin", "small.bin"
_DATE = "2026-01-01T00:00:00.000Z"


def write_files(folder: Path, plan: Plan) -> None:
    """Write the files of the release, from random bytes, which cannot be compressed."""
    folder.mkdir()
    for name, size in ((ONE, plan.one_bytes), (MANY, plan.many_bytes), (SMALL, SMALL_BYTES)):
        with (folder / name).open("wb") as file:
            for length in pieces(size):
                file.write(os.urandom(length))


def write_project(folder: Path, files_url: str) -> None:
    """Write the only project of the stand-in GitLab, in the form of `demo.content`."""
    project = folder / SLUG
    project.mkdir(parents=True)
    links = [
        {
            "id": n,
            "name": name,
            "url": f"{files_url}/{name}",
            "filepath": None,
            "link_type": "other",
        }
        for n, name in enumerate((ONE, MANY, SMALL), start=1)
    ]
    release = {"tag_name": VERSION, "name": VERSION, "description": "", "links": links}
    release |= {"released_at": _DATE, "created_at": _DATE}
    documents = {
        "project.json": {"id": 1, "path": PROJECT, "name": "Bench", "description": ""},
        "releases.json": [release],
        "packages.json": [],
    }
    for name, document in documents.items():
        (project / name).write_text(json.dumps(document))
    (folder / "stamp").touch()  # otherwise the stand-in fills the folder with the demo's content


def write_repository(folder: Path, size: int) -> None:
    """Write the repository: one commit, whose blobs make a pack of about `size` bytes."""
    repository = folder / SLUG / "repository.git"
    repository.mkdir()
    git(repository, "init", "--quiet", "--bare", "--initial-branch=main")
    command = ["git", "-c", "core.compression=0", "fast-import", "--quiet"]
    with subprocess.Popen(
        command, cwd=repository, env=ENVIRONMENT, stdin=subprocess.PIPE
    ) as importer:
        assert importer.stdin
        for part in _history(size):
            importer.stdin.write(part)
    if importer.returncode:
        raise subprocess.CalledProcessError(importer.returncode, command)


def _history(size: int) -> Iterator[bytes]:
    """A stream for git fast-import."""
    files = list(enumerate(pieces(size), start=1))
    for mark, length in files:
        yield b"blob\nmark :%d\ndata %d\n" % (mark, length)
        yield os.urandom(length) + b"\n"
    yield b"commit refs/heads/main\ncommitter Bench <bench@example.org> 0 +0000\ndata 5\nfiles\n"
    for mark, _ in files:
        yield b"M 100644 :%d %d.bin\n" % (mark, mark)


def pieces(size: int) -> Iterator[int]:
    """Lengths of at most 1 MiB that add up to `size`."""
    for offset in range(0, size, MIB):
        yield min(MIB, size - offset)
