"""The list of all edits of a file since it came, so that each of them can be taken back.

The file as it is now is always the one that came with the whole list applied. A page numbers the
mounts that it shows, so new edits of mounts are renumbered to those of the list, in which a deleted
mount keeps its number and a clone takes the next one.
"""

from collections.abc import Sequence

from portal.jsontypes import JSONObject
from portal.saves.errors import EditError

REPAIR = "repair"


def appended(
    earlier: Sequence[JSONObject], new: Sequence[JSONObject], shown: int
) -> list[JSONObject]:
    """The list with new edits; `shown` is how many mounts the file has now."""
    living, count = _living(earlier, shown)
    found = list(earlier)
    numbers = dict(enumerate(living, 1))
    for edit in new:
        number = _mount(edit)
        found.append({**edit, "mount": numbers[number]} if number in numbers else edit)
        if edit.get("edit") == "clone":
            count += 1
            numbers[len(numbers) + 1] = count
    return found


def without(edits: Sequence[JSONObject], index: int, shown: int) -> list[JSONObject]:
    """The list without one edit, and without all that cannot be without it.

    Later edits of a clone go with the clone; everything goes with the repair of a file that could
    not be read. Raises `EditError` for an index that is none.
    """
    if not 0 <= index < len(edits):
        raise EditError(f"There is no change number {index + 1}.")
    edit, before, after = edits[index], list(edits[:index]), edits[index + 1 :]
    if edit.get("edit") == REPAIR and "mount" not in edit:
        return []
    if edit.get("edit") != "clone":
        return [*before, *after]
    number = _count(edits, shown) + sum(each.get("edit") == "clone" for each in before) + 1
    for each in after:
        mount = _mount(each)
        if mount != number:
            before.append({**each, "mount": mount - 1} if mount > number else each)
    return before


def _mount(edit: JSONObject) -> int:
    number = edit.get("mount")
    return number if isinstance(number, int) else 0


def _count(edits: Sequence[JSONObject], shown: int) -> int:
    """How many mounts the file had that came."""
    kinds = [edit.get("edit") for edit in edits]
    return shown + kinds.count("delete") - kinds.count("clone")


def _living(edits: Sequence[JSONObject], shown: int) -> tuple[list[int], int]:
    """The numbers of the mounts that are left, in their order, and how many there ever were."""
    count = _count(edits, shown)
    living = list(range(1, count + 1))
    for edit in edits:
        if edit.get("edit") == "clone":
            count += 1
            living.append(count)
        elif edit.get("edit") == "delete":
            living = [number for number in living if number != edit.get("mount")]
    return living, count
