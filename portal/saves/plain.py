"""What the tools say of a save as plain JSON values: warnings, changes, and fields by path."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.jsontypes import JSON, JSONObject


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is wrong with a save that can be read all the same; the player may go on.

    `code` is for programs: `hash`, `length`, `copies` or `guid`. `remedy` is an edit that mends it.
    """

    code: str
    sentence: str
    remedy: Mapping[str, JSON] | None = None

    def plain(self) -> JSONObject:
        """For a page or a program."""
        found: JSONObject = {"code": self.code, "sentence": self.sentence}
        return found if self.remedy is None else {**found, "remedy": self.remedy}


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit does to one field: `subject` says of what, `path` which field, for a person.

    `before` is None for what is new, `after` for what is taken away; `note` is a sentence that
    the player should see, or empty; `edit` says which edit of the list does it, counted from 1.
    """

    subject: str
    path: tuple[str, ...]
    before: JSON
    after: JSON
    note: str = ""
    edit: int = 1

    def plain(self) -> JSONObject:
        """For a page or a program."""
        return {
            "edit": self.edit,
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
