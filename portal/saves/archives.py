"""Zip archives that players send in the place of the one save in them.

What an archive may cost is bounded before anything is unpacked: the size of its directory, the
number of its files, and the bytes of all that is read. Only stored and deflated files are read.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from portal.saves.errors import OTHER_FILE, SaveError
from portal.saves.limits import FILE_BYTES

MAX_FILES = 1000
MAX_DIRECTORY = 256 << 10  # bytes
MAX_ALL = 48 << 20  # bytes that are unpacked, of all files together
_END = struct.Struct("<4s4H2LH")  # APPNOTE.TXT 4.3.16, end of central directory record
_END_MARK = b"PK\5\6"
_COMMENT = 1 << 16
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 1  # of a file's flags
_ONE = "Send the one file that is meant, unpacked or alone in a zip."


class Member(NamedTuple):
    """One file of an archive: its name without folders, and its content."""

    name: str
    content: bytes


def is_archive(content: bytes) -> bool:
    """Whether it is a zip archive: its first bytes are those of a file or of an empty archive."""
    return content[:4] in (b"PK\3\4", b"PK\5\6", b"PK\7\x08")


def members(content: bytes, marks: tuple[bytes, ...]) -> Iterator[Member]:
    """The files that contain one of `marks`. Raises `SaveError`: damaged, too large, encrypted."""
    _check_directory(content)
    left = MAX_ALL
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist()[:MAX_FILES]:
                if info.is_dir() or info.file_size > FILE_BYTES:
                    continue
                if info.flag_bits & _ENCRYPTED:
                    raise SaveError("The zip archive is encrypted.", _ONE)
                if info.compress_type not in _METHODS:
                    raise SaveError(
                        "The zip archive is packed in a way that is not read here.", _ONE
                    )
                with archive.open(info) as file:
                    unpacked = file.read(min(left, FILE_BYTES) + 1)
                left -= len(unpacked)
                if left < 0 or len(unpacked) > FILE_BYTES:
                    raise SaveError(f"The zip archive holds more than {MAX_ALL >> 20} MiB.", _ONE)
                if any(mark in unpacked for mark in marks):
                    yield Member(info.filename.replace("\\", "/").rpartition("/")[2], unpacked)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, struct.error) as error:
        raise SaveError("The zip archive is cut off or damaged.", OTHER_FILE) from error
    except (NotImplementedError, RuntimeError) as error:
        raise SaveError(
            "The zip archive is packed in a way that is not read here.", _ONE
        ) from error


def _check_directory(content: bytes) -> None:
    """Refuse an archive whose directory alone would take long to read."""
    at = content.rfind(_END_MARK, max(0, len(content) - _COMMENT - _END.size))
    if at < 0 or at + _END.size > len(content):
        raise SaveError("The zip archive is cut off: its end is missing.", OTHER_FILE)
    _, _, _, _, count, size, _, _ = _END.unpack_from(content, at)
    if count > MAX_FILES or size > MAX_DIRECTORY:
        raise SaveError(f"The zip archive holds more than {MAX_FILES:,} files.", _ONE)
