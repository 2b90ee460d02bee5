"""Recognition of files by their content: what a file is that is not the save that was asked for.

The game writes a dozen JSON files beside each other, and players send any of them, or what a
browser, an archiver or a full disk made of one. Keys and first bytes tell them apart; no name is
asked for.
"""

from collections.abc import Iterable

# The keys of a JSON object of which all must be there; the file's name; what the game writes in it.
_BY_KEYS: tuple[tuple[frozenset[str], str, str], ...] = (
    (frozenset({"Characters.json"}), "Characters.json", "your characters and their talents"),
    (frozenset({"Loadouts"}), "Loadouts.json", "the equipment that characters took along"),
    (
        frozenset({"CompletedAccolades"}),
        "Accolades.json",
        "what you have been honoured for",
    ),
    (frozenset({"BestiaryTracking"}), "BestiaryData.json", "what you know of animals and fish"),
    (frozenset({"InventoryID", "Items"}), "MetaInventory.json", "the equipment of your workshop"),
    (
        frozenset({"UserID", "MetaResources"}),
        "Profile.json",
        "your currencies and unlocked technology",
    ),
)
_ASSOCIATED = "AssociatedProspects"

_BY_BEGIN: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "This is a gzip archive. Unpack it, and send the file that is in it."),
    (b"7z\xbc\xaf\x27\x1c", "This is a 7z archive. Unpack it, and send the file that is in it."),
    (b"Rar!\x1a\x07", "This is a rar archive. Unpack it, and send the file that is in it."),
    (b"GVAS", "This is a file of Unreal's own (GVAS), in which the game keeps its settings."),
)


def sentence_by_keys(keys: Iterable[str]) -> str | None:
    """What a JSON object is, as a sentence; None for one that is not known."""
    found = frozenset(keys)
    for marks, name, purpose in _BY_KEYS:
        if marks <= found:
            return f"This is {name}, in which the game keeps {purpose}."
    if any(key.startswith(_ASSOCIATED) for key in found):
        return (
            f"This is {_ASSOCIATED}_Slot_….json, in which the game keeps the list of a "
            "character's prospects, not a prospect itself."
        )
    if {"RowStruct", "Rows"} <= found or {"Defaults", "Rows"} <= found:
        return "This is one of the game's data tables, not a save."
    return None


def sentence_by_first_bytes(content: bytes) -> str | None:
    """What a file is that is no JSON, as a sentence; None where its first bytes do not tell."""
    for begin, sentence in _BY_BEGIN:
        if content.startswith(begin):
            return sentence
    head = content[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:9].lower() in (b"<!doctype", b"<?xml ver") or head[:5].lower() == b"<html":
        return "This is a web page, not a save: the download of the file went wrong."
    if head.startswith((b"[/Script/", b"[/script/")):
        return "This is a file of settings (.ini), such as a dedicated server's."
    if head and head[:1] not in (b"{", b"[") and any(byte < 9 for byte in head.replace(b"\0", b"")):
        return "This is a binary file, such as the game's flags.dat, not a save of this kind."
    return None


def sentence_by_last_bytes(content: bytes) -> str | None:
    """What happened to a file that ends in zero bytes, as a sentence; None for any other end."""
    # The last character of UTF-16 has one zero byte itself.
    if not content.endswith(b"\0\0\0"):
        return None
    whole = content.rstrip(b"\0")
    zeros = len(content) - len(whole)
    return (
        f"The file ends in {zeros:,} zero bytes: it was not written to its end, as after a crash "
        "or on a full disk."
    )
