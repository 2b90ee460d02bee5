"""A save's JSON text: bytes to values with offsets and back, in the encoding that came in."""

import codecs
from dataclasses import dataclass

from portal.saves.errors import DAMAGED, OTHER_FILE, SaveError
from portal.saves.jsontext import Node, parse_json
from portal.saves.splices import replaced

# The game writes UTF-8 without a mark; UTF-16 files exist. The longer marks come first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON file; `mark` are the bytes of its byte order mark, `root` is an object."""

    mark: bytes
    codec: str
    root: Node

    def changed(self, changes: list[tuple[Node, str]]) -> bytes:
        """The file with values replaced by other JSON text; every other byte is the old one."""
        whole = self.root.text
        before, after = whole[: self.root.start], whole[self.root.end :]
        text = before + replaced(self.root, changes) + after
        return self.mark + text.encode(self.codec)


def read_document(content: bytes) -> Document:
    """A file's bytes as JSON. Raises `SaveError`: empty, no text, not JSON, no object."""
    if not content.strip():
        raise SaveError("The file is empty.", OTHER_FILE)
    if not content.strip(b"\0"):
        raise SaveError("The file holds nothing but zeros.", DAMAGED)
    mark, codec = _encoding(content)
    try:
        text = content[len(mark) :].decode(codec)
    except UnicodeDecodeError as e:
        sentence = f"The file is not JSON: byte {len(mark) + e.start} is not {codec.upper()}."
        raise SaveError(sentence, OTHER_FILE) from e
    root = parse_json(text)
    if not root.is_object:
        raise SaveError("The file is JSON, but no save: it is not an object.", OTHER_FILE)
    return Document(mark, codec, root)


def _encoding(content: bytes) -> tuple[bytes, str]:
    """By the mark; without one, JSON's first character is ASCII and shows where the zeros are."""
    for mark, codec in _MARKS:
        if content.startswith(mark):
            return mark, codec
    zeros = (content[:1] == b"\0", content[1:2] == b"\0")
    return b"", {(True, False): "utf-16-be", (False, True): "utf-16-le"}.get(zeros, "utf-8")
