"""Invented saves: property tags, Mounts.json and prospects, written without the portal's code.

An edited file is compared with one that was built with the other value, byte for byte.
"""

import base64
import hashlib
import json
import struct
import zlib

from hypothesis import settings

# A busy machine is no failure: no test here says how long it may take.
settings.register_profile("portal", deadline=None)
settings.load_profile("portal")

NO_GUID = bytes(16)


def fstring(text):
    if not text:
        return struct.pack("<i", 0)
    if text.isascii():
        return struct.pack("<i", len(text) + 1) + text.encode() + b"\0"
    units = text.encode("utf-16-le") + b"\0\0"
    return struct.pack("<i", -len(units) // 2) + units


def tag(name, type_, value, extras=b"", size=None, slot=0, guid=b"\0"):
    size = len(value) if size is None else size
    return fstring(name) + fstring(type_) + struct.pack("<ii", size, slot) + extras + guid + value


def integer(name, value, **more):
    return tag(name, "IntProperty", struct.pack("<i", value), **more)


def wide(text):
    """A text in UTF-16, even where one byte a character would do."""
    return struct.pack("<i", -len(text) - 1) + f"{text}\0".encode("utf-16-le")


def text(name, value, type_="StrProperty"):
    return tag(name, type_, fstring(value))


def row(name, value):
    return text(name, value, "NameProperty")


def enum(name, kind, value):
    return tag(name, "EnumProperty", fstring(f"{kind}::{value}"), fstring(kind))


def flag(name, value):
    return tag(name, "BoolProperty", b"", bytes([value]))


def closed(*tags):
    return b"".join(tags) + fstring("None")


def structure(name, kind, *tags):
    return tag(name, "StructProperty", closed(*tags), fstring(kind) + NO_GUID)


def structures(name, kind, elements):
    inner = tag(name, "StructProperty", b"".join(elements), fstring(kind) + NO_GUID)
    value = struct.pack("<i", len(elements)) + inner
    return tag(name, "ArrayProperty", value, fstring("StructProperty"))


def octets(name, content):
    value = struct.pack("<i", len(content)) + content
    return tag(name, "ArrayProperty", value, fstring("ByteProperty"))


def stream(*tags):
    return closed(*tags) + bytes(4)


MOUNT = {
    "name": "Clover",
    "inside": None,  # the record's own name, where it is another
    "wide": False,  # whether that is spelled in UTF-16
    "level": 12,
    "species": "Mount_Heron",
    "type": "Heron",
    "experience": 20_000,
    "genetics": {"Vitality": 3, "Agility": 5},
    "talents": {"Swift_Heron": 2, "Calm_Heron": 1},
    "sex": 1,
    "lineage": "Wild",
    "variation": 0,
    "guid": 4100,
    "number": 2147400000,
    "owner": "Ada",
    "body": None,  # how ActorPathName ends, where it is not the object's name
}


def mount_record(**fields):
    mount = MOUNT | fields
    body = f"BP_{mount['species']}_C_{mount['number']}"
    return stream(
        structures("StomachContents", "Stomach", []),
        tag(
            "MountName",
            "StrProperty",
            (wide if mount["wide"] else fstring)(mount["inside"] or mount["name"]),
        ),
        structure("OwnerCharacterID", "Owner", text("PlayerID", "1"), integer("ChrSlot", 0)),
        text("OwnerName", mount["owner"]),
        tag("Mystery", "FuturisticProperty", b"\x07\x00None\xff"),
        structures(
            "Talents",
            "Talent",
            [
                closed(text("TalentRowName", name), integer("TalentRank", rank))
                for name, rank in mount["talents"].items()
            ],
        ),
        integer("Experience", mount["experience"]),
        structures(
            "Genetics",
            "Gene",
            [
                closed(row("GeneticValueName", name), integer("Value", value))
                for name, value in mount["genetics"].items()
            ],
        ),
        integer("Sex", mount["sex"], guid=b"\1" + bytes(range(16))),
        integer("Variation", mount["variation"]),
        row("Lineage", mount["lineage"]),
        text("MotherName", ""),
        text("FatherName", "Ölwin"),
        row("AISetupRowName", mount["species"]),
        structure("CharacterRecord", "Character", integer("CurrentHealth", 77)),
        structure("ActorTransform", "Transform", tag("Scale", "FloatProperty", bytes(4))),
        integer("IcarusActorGUID", mount["guid"]),
        row("ObjectFName", body),
        structures(
            "IntVariables",
            "IntVariable",
            [
                closed(row("VariableName", "CosmeticSkinIndex"), integer("iVariable", -1)),
                closed(
                    row("VariableName", "LastLevelAchieved"), integer("iVariable", mount["level"])
                ),
            ],
        ),
        text("ActorPathName", f"/Game/Maps/Hill.Hill:PersistentLevel.{mount['body'] or body}"),
    )


def mounts_json(*mounts, style=None, mark=b"", codec="utf-8"):
    """Mounts as the game writes them; a record of one's own goes in as `record`."""
    style = style or {}
    saved, records = [], []
    for fields in mounts:
        mount = MOUNT | fields
        records.append(fields.get("record") or mount_record(**{"record": None} | fields))
        saved.append(
            {
                "DatabaseGUID": "noguid",
                "RecorderBlob": {"ComponentClassName": "/Script/X.Mount", "BinaryData": "@@"},
                "MountName": mount["name"],
                "MountLevel": mount["level"],
                "MountType": mount["type"],
                "MountIconName": str(mount["guid"]),
            }
        )
    written = game_json({"SavedMounts": saved}, style)
    for record in records:
        numbers = style.get("comma", ", ").join(map(str, record))
        blank = style.get("blank", " ")
        written = written.replace('"@@"', f"[{blank}{numbers}{blank}]", 1)
    return mark + written.encode(codec)


def game_json(value, style):
    dumped = json.dumps(value, indent=style.get("indent", "\t"), ensure_ascii=False)
    return dumped.replace("\n", style.get("newline", "\r\n"))


WORLD = {
    "difficulty": "Medium",
    "inside": None,  # the world's own difficulty, where it is another
    "hardcore": False,
    "privacy": "FriendsOnly",
    "missions": {"Hill_Active": 0, "Hill_Done": 1, "Hill_Left": 2, "Hill_Lost": 3, "Hill_Odd": 9},
    "hunts": {"Hunt_Ape": 2},
    "active": "Hill_Active",
    "name": "Höhle",
    "faction": "",
    "saved": 638_000_000_000_000_000,
    "saved_as": "DateTime",
}


def recorder(name, *tags):
    return closed(
        text("ComponentClassName", f"/Script/Icarus.{name}"), octets("BinaryData", stream(*tags))
    )


def recorders(world):
    history = world["missions"]  # a mapping, or a list of pairs for one that stands twice
    missions = [
        closed(text("Mission", name), integer("Status", status), integer("MissionEndTime", 500))
        for name, status in (history.items() if isinstance(history, dict) else history)
    ]
    ranks = world["hunts"].items()
    hunts = [closed(row("RowName", name), integer("Rank", rank)) for name, rank in ranks]
    yield recorder("StoneRecorderComponent", integer("Amount", 3))
    yield recorder(
        "GameModeStateRecorderComponent",
        structure("GameModeRecord", "Record", integer("Seed", 5)),
        structures("MissionHistory", "History", missions),
    )
    quest = [] if world["active"] is None else [row("FactionMissionName", world["active"])]
    yield recorder("IcarusQuestManagerRecorderComponent", *quest)
    yield recorder(
        "WorldTalentManagerRecorderComponent", structures("WorldTalentRecords", "Talent", hunts)
    )
    yield recorder("StoneRecorderComponent", integer("Amount", 4))


def world_difficulty(world):
    if world["inside"] == "":
        return b""  # the world does not say
    return enum("Difficulty", "EMissionDifficulty", world["inside"] or world["difficulty"])


def payload(more=(), **fields):
    world = WORLD | fields
    return closed(
        structures("StateRecorderBlobs", "Blob", [*recorders(world), *more]),
        integer("Version", 2),
        enum("LobbyPrivacy", "ELobbyPrivacy", world["privacy"]),
        structure(
            "ProspectInfo",
            "Info",
            text("ProspectID", world["name"]),
            text("FactionMissionDTKey", world["faction"]),
            world_difficulty(world),
            flag("NoRespawns", world["hardcore"]),
        ),
        text("ProspectMapName", "Terrain_900"),
        tag(
            "LastSavedDateTime",
            "StructProperty",
            world["saved"].to_bytes(8, "little", signed=True),
            fstring(world["saved_as"]) + NO_GUID,
        ),
    )


def blob(content, **other):
    packed = zlib.compress(content, 6)
    return {
        "Key": "actors",
        "Hash": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "TotalLength": len(packed),
        "DataLength": len(packed),
        "UncompressedLength": len(content),
        "BinaryBlob": base64.b64encode(packed).decode(),
    } | other


def prospect_json(content=None, style=None, mark=b"", codec="utf-8", packed=None, **fields):
    world = WORLD | fields
    content = payload(**fields) if content is None else content
    info = {
        "ProspectID": world["name"],
        "ClaimedAccountID": "7000",
        "LobbyName": "",
        "AssociatedMembers": [
            {"AccountName": "ada", "CharacterName": "Ada", "UserID": "7000", "Settled": False}
        ],
        "Difficulty": world["difficulty"],
        "NoRespawns": world["hardcore"],
        "ElapsedTime": 60,
        "CustomSettings": [{"SettingRowName": "SettingsVersion", "SettingValue": 1}],
    }
    file = {"ProspectInfo": info, "ProspectBlob": blob(content, **(packed or {}))}
    return mark + game_json(file, style or {}).encode(codec)
