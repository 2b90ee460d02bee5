"""Whether the portal can write in a folder, tried with a file that has no name."""

import tempfile
from pathlib import Path


def existing(folder: Path) -> Path:
    """The folder, or the nearest above it in which it would be made."""
    folder = folder.absolute()
    return next(one for one in (folder, *folder.parents) if one.exists())


def write_fault(folder: Path) -> str:
    """Write and delete a file; why that fails, "" where it does not."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"probe")
            file.flush()
    except OSError as error:
        return f"no file can be written in {folder}: {error.strerror}"
    return ""
