"""The interface that the tools share: read, describe, edit, write.

A tool is a module with a `Tool`, and one line in `portal.saves.TOOLS`. Everything is pure: bytes
and plain values in and out, no I/O, no state, `SaveError` for every fault.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from portal.jsontypes import JSON, JSONObject
from portal.saves.document import Document
from portal.saves.errors import OTHER_FILE, SaveError, WrongToolError
from portal.saves.plain import Change


@dataclass(frozen=True, slots=True)
class Edited:
    """A save with edits that are not written yet.

    `changes` is what will be different; `expected` is the whole description as it must be
    then, worked out from the edits and not from the bytes.
    """

    changes: tuple[Change, ...]
    expected: JSONObject
    render: Callable[[], bytes]


class Save(Protocol):
    """A save that was read; it does not change."""

    def describe(self) -> JSONObject:
        """What is in it, for pages and programs; under `warnings` what does not match."""

    def edit(self, asked: JSON) -> Edited:
        """Check a list of edits and say what they change. Raises `EditError`."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One kind of save. `marks` are the keys of the JSON by which it is known.

    `title` says for a person what the files are, `read` makes a save of one.
    """

    name: str
    title: str
    marks: frozenset[str]
    read: Callable[[Document], Save]

    def knows(self, document: Document) -> bool:
        """Whether it is a file of this kind."""
        return not self.marks.isdisjoint(document.root.members)


def check_kind(tool: Tool, document: Document, others: tuple[Tool, ...]) -> None:
    """Raise `WrongToolError` for another tool's file, `SaveError` for nobody's."""
    if tool.knows(document):
        return
    for other in others:
        if other.knows(document):
            raise WrongToolError(f"This is {other.title}, not {tool.title}.", other.name)
    raise SaveError(f"The file is JSON, but not {tool.title}.", OTHER_FILE)


def write(edited: Edited, reread: Callable[[bytes], Save]) -> tuple[bytes, JSONObject]:
    """The changed file and its description, read anew: exactly what was asked for.

    Raises `SaveError` where it is anything else: then nothing is offered.
    """
    content = edited.render()
    found = reread(content).describe()
    if found != edited.expected:
        raise SaveError(
            "The changed file does not read back as it should, so it is not offered.",
            "Please tell us: this save has a form that is not known here yet.",
        )
    return content, found
