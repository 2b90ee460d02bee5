"""Separate file systems for the portal's data: a small one, and one that can fail."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

TMPFS_BYTES = 64 << 20
IMAGE_BYTES = 96 << 20

# Mounts a file system below a folder; yields the folder in which the portal is to write.
Place = Callable[[Path], AbstractContextManager[Path]]


def run(*command: object, check: bool = True) -> str:
    """Run a system program; its output."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=check
    )
    return done.stdout


def missing() -> str:
    """Why nothing can be mounted here; empty if it can."""
    programs = ("unshare", "mount", "findmnt", "losetup", "mkfs.ext4", "e2fsck")
    if lacking := [name for name in programs if not shutil.which(name)]:
        return f"no {', '.join(lacking)}"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        return "nothing may be mounted"
    return "" if Path("/dev/loop-control").exists() else "no loop devices"


@contextmanager
def plain(folder: Path) -> Iterator[Path]:
    """A plain folder."""
    yield folder / "data"


@contextmanager
def tmpfs(folder: Path) -> Iterator[Path]:
    """A small tmpfs; needs root."""
    place = folder / "disk"
    place.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "none", place)
    try:
        yield place / "data"
    finally:
        run("umount", place)


@contextmanager
def image(folder: Path) -> Iterator[Path]:
    """An ext4 on a loop device; needs root. It may be unmounted and mounted again in between."""
    place, file = folder / "disk", folder / "image"
    place.mkdir()
    with file.open("wb") as made:
        made.truncate(IMAGE_BYTES)
    run("mkfs.ext4", "-q", file)
    device = run("losetup", "--find", "--show", file).strip()
    try:
        run("mount", device, place)
        yield place / "data"
    finally:
        run("umount", place, check=False)
        run("losetup", "--detach", device)


def fill(place: Path) -> Path:
    """Fill the disk with one file; that file."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


def abort(place: Path) -> str:
    """Make an ext4 read-only as after a disk error, even with open files; its device."""
    device = run("findmnt", "-no", "SOURCE", place).strip()
    run("mount", "-o", "remount,abort", place, check=False)
    return device
