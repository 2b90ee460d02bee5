"""Worker processes: what a hostile file or a hostile worker can do."""

import asyncio
import json
import logging
import os
import random
import signal
import sys
import time

import pytest

from portal.errors import Unavailable
from portal.saves.errors import SaveError
from portal.workers import pool as workers
from tests.support import saves as made
from tests.support.engines import HARDER, OK, SECRET, changed, script, using
from tests.support.largesaves import large_prospect


@pytest.fixture(scope="module")
def prospect():
    return made.prospect_json(name=SECRET)


@pytest.fixture(scope="module")
def large():
    return large_prospect()


def test_a_file_that_takes_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "FILE_SECONDS", 0.5)
    hang = script(tmp_path, "while True: ask(); time.sleep(60)\n")

    async def test(engine):
        begun = time.monotonic()
        with pytest.raises(SaveError, match="longer"):
            await engine.describe("pets", b"{}")
        assert 0.4 < time.monotonic() - begun < 1.5
        await asyncio.sleep(0.3)
        assert engine.pids == []

    using(test, arguments=hang)


@pytest.mark.parametrize("spell", ["take(5); time.sleep(60)", "ask(); tick()"])
def test_reading_or_answering_by_the_byte_takes_too_long(tmp_path, monkeypatch, spell):
    monkeypatch.setattr(workers, "FILE_SECONDS", 0.5)
    tick = "def tick():\n    while True: os.write(1, b'x'); time.sleep(0.05)\n"

    async def test(engine):
        with pytest.raises(SaveError):
            await engine.describe("pets", bytes(8 << 20))

    using(test, arguments=script(tmp_path, f"{tick}{spell}\n"))


def test_a_worker_ends_itself_where_nobody_does(prospect):
    """Its alarm is the last resort, for a parent that is stopped, say."""
    sleepy = changed("child.CPU_SECONDS = 1", "saves.describe = lambda *_: time.sleep(60)")

    async def test(engine):
        begun = time.monotonic()
        with pytest.raises(SaveError, match="breaks down"):
            await engine.describe("prospects", prospect)
        assert 1.9 < time.monotonic() - begun < 3.8  # two workers, a second each

    using(test, arguments=sleepy)


def test_a_file_that_takes_too_much_memory(prospect):
    eat = changed(
        "read = saves.describe",
        "saves.describe = lambda tool, content:"
        " bytearray(2 << 30) if content == b'eat' else read(tool, content)",
    )

    async def test(engine):
        with pytest.raises(SaveError, match="memory"):
            await engine.describe("prospects", b"eat")
        await engine.describe("prospects", prospect)

    using(test, arguments=eat)


def test_the_largest_save_needs_less_than_the_limit():
    """16 MiB that unpack to 127, with a character that makes four bytes of each in Python."""
    noise = random.Random(1).randbytes(20_000) + bytes(230_000)  # noqa: S311
    record = made.recorder("KComponent", made.tag("Noise", "X", noise))
    largest = made.prospect_json(made.payload([record] * 530, name="\U0001f40e"), name="\U0001f40e")
    blob = json.loads(largest)["ProspectBlob"]
    assert blob["UncompressedLength"] > 120 << 20

    async def test(engine):
        written = await engine.change("prospects", largest, HARDER)
        assert len(written.changes) >= 1

    using(test)


def test_a_worker_that_is_killed_is_replaced_and_its_file_is_read(prospect, large):
    async def test(engine):
        await engine.describe("prospects", prospect)
        (pid,) = engine.pids
        reading = asyncio.create_task(engine.describe("prospects", large))
        await asyncio.sleep(0.03)
        os.kill(pid, signal.SIGKILL)
        assert (await reading)["tool"] == "prospects"
        assert engine.pids != [pid]

    using(test)


