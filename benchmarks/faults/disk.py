"""Disks of their own for the portal to write to: one that is small, one that can break."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

TMPFS_BYTES = 64 << 20
IMAGE_BYTES = 96 << 20

# Makes a disk somewhere under a folder; gives where the portal is to write.
Place = Callable[[Path], AbstractContextManager[Path]]


def run(*command: object, check: bool = True) -> str:
    """A program of the system's; its output."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=check
    )
    return done.stdout


def missing() -> str:
    """Why no disk can be mounted here; nothing where one can."""
    programs = ("unshare", "mount", "findmnt", "losetup", "mkfs.ext4", "e2fsck")
    if lacking := [name for name in programs if not shutil.which(name)]:
        return f"no {', '.join(lacking)}"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        return "nothing may be mounted"
    return "" if Path("/dev/loop-control").exists() else "no loop devices"


@contextmanager
def plain(folder: Path) -> Iterator[Path]:
    """No disk of its own."""
    yield folder / "data"


@contextmanager
def tmpfs(folder: Path) -> Iterator[Path]:
    """A small disk in memory; needs root."""
    place = folder / "disk"
    place.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "none", place)
    try:
        yield place / "data"
    finally:
        run("umount", place)


@contextmanager
def image(folder: Path) -> Iterator[Path]:
    """An ext4 on a loop device; needs root. It may be unmounted and mounted again meanwhile."""
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
    """Take every byte that is left; the file that did."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


def abort(place: Path) -> str:
    """Let an ext4 be read-only as after an error, whatever is open there; the device."""
    device = run("findmnt", "-no", "SOURCE", place).strip()
    run("mount", "-o", "remount,abort", place, check=False)
    return device
