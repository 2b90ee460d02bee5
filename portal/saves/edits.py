"""What is asked for, checked: an edit is a plain object, `{"edit": "rename", "mount": 1, …}`.

Every refusal is an `EditError` that names the edit, the field and the values it may have.
"""

import re
import unicodedata
from collections.abc import Mapping

from portal.jsontypes import JSON
from portal.saves.errors import EditError

MAX_EDITS = 500  # of one file; each costs some 2 ms
MAX_NAME = 64  # characters; the game's own limit is not known
_IDENTIFIER = re.compile(rf"[A-Za-z0-9_]{{1,{MAX_NAME}}}")
_UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}  # control characters, surrogates, separators of lines


class Edit:
    """One edit; `kind` is its name. Each reader checks one field and gives its value."""

    def __init__(self, asked: JSON, kinds: Mapping[str, frozenset[str]]) -> None:
        """Check the name and the names of the fields; `kinds` are the fields of each edit."""
        if not isinstance(asked, Mapping) or not isinstance(asked.get("edit"), str):
            raise EditError('An edit is an object with its name, such as {"edit": "…"}.')
        self.kind = str(asked["edit"])
        if self.kind not in kinds:
            raise EditError(f"There is no edit “{shown(self.kind)}”, only {listed(kinds)}.")
        self._fields = {str(key): value for key, value in asked.items() if key != "edit"}
        unknown = sorted(self._fields.keys() - kinds[self.kind])
        if unknown:
            raise EditError(
                f"The edit {self.kind} takes {listed(kinds[self.kind])}, not “{shown(unknown[0])}”."
            )

    def has(self, field: str) -> bool:
        """Whether the field is given."""
        return field in self._fields

    def integer(self, field: str, allowed: range) -> int:
        """A whole number out of `allowed`."""
        return whole(f"{self.kind}: {field}", self._fields.get(field), allowed)

    def integers(self, field: str, names: Mapping[str, object], allowed: range) -> dict[str, int]:
        """An object of whole numbers, each under one of `names`."""
        given = self._fields.get(field)
        if not isinstance(given, Mapping) or not given:
            raise EditError(f"{self.kind}: {field} is an object of {listed(names)}.")
        for name in given:
            if name not in names:
                raise EditError(f"{self.kind}: there is no “{shown(name)}”, only {listed(names)}.")
        return {
            name: whole(f"{self.kind}: {name}", value, allowed) for name, value in given.items()
        }

    def flag(self, field: str) -> bool:
        """True or false."""
        value = self._fields.get(field)
        if not isinstance(value, bool):
            raise EditError(f"{self.kind}: {field} is true or false.")
        return value

    def choice(self, field: str, allowed: tuple[str, ...]) -> str:
        """One of a few names."""
        value = self._fields.get(field)
        if not isinstance(value, str) or value not in allowed:
            raise EditError(f"{self.kind}: {field} is one of {listed(allowed)}.")
        return value

    def text(self, field: str) -> str:
        """A text, whatever it says."""
        value = self._fields.get(field)
        if not isinstance(value, str):
            raise EditError(f"{self.kind}: {field} is a text.")
        return value

    def name(self, field: str) -> str:
        """A name that can be shown: one line, not blank, not longer than `MAX_NAME`."""
        value = self.text(field)
        if not value.strip() or len(value) > MAX_NAME:
            raise EditError(f"{self.kind}: {field} has 1 to {MAX_NAME} characters.")
        if any(unicodedata.category(character) in _UNPRINTABLE for character in value):
            raise EditError(f"{self.kind}: {field} has a character that cannot be shown.")
        return value

    def identifier(self, field: str) -> str:
        """A name as the game's tables have them: ASCII letters, digits and underscores."""
        value = self.text(field)
        if not _IDENTIFIER.fullmatch(value):
            raise EditError(
                f"{self.kind}: {field} has 1 to {MAX_NAME} letters, digits and underscores."
            )
        return value


def read_edits(asked: JSON, kinds: Mapping[str, frozenset[str]]) -> list[Edit]:
    """A list of edits with their fields named; the values are checked when they are read."""
    if not isinstance(asked, list) or not 0 < len(asked) <= MAX_EDITS:
        raise EditError(f"Edits are a list of 1 to {MAX_EDITS}.")
    return [Edit(one, kinds) for one in asked]


def whole(what: str, value: JSON, allowed: range) -> int:
    """A whole number out of `allowed`; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        raise EditError(f"{what} is a whole number from {allowed[0]} to {allowed[-1]}.")
    return value


def shown(text: str) -> str:
    """What was sent, cut and made fit for a sentence."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text[:60])


def listed(names: Mapping[str, object] | frozenset[str] | tuple[str, ...]) -> str:
    """Names for a sentence, in their order; those of a set in the alphabet's."""
    return ", ".join(sorted(names) if isinstance(names, frozenset) else names) or "nothing"
