"""A form over a save: what its fields show now, and which edits other values of them mean.

A form that comes back is compared with the save it was made from; only what differs is an edit, so
a save that holds more than the form can say keeps it.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from portal.jsontypes import JSON, JSONObject
from portal.saves.edits import MAX_EDITS, Edit, whole
from portal.saves.errors import EditError

_NEVER_SENT = {"Cc", "Cs"}  # control characters and surrogates, which no browser sends back


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `edit` makes the edit for another value, or raises `EditError`.

    `kind` is "text", "number", "optional" (a number or nothing), "choice" or "check"; `value` what
    the save says ("" or "1" for a box); `options` are the values and names of a choice, `bounds`
    the least and the most number.
    """

    name: str
    label: str
    kind: str
    value: str
    edit: Callable[[str], JSONObject]
    options: tuple[tuple[str, str], ...] = ()
    bounds: tuple[int, int] | None = None
    hint: str = ""


@dataclass(slots=True)
class FormParser:
    """Fields with what was filled in. `errors` are sentences by the field's name."""

    fields: dict[str, Field]
    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    edits: list[JSONObject] = field(default_factory=list)

    def changed(self) -> list[tuple[str, str]]:
        """The names and values that are not the save's."""
        return [(n, v) for n, v in self.values.items() if v != self.fields[n].value]

    def touched(self, prefix: str) -> bool:
        """Whether something was changed, or is wrong, in fields whose names begin so."""
        names = [name for name, _ in self.changed()] + list(self.errors)
        return any(name.startswith(prefix) for name in names)


def fill(fields: list[Field], posted: Mapping[str, str]) -> FormParser:
    """The form with what came back; what did not is as it was."""
    known = {one.name: one for one in fields}
    form = FormParser(known, {name: posted.get(name, one.value) for name, one in known.items()})
    for name, value in form.changed():
        try:
            form.edits.append(known[name].edit(value))
        except EditError as error:
            form.errors[name] = error.sentence
    return form


def check_count(edits: list[JSONObject]) -> None:
    """Raise `EditError` where a form asks for more than goes at once."""
    if len(edits) > MAX_EDITS:
        raise EditError(
            f"These are {len(edits)} changes; {MAX_EDITS} go at once.",
            "Take some of them back, make the others, then go on from there.",
        )


def number(label: str, value: str, allowed: range) -> int:
    """What was typed as a whole number out of `allowed`. Raises `EditError`."""
    text = value.strip()
    digits = text.removeprefix("-")
    is_whole = digits.isascii() and digits.isdigit() and len(digits) <= 12
    return whole(label, int(text) if is_whole else None, allowed)


def name(value: str) -> str:
    """What was typed as a name that the codec takes. Raises `EditError`."""
    try:
        return Edit({"edit": "rename", "name": value}, {"rename": frozenset({"name"})}).name("name")
    except EditError as error:
        raise EditError(f"The name{error.sentence.removeprefix('rename: name')}") from error


def objects(value: JSON) -> list[JSONObject]:
    """The objects of a list in a description."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def as_typed(value: JSON) -> str:
    """A value of a save as a field shows it, and as a browser sends it back."""
    if not isinstance(value, str):
        return "" if value is None else str(value)
    return "".join(c for c in value if unicodedata.category(c) not in _NEVER_SENT)
