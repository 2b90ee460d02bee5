"""Save files of ICARUS: read, described, edited, written. Pure: no I/O, no state.

What a worker process calls is here: bytes and plain values go in and come out, and every fault
is a `SaveError`.
"""

from dataclasses import dataclass

from portal.jsontypes import JSON, JSONObject
from portal.saves import mounts, prospects
from portal.saves.errors import EditError
from portal.saves.opening import read_known, unzipped
from portal.saves.rules import NO_RULES, Rules
from portal.saves.tool import Save, Tool, write

TOOLS: dict[str, Tool] = {tool.name: tool for tool in (mounts.TOOL, prospects.TOOL)}


@dataclass(frozen=True, slots=True)
class Written:
    """A changed file, what changed, and what is in it now (plain values)."""

    content: bytes
    changes: list[JSONObject]
    description: JSONObject


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that was sent: what is in it, and where it came in an archive, the file itself.

    `content` and `name` are empty for a file that came alone.
    """

    description: JSONObject
    name: str = ""
    content: bytes = b""


def read(name: str, content: bytes) -> Save:
    """Read a file with the tool of that name. Raises `SaveError`, `WrongToolError`."""
    return TOOLS[name].read(read_known(TOOLS[name], tuple(TOOLS.values()), content))


def open_file(name: str, content: bytes) -> Opened:
    """Read a file, or the one in a zip archive. Raises `SaveError`, `WrongToolError`."""
    member = unzipped(TOOLS[name], tuple(TOOLS.values()), content)
    if member is None:
        return Opened(describe(name, content))
    return Opened(describe(name, member.content), member.name, member.content)


def describe(name: str, content: bytes) -> JSONObject:
    """What is in a file."""
    return read(name, content).describe()


def preview(name: str, content: bytes, edits: JSON, rules: Rules = NO_RULES) -> list[JSONObject]:
    """What edits would change. Raises `EditError`."""
    return [change.plain() for change in read(name, content).edit(edits, rules).changes]


def change(name: str, content: bytes, edits: JSON, rules: Rules = NO_RULES) -> Written:
    """The changed file, read again and compared with what was asked for.

    Edits that change nothing give the file back byte for byte. Raises `EditError`.
    """
    save = read(name, content)
    edited = save.edit(edits, rules)
    if edited.unconfirmed:
        raise EditError(edited.unconfirmed[0])
    changes = [change.plain() for change in edited.changes]
    if not changes:
        return Written(content, [], save.describe())
    content, description = write(edited, lambda new: read(name, new))
    return Written(content, changes, description)
