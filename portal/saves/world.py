"""The unpacked part of a prospect: a stream of tags with one record for each thing in the world.

Top level: StateRecorderBlobs, Version, LobbyPrivacy, a second ProspectInfo, ProspectMapName,
LastSavedDateTime. Each of the 1,100 and more records is a class name and an array of bytes that is
a stream of its own; only those of missions, animals and inventories are looked into.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from portal.jsontypes import JSONObject
from portal.saves.errors import DAMAGED, SaveError
from portal.saves.tags import (
    Properties,
    Tag,
    read_properties,
    read_stream,
    read_struct,
    read_structs,
)
from portal.saves.values import read_text

GAME_MODE = "GameModeStateRecorderComponent"
QUESTS = "IcarusQuestManagerRecorderComponent"
TALENTS = "WorldTalentManagerRecorderComponent"
LOOKED_INTO = frozenset({GAME_MODE, QUESTS, TALENTS})
MAX_RECORDERS = 100_000  # the largest save seen has some 1,200
MAX_SAME = 16  # of those that are looked into; a save has one of each
MAX_ELEMENTS = 10_000  # missions, hunts
SHOWN_CLASSES = 100  # a real save has some 60


@dataclass(frozen=True, slots=True)
class World:
    """The unpacked bytes, the top level's tags, its ProspectInfo, and the records of interest.

    `recorders` are the class and the bytes of every record.
    """

    payload: bytes
    top: Properties
    info: Properties
    counts: Counter[str]
    streams: dict[str, list[Properties]]
    recorders: tuple[tuple[str, Tag], ...] = ()

    def text(self, name: str) -> str | None:
        """A text of the top level."""
        return read_text(self.payload, self.top.tags.get(name))

    def structs(self, recorder: str, name: str) -> Iterator[tuple[Tag, Properties]]:
        """The elements of an array in all records of a class, each with its array."""
        for stream in self.streams[recorder]:
            if array := stream.tags.get(name):
                for element in read_structs(self.payload, array, MAX_ELEMENTS):
                    yield array, element

    def records(self, name: str, of: Callable[[str], bool]) -> Iterator[tuple[str, Properties]]:
        """The records, by their class, that name a property; what cannot be read is left out."""
        mark = name.encode() + b"\0"
        for kind, data in self.recorders:
            if of(kind) and self.payload.find(mark, data.value, data.end) >= 0:
                try:
                    record = read_stream(self.payload, data)
                except SaveError:
                    continue
                if name in record.tags:
                    yield kind, record


def read_world(payload: bytes) -> World:
    """Read the tags of the top level and the records' classes."""
    top = read_properties(payload, 0, len(payload))
    info = read_struct(payload, top.tags.get("ProspectInfo"))
    if info is None or "StateRecorderBlobs" not in top.tags:
        raise SaveError("The prospect's world is not in it.", DAMAGED)
    counts: Counter[str] = Counter()
    recorders: list[tuple[str, Tag]] = []
    streams: dict[str, list[Properties]] = {name: [] for name in LOOKED_INTO}
    for recorder in read_structs(payload, top.tags["StateRecorderBlobs"], MAX_RECORDERS):
        name = read_text(payload, recorder.tags.get("ComponentClassName")) or ""
        short = name.rpartition(".")[2]
        counts[short] += 1
        if "BinaryData" in recorder.tags:
            recorders.append((short, recorder.tags["BinaryData"]))
        if short in streams and "BinaryData" in recorder.tags:
            if counts[short] > MAX_SAME:
                raise SaveError(f"The prospect has more than {MAX_SAME} {short}s.", DAMAGED)
            streams[short].append(read_stream(payload, recorder.tags["BinaryData"]))
    return World(payload, top, info, counts, streams, tuple(recorders))


def describe_recorders(world: World) -> JSONObject:
    """How many records there are, and of each class, the most frequent first."""
    shown = world.counts.most_common(SHOWN_CLASSES)
    return {"total": world.counts.total(), "classes": dict(shown)}
