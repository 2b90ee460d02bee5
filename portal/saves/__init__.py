"""Save files of ICARUS: read, described, edited, written. Pure: no I/O, nothing kept.

What a worker process calls is here: bytes and plain values go in and come out, and every fault
is a `SaveError`.
"""

from dataclasses import dataclass

from portal.jsontypes import JSON, JSONObject
from portal.saves import mounts, prospects
from portal.saves.document import read_document
from portal.saves.tool import Save, Tool, check_kind, write

TOOLS: dict[str, Tool] = {tool.name: tool for tool in (mounts.TOOL, prospects.TOOL)}


@dataclass(frozen=True, slots=True)
class Written:
    """A changed file, what changed, and what is in it now (plain values)."""

    content: bytes
    changes: list[JSONObject]
    description: JSONObject


def read(name: str, content: bytes) -> Save:
    """Read a file with the tool of that name. Raises `SaveError`, `WrongToolError`."""
    document = read_document(content)
    check_kind(TOOLS[name], document, tuple(TOOLS.values()))
    return TOOLS[name].read(document)


def describe(name: str, content: bytes) -> JSONObject:
    """What is in a file."""
    return read(name, content).describe()


def preview(name: str, content: bytes, edits: JSON) -> list[JSONObject]:
    """What edits would change. Raises `EditError`."""
    return [change.plain() for change in read(name, content).edit(edits).changes]


def change(name: str, content: bytes, edits: JSON) -> Written:
    """The changed file, read again and compared with what was asked for.

    Edits that change nothing give the file back byte for byte.
    """
    save = read(name, content)
    edited = save.edit(edits)
    changes = [change.plain() for change in edited.changes]
    if not changes:
        return Written(content, [], save.describe())
    content, description = write(edited, lambda new: read(name, new))
    return Written(content, changes, description)