GARBAGE = {
    "dies": "ask(); sys.exit(3)",
    "aborts": "ask(); os.abort()",
    "prints": "ask(); os.write(1, b'x' * 100)",
    "too long": "n = ask()[0]; os.write(1, H.pack(n, 1 << 31, 0)); time.sleep(60)",
    "too much content": "n = ask()[0]; os.write(1, H.pack(n, 0, 1 << 31)); time.sleep(60)",
    "cut off": "n = ask()[0]; os.write(1, H.pack(n, 100, 0) + b'{'); sys.exit()",
    "another's answer": f"ask(); tell(b'12345678', [{OK}, ['description', 'a', 1]])",
    "no JSON": "tell(ask()[0], b'{{')",
    "deep JSON": "tell(ask()[0], b'{}\\n[\"description\", \"a\", ' + b'[' * 200000)",
    "a long line": f"tell(ask()[0], [{OK}, ['description', 'a', 'x' * 300000]])",
    "a pickle": "import pickle; tell(ask()[0], pickle.dumps({}))",
    "a list": "tell(ask()[0], [[]])",
    "no outcome": "tell(ask()[0], [{}])",
    "wrong types": f"tell(ask()[0], [{OK}, ['description', None, [1]]])",
    "another field": f"tell(ask()[0], [{OK}, ['changes', None, []]])",
    "a field twice": f"tell(ask()[0], [{OK}, ['description', 'a', 1], ['description', 'a', 2]])",
    "odd sentence": "tell(ask()[0], [{'outcome': 'error', 'kind': 'SaveError', 'sentence': 1}])",
    "odd tool": "tell(ask()[0], [{'outcome': 'error', 'kind': 'WrongToolError', 'tool': '../x'}])",
    "odd error": "tell(ask()[0], [{'outcome': 'error', 'kind': 'SystemExit'}])",
}


@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_a_sentence_after_a_second_try(tmp_path, body, caplog):
    async def test(engine):
        with pytest.raises(SaveError, match="breaks down"):
            await engine.describe("pets", b"{}")

    using(test, arguments=script(tmp_path, f"{body}\ntime.sleep(1)\n"))
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 2


def test_an_answer_left_behind_reaches_nobody(tmp_path):
    """A worker that was taken over by one file answers the next request before it comes."""
    body = f"n = ask()[0]; tell(n, [{OK}]); tell(n, [{OK}, ['description', 'stolen', 1]])\n"
    body += f"n = ask()[0]; tell(n, [{OK}]); time.sleep(60)\n"

    async def test(engine):
        assert await engine.describe("pets", b"1") == {}
        (pid,) = engine.pids
        assert await engine.describe("pets", b"2") == {}
        assert engine.pids != [pid]

    using(test, processes=1, arguments=script(tmp_path, body))


def test_no_worker_at_all_is_no_fault_of_the_file():
    for arguments in (["/nonexistent"], [sys.executable, "-c", "1"], ["/bin/echo", "readyx"]):

        async def test(engine):
            with pytest.raises(Unavailable):
                await engine.describe("pets", b"{}")

        using(test, arguments=arguments)


def test_a_fault_of_ours_is_logged_by_its_place_alone(tmp_path, caplog):
    fail = changed("saves.describe = lambda tool, content: {}[content.decode()]")
    path = tmp_path / "odd.py"
    path.write_text(fail[-1])

    async def test(engine):
        with pytest.raises(SaveError, match="not known"):
            await engine.describe("pets", SECRET.encode())

    using(test, arguments=[*fail[:-2], str(path)])
    assert "KeyError at odd.py:3" in caplog.text
    assert SECRET not in caplog.text


def test_one_hostile_file_does_not_hold_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "FILE_SECONDS", 1.0)
    body = "while True:\n    n, _, c = ask()\n    c == b'hang' and time.sleep(60)\n"
    body += f"    tell(n, [{OK}])\n"

    async def test(engine):
        hanging = asyncio.create_task(engine.describe("pets", b"hang"))
        await asyncio.sleep(0.1)
        for _ in range(20):
            assert await engine.describe("pets", b"fine") == {}
        assert not hanging.done()
        with pytest.raises(SaveError):
            await hanging

    using(test, arguments=script(tmp_path, body))
