"""The interface that the tools share: read, describe, edit, write.

A tool is a module with a `Tool`, and one line in `portal.saves.TOOLS`. Everything is pure: bytes
and plain values in and out, no I/O, no state, `SaveError` for every fault.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from portal.jsontypes import JSON, JSONObject
from portal.saves.document import Document
from portal.saves.errors import SaveError
from portal.saves.plain import Change
from portal.saves.rules import Rules

# Where Steam keeps what a Windows game takes for %LOCALAPPDATA%; 1149460 is ICARUS.
PROTON = "~/.steam/steam/steamapps/compatdata/1149460/pfx/drive_c/users/steamuser/AppData/Local"


@dataclass(frozen=True, slots=True)
class Edited:
    """A save with edits that are not written yet.

    `changes` is what will be different; `expected` is the whole description as it must be
    then, worked out from the edits and not from the bytes; `unconfirmed` are sentences about what
    has to be asked for a second time before anything is written.
    """

    changes: tuple[Change, ...]
    expected: JSONObject
    render: Callable[[], bytes]
    unconfirmed: tuple[str, ...] = ()


class Save(Protocol):
    """A save that was read; it does not change."""

    def describe(self) -> JSONObject:
        """What is in it, for pages and programs; under `warnings` what does not match."""

    def edit(self, asked: JSON, rules: Rules) -> Edited:
        """Check a list of edits and say what they change. Raises `EditError`."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One kind of save. `marks` are the keys of the JSON by which it is known.

    `title` says for a person what the files are, `read` makes a save of one. `file_name` is the
    name by which the game looks for it, `places` where that is: (system, path).
    """

    name: str
    title: str
    marks: frozenset[str]
    read: Callable[[Document], Save]
    file_name: str
    places: tuple[tuple[str, str], ...]

    def knows(self, document: Document) -> bool:
        """Whether it is a file of this kind."""
        return not self.marks.isdisjoint(document.root.members)

    def game_name(self, description: JSONObject) -> str:
        """The name by which the game looks for a file, or "" where that is not known."""
        name = description.get("name")
        if "<name>" not in self.file_name:
            return self.file_name
        return self.file_name.replace("<name>", name) if isinstance(name, str) and name else ""

    @property
    def way_there(self) -> str:
        """Where the game keeps such files, as a sentence."""
        places = "; ".join(f"{system}: {path}" for system, path in self.places)
        return f"{self.title[0].upper()}{self.title[1:]} lies here. {places}."


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
