"""What edits change, in the words of a page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from handlers.tools.gamedata import NO_GAME, GameData
from portal.jsontypes import JSON, JSONObject

NAMES = {
    "name": "Name",
    "inside": "Second copy",
    "level": "Level",
    "last_level": "Level last reached",
    "experience": "Experience",
    "sex": "Sex",
    "variation": "Variation",
    "lineage": "Lineage",
    "genetics": "Genetics",
    "talents": "Talent",
    "guid": "IcarusActorGUID",
    "object": "Name of its object",
    "path": "Path of its object",
    "icon": "Name of its picture",
    "wrong_lengths": "Wrong lengths",
    "length": "Length",
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


@dataclass(frozen=True, slots=True)
class AppliedEdit:
    """One edit of the list that can be taken back: its number from 1, and what it changed."""

    number: int
    rows: list[ChangeRow]


def rows(changes: Sequence[JSONObject], game: GameData = NO_GAME) -> list[ChangeRow]:
    """Changes as `portal.saves` gives them (`Change.plain`), for a page.

    A second copy that follows the first has no line of its own, and a note stands once.
    """
    found: list[ChangeRow] = []
    noted = set()
    for change in changes:
        for row in _rows(change, game):
            last = found[-1] if found else None
            if (row.subject, row.note) in noted:
                row = replace(row, note="")  # noqa: PLW2901 - the same row, without its note
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


def steps(
    edits: Sequence[JSONObject], changes: Sequence[JSONObject], game: GameData
) -> list[AppliedEdit]:
    """The list of edits with the changes that each of them makes, the last edit first."""
    found = [
        AppliedEdit(number, rows([change for change in changes if change["edit"] == number], game))
        for number in range(1, len(edits) + 1)
    ]
    return found[::-1]


def needs_confirmation(changes: Sequence[JSONObject]) -> bool:
    """Whether an animal loses levels by them."""
    return any(
        change["path"] == ["level"]
        and isinstance(change["before"], int)
        and isinstance(change["after"], int)
        and change["after"] < change["before"]
        for change in changes
    )


def _rows(change: JSONObject, game: GameData) -> Iterator[ChangeRow]:
    subject, note = str(change["subject"]), str(change["note"])
    keys = change["path"]
    path = [str(key) for key in keys] if isinstance(keys, Sequence) else []
    before, after = change["before"], change["after"]
    if not path:
        pair = ("–", "a copy") if before is None else ("in the file", "deleted")
        yield ChangeRow(subject, "The whole mount", *pair, note)
    elif path[0] == "missions":
        name = game.name("missions", path[-1])
        yield ChangeRow(f"Mission {name}", "In the history", shown(before), "taken out", note)
    elif path[0] == "hunts":
        name = game.name("talents", path[-1])
        yield ChangeRow(f"Great Hunt {name}", "Completed", f"rank {shown(before)}", "no", note)
    elif path == ["talents"] and isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in before:
            if before[name] != after.get(name):
                what = f"Talent {game.name('talents', name)}"
                ranks = (_rank(before[name]), _rank(after.get(name)))
                yield ChangeRow(subject, what, *ranks, note)
    else:
        what = ": ".join(NAMES.get(key, key) for key in path)
        yield ChangeRow(subject, what, shown(before), shown(after), note)


def _rank(rank: JSON) -> str:
    return "not learned" if rank is None else f"rank {rank}"


def shown(value: JSON) -> str:
    """A value for a reader."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "–" if value is None else str(value)
