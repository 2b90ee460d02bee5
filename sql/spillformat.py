"""File format of spill files.

A header, then records one after another, then whatever was there before:

    header   magic, a random id, crc32 of both
    record   marker (the id's first 8 bytes), length of the payload, events in it, earliest time,
             crc32 of all that and of the whole id, payload

A file that gets a new id has no valid record any more. Numbers are little-endian.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from sql.batch import Batch

_MAGIC = b"portalspill1"
_HEADER = struct.Struct("<12s16sI")
_RECORD = struct.Struct("<8sIIQI")
_MARKER = 8
_CRC = 4
FIRST = _HEADER.size


class SpilledBatch(NamedTuple):
    """A batch at the bytes `start` to `end` of a file; `spill` is the file's id in hexadecimal."""

    spill: str
    start: int
    end: int
    events: int
    time: int
    payload: bytes


def header(spill: bytes) -> bytes:
    """The first bytes of a file of that id (16 bytes)."""
    return _HEADER.pack(_MAGIC, spill, zlib.crc32(_MAGIC + spill))


def read_header(data: bytes) -> bytes | None:
    """The id; None where there is none or it is damaged."""
    if len(data) < FIRST:
        return None
    magic, spill, crc = _HEADER.unpack_from(data)
    return bytes(spill) if magic == _MAGIC and crc == zlib.crc32(magic + spill) else None


def pack(spill: bytes, batch: Batch) -> bytes:
    """A record that is valid in files of that id."""
    fields = spill[:_MARKER], len(batch.payload), batch.events, batch.time
    head = _RECORD.pack(*fields, 0)[:-_CRC]
    return _RECORD.pack(*fields, _crc(spill, head, batch.payload)) + batch.payload


def scan(data: bytes, spill: bytes, start: int) -> Iterator[SpilledBatch]:
    """The whole records from that byte of the file on; after damage the marker finds the next."""
    start = data.find(spill[:_MARKER], start)
    while 0 <= start <= len(data) - _RECORD.size:
        _, length, events, time, crc = _RECORD.unpack_from(data, start)
        body = start + _RECORD.size
        payload = data[body : body + length]
        end = body + length
        if crc == _crc(spill, data[start : body - _CRC], payload):
            yield SpilledBatch(spill.hex(), start, end, events, time, payload)
        else:
            end = start + 1
        start = data.find(spill[:_MARKER], end)


def begins(data: bytes, spill: bytes) -> bool:
    """Whether these are the first bytes of a record of that id."""
    return data.startswith(spill[:_MARKER])


def _crc(spill: bytes, head: bytes, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(spill + head))
