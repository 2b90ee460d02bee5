"""What edits change, in the words of a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from portal.jsontypes import JSON, JSONObject

NAMES = {
    "name": "Name",
    "inside": "Second copy",
    "level": "Level",
    "last_level": "Level last reached",
    "experience": "Experience",
    "sex": "Sex",
    "variation": "Variation",
    "genetics": "Genetics",
    "talents": "Talents",
    "missions": "Mission",
    "difficulty": "Difficulty",
    "hardcore": "Hardcore",
    "privacy": "Who may join",
}


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One line of the table of changes; `note` is a sentence or empty."""

    subject: str
    what: str
    before: str
    after: str
    note: str


def rows(changes: Sequence[JSONObject]) -> list[ChangeRow]:
    """Changes as `portal.saves` gives them (`Change.plain`), for a page.

    A second copy that follows the first has no line of its own, and a note stands once.
    """
    found: list[ChangeRow] = []
    noted = set()
    for change in changes:
        row = _row(change)
        last = found[-1] if found else None
        if (row.subject, row.note) in noted:
            row = replace(row, note="")
        noted.add((row.subject, row.note))
        same = last and (last.what, last.before, last.after) == (
            row.what.removeprefix(f"{NAMES['inside']}: "),
            row.before,
            row.after,
        )
        if last and same and row.what != last.what:
            found[-1] = replace(last, note="In both copies.")
        else:
            found.append(row)
    return found


def _row(change: JSONObject) -> ChangeRow:
    subject, note = str(change["subject"]), str(change["note"])
    keys = change["path"]
    path = [str(key) for key in keys] if isinstance(keys, Sequence) else []
    before, after = change["before"], change["after"]
    if not path:
        before, after = ("–", "a copy") if before is None else ("in the file", "deleted")
        return ChangeRow(subject, "The whole mount", before, after, note)
    if path[0] == "missions":
        return ChangeRow(f"Mission {path[-1]}", "State", shown(before), "not played yet", note)
    what = ": ".join(NAMES.get(key, key) for key in path)
    return ChangeRow(subject, what, shown(before), shown(after), note)


def shown(value: JSON) -> str:
    """A value for a reader."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return f"{len(value)} learned" if value else "none"
    return "–" if value is None else str(value)
