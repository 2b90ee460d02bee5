"""Many mounts on one page: a filter, and fields that change all that are picked."""

from collections.abc import Iterator, Mapping, Sequence

from handlers.tools.gamedata import GameData
from portal.jsontypes import JSON, JSONObject
from portal.saves.errors import EditError
from portal.saves.experience import MOUNTS, curve_of
from portal.saves.mount_edits import GENETICS
from portal.uploads.form import Field, number

MIN_TOGETHER = 2
ALL = "all"


def shown_mounts(
    mounts: Sequence[JSONObject], game: GameData, asked: Mapping[str, str]
) -> list[JSONObject]:
    """The mounts that a filter leaves: `q` in names, `species`, `level` (the least)."""
    words = asked.get("q", "").casefold().split()
    level = asked.get("level", "").strip()
    least = int(level[:4]) if level.isascii() and level.isdigit() else 0
    return [
        mount
        for mount in mounts
        if (not asked.get("species") or mount["species"] == asked["species"])
        and (not least or _whole(mount["level"]) >= least)
        and all(word in _haystack(mount, game) for word in words)
    ]


def _haystack(mount: JSONObject, game: GameData) -> str:
    own = (mount[key] for key in ("name", "type", "species", "lineage", "owner"))
    text = " ".join(str(value) for value in own if value)
    return f"{text} {game.name('species', mount['species'])}".casefold()


def _whole(value: JSON) -> int:
    return value if isinstance(value, int) else 0


def together(mounts: Sequence[JSONObject]) -> Iterator[Field]:
    """The fields that change every picked mount; their edits carry the changes in `set`."""
    if len(mounts) < MIN_TOGETHER:
        return
    levels = MOUNTS.levels
    yield Field(
        f"{ALL}-level",
        "Level of all",
        "optional",
        "",
        lambda typed: _set(level=number("Level of all", typed, levels)),
        bounds=(levels[0], levels[-1]),
        hint=f"{levels[0]} to {levels[-1]}. An animal whose species ends lower gets its highest.",
    )
    yield Field(
        f"{ALL}-genes",
        "Every genetic value of all",
        "optional",
        "",
        lambda typed: _set(genes=number("Every genetic value of all", typed, GENETICS)),
        bounds=(GENETICS[0], GENETICS[-1]),
        hint=f"{GENETICS[0]} to {GENETICS[-1]}.",
    )
    yield Field(
        f"{ALL}-reset_talents",
        "Reset the talents of all",
        "check",
        "",
        lambda _: _set(reset_talents=True),
    )


def pick(mount: JSONObject) -> JSONObject:
    """That a mount is picked, with what it can be given together with others."""
    curve, genes = curve_of(mount["species"]), mount["genetics"]
    allowed = mount["edits"] if isinstance(mount["edits"], list) else []
    return {
        "edit": "pick",
        "mount": mount["number"],
        "highest": curve.levels[-1] if curve and "level" in allowed else 0,
        "genes": [name for name, value in genes.items() if value is not None]
        if isinstance(genes, dict)
        else [],
        "talents": "reset_talents" in allowed,
    }


def arrange(edits: list[JSONObject]) -> list[JSONObject]:
    """The edits of a form as they are asked for.

    One edit for all genes, and one for all talents, of a mount; nothing but a copy of what is
    deleted anyway; for each picked mount what all picked are given. Raises `EditError`.
    """
    picked = [edit for edit in edits if edit["edit"] == "pick"]
    changes: dict[str, JSON] = {}
    for edit in edits:
        if edit["edit"] == "together" and isinstance(edit["set"], dict):
            changes |= edit["set"]
    if changes and not picked:
        raise EditError("No mount is picked.", "Tick the mounts that all of this is for.")
    own = [edit for edit in edits if edit["edit"] not in ("pick", "together")]
    return _merged([*own, *(given for one in picked for given in _given(one, changes))])


def _given(picked: JSONObject, changes: Mapping[str, JSON]) -> Iterator[JSONObject]:
    mount, genes = picked["mount"], picked["genes"]
    highest, level = _whole(picked["highest"]), _whole(changes.get("level"))
    if level and highest:
        yield {"edit": "level", "mount": mount, "level": min(level, highest)}
    if "genes" in changes and isinstance(genes, list) and genes:
        values = dict.fromkeys(map(str, genes), changes["genes"])
        yield {"edit": "genetics", "mount": mount, "values": values}
    if "reset_talents" in changes and picked["talents"]:
        yield {"edit": "reset_talents", "mount": mount}


def _merged(edits: list[JSONObject]) -> list[JSONObject]:
    deleted = [edit["mount"] for edit in edits if edit["edit"] == "delete"]
    merged: dict[tuple[JSON, str], dict[str, JSON]] = {}
    arranged: list[JSONObject] = []
    for edit in edits:
        kind, mount = edit["edit"], edit.get("mount")
        if mount in deleted and kind not in ("clone", "delete"):
            continue
        key = {"genetics": "values", "talents": "ranks"}.get(str(kind), "")
        values = edit.get(key)
        if not isinstance(values, dict):
            arranged.append(edit)
        elif (mount, key) in merged:
            merged[mount, key].update(values)
        else:
            merged[mount, key] = dict(values)
            arranged.append({**edit, key: merged[mount, key]})
    # A copy is of what its mount has become, and a deleted one can be copied no more.
    order = {"clone": 1, "delete": 2}
    return sorted(arranged, key=lambda edit: order.get(str(edit["edit"]), 0))


def _set(**changes: JSON) -> JSONObject:
    return {"edit": "together", "mount": 0, "set": changes}
