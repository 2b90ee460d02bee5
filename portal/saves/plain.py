"""Plain JSON values: what the tools tell pages and programs, and what they are told."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.jsontypes import JSON, JSONObject


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is wrong with a save that can be read all the same; the player may go on.

    `code` is for programs: `hash`, `length` or `copies`.
    """

    code: str
    sentence: str

    def plain(self) -> JSONObject:
        """For a page or a program."""
        return {"code": self.code, "sentence": self.sentence}


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit does to one field: `subject` says of what, `path` which field, for a person.

    `before` is None for what is new, `after` for what is taken away; `note` is a sentence that
    the player should see, or empty.
    """

    subject: str
    path: tuple[str, ...]
    before: JSON
    after: JSON
    note: str = ""

    def plain(self) -> JSONObject:
        """For a page or a program."""
        return {
            "subject": self.subject,
            "path": list(self.path),
            "before": self.before,
            "after": self.after,
            "note": self.note,
        }


def get(description: JSON, path: tuple[str, ...]) -> JSON:
    """A field of a description, however deep; None where there is none."""
    for key in path:
        description = description.get(key) if isinstance(description, Mapping) else None
    return description


def put_all(description: JSONObject, fields: Mapping[tuple[str, ...], JSON]) -> JSONObject:
    """A copy of a description with some fields of it, however deep, set."""
    for path, value in fields.items():
        description = _put(description, path, value)
    return description


def _put(description: Mapping[str, JSON], path: tuple[str, ...], value: JSON) -> JSONObject:
    if len(path) > 1:
        inner = description[path[0]]
        value = _put(inner if isinstance(inner, Mapping) else {}, path[1:], value)
    return {**description, path[0]: value}
