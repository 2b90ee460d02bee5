"""Killed at any moment, spilling or replaying: no acknowledged event is lost, and none is twice."""

import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from sql.database import connect
from sql.spill import waiting
from tests.support.events.recording import Place

ROOT = Path(__file__).parent.parent.parent
KILLS = 20
PROGRAM = """
import asyncio, os, sys
from pathlib import Path
from sql import writer
from tests.support.events.recording import Place, request

writer.PATIENCE, writer.DEGRADED_PATIENCE, writer.CHUNK = 0.02, 0.005, 20

async def one(recorder, name):
    number = 0
    while True:
        number += 1
        await recorder.record(request(f"{name}.{number}"))
        os.write(1, f"{name}.{number}\\n".encode())

async def main(recorder):
    await asyncio.gather(*(one(recorder, f"{sys.argv[2]}.{task}") for task in range(8)))

with Place(Path(sys.argv[1])).recorder() as recorder:
    asyncio.run(main(recorder))
"""


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def run_and_kill(place, folder, name, chance):
    """Let it record while the database is locked now and then; what it had acknowledged."""
    with (
        (folder / "acknowledged").open("w+b") as output,
        closing(connect(place.database)) as other,
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder), name], stdout=output, cwd=ROOT
        ) as process,
    ):
        alive_until = time.monotonic() + 0.25 + chance.uniform(0, 0.2)
        while time.monotonic() < alive_until:
            other.execute("begin immediate")
            time.sleep(chance.uniform(0, 0.12))
            other.execute("rollback")
            time.sleep(chance.uniform(0, 0.06))
        if chance.random() < 0.5:
            other.execute("begin immediate")  # it spills
            time.sleep(chance.uniform(0.03, 0.1))
        process.kill()
        process.wait()
        output.seek(0)
        return output.read().decode().splitlines()


def test_kill(place, tmp_path):
    chance, acknowledged, spilled = random.Random(20), [], 0  # noqa: S311
    for number in range(KILLS):
        acknowledged += run_and_kill(place, tmp_path, str(number), chance)
        spilled += waiting(place.spills, place.database) > 0
    place.record()
    assert waiting(place.spills, place.database) == 0
    recorded = Counter(place.assets())
    assert recorded.keys() >= set(acknowledged)
    assert set(recorded.values()) == {1}
    assert len(acknowledged) > 1000
    assert spilled > 2  # or this test shows little
    assert place.rows("select sum(count) from download_totals") == [(len(recorded),)]
