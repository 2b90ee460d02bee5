"""Opening a file that a player sent: a save, the one in a zip archive, or a sentence why not."""

from portal.saves.archives import Member, is_archive, members
from portal.saves.document import Document, read_document
from portal.saves.errors import DAMAGED, SaveError, WrongToolError
from portal.saves.kinds import sentence_by_first_bytes, sentence_by_keys, sentence_by_last_bytes
from portal.saves.tool import Tool


def unzipped(tool: Tool, tools: tuple[Tool, ...], content: bytes) -> Member | None:
    """The one save of an archive; None for a file that is no archive.

    Raises `SaveError`; `WrongToolError` where the archive holds saves of another tool only.
    """
    if not is_archive(content):
        return None
    marks = tuple(mark for each in tools for mark in _encoded(each))
    found = [(member, _kind(tools, member.content)) for member in members(content, marks)]
    fitting = [member for member, kind in found if kind is tool]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(member.name for member in fitting[:5])
        said = f"There are {len(fitting)} files in the zip archive that fit: {names}."
        raise SaveError(said, "Send the one that is meant, unpacked or alone in an archive.")
    for _, kind in found:
        if kind is not None:
            raise WrongToolError(
                f"The zip archive holds {kind.title}, not {tool.title}.", kind.name
            )
    raise SaveError(f"There is no file in the zip archive that is {tool.title}.", tool.way_there)


def read_known(tool: Tool, tools: tuple[Tool, ...], content: bytes) -> Document:
    """The file as JSON, which is of this kind. Raises `WrongToolError`, `SaveError` that says what
    the file is and where the right one lies."""
    try:
        document = read_document(content)
    except SaveError as error:
        raise _explained(tool, tools, content, error) from error
    if tool.knows(document):
        return document
    for other in tools:
        if other.knows(document):
            raise WrongToolError(f"This is {other.title}, not {tool.title}.", other.name)
    found = sentence_by_keys(document.root.members) or f"The file is JSON, but not {tool.title}."
    raise SaveError(found, tool.way_there)


def _explained(tool: Tool, tools: tuple[Tool, ...], content: bytes, error: SaveError) -> SaveError:
    """What a file is that is no JSON."""
    if not content.strip(b"\0 \t\r\n"):
        return error
    if sentence := sentence_by_first_bytes(content):
        return SaveError(sentence, tool.way_there)
    kind = next((each.title for each in tools if any(m in content for m in _encoded(each))), "")
    sentence = sentence_by_last_bytes(content)
    if sentence is None and not kind:
        return SaveError(
            error.sentence, error.advice if error.advice == DAMAGED else tool.way_there
        )
    begin = f"This looks like {kind} that is damaged. " if kind else ""
    return SaveError(f"{begin}{sentence or error.sentence}", DAMAGED)


def _kind(tools: tuple[Tool, ...], content: bytes) -> Tool | None:
    """The tool whose file this is."""
    try:
        document = read_document(content)
    except SaveError:
        return None
    return next((tool for tool in tools if tool.knows(document)), None)


def _encoded(tool: Tool) -> tuple[bytes, ...]:
    """The marks of a tool as they stand in a file, in either encoding."""
    return tuple(
        f'"{mark}"'.encode(codec) for mark in tool.marks for codec in ("utf-8", "utf-16-le")
    )
