"""Uploaded files: limits over all processes, expiry, two tabs, crashes, a full disk."""

import asyncio
import fcntl
import os
import re
import stat

import pytest

from portal.errors import Conflict, Gone, NotFound, TooLarge, TooMany, Unavailable
from portal.uploads import folder as upload_folder
from portal.uploads.store import UploadLimits, Uploads, safe_name

ADA, BEN = "a" * 64, "b" * 64
LIMITS = UploadLimits(client_files=3, client_bytes=5000, total_bytes=9000, file_bytes=4000)


class Clock:
    """Time that the test sets."""

    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def uploads(tmp_path, clock):
    return Uploads(tmp_path / "uploads", LIMITS, clock)


def run(awaitable):
    return asyncio.run(awaitable)


def keep(uploads, content=b"{}", client=ADA, name="Mounts.json"):
    return run(uploads.keep(client, "pets", name, content))


def test_comes_back(uploads):
    kept = keep(uploads, b"line\n\0line")
    assert re.fullmatch("[0-9a-f]{32}", kept.id)
    assert (kept.name, kept.size, kept.version) == ("Mounts.json", 10, 0)
    assert run(uploads.read(kept.id, "pets")) == (kept, b"line\n\0line")
    assert keep(uploads).id != kept.id


def test_only_the_owner_of_the_disk_may_look(uploads, tmp_path):
    (tmp_path / "uploads").mkdir(mode=0o755)
    before = os.umask(0)
    try:
        kept = keep(uploads)
        run(uploads.save_edited(kept.id, "pets", b"new", 0))
    finally:
        os.umask(before)
    folder = tmp_path / "uploads"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600, 0o600]


@pytest.mark.parametrize(
    "name", ["", "x", "../" * 10, "A" * 32, "0" * 31, "0" * 33, "0" * 32 + "\n", "é" * 32, "0" * 32]
)
def test_other_names_are_not_found(uploads, name):
    keep(uploads)
    with pytest.raises(NotFound):
        run(uploads.read(name, "pets"))


def test_another_tool_does_not_find_it(uploads):
    kept = keep(uploads)
    with pytest.raises(NotFound):
        run(uploads.read(kept.id, "prospects"))
    with pytest.raises(NotFound):
        run(uploads.save_edited(kept.id, "prospects", b"", 0))


def test_an_edited_copy_is_beside_it(uploads):
    kept = keep(uploads, b"old")
    with pytest.raises(NotFound):
        run(uploads.read_edited(kept.id, "pets"))
    first = run(uploads.save_edited(kept.id, "pets", b"first", 0))
    second = run(uploads.save_edited(kept.id, "pets", b"second", 1))
    assert (first.version, second.version) == (1, 2)
    assert run(uploads.read_edited(kept.id, "pets")) == (second, b"second")
    original, content = run(uploads.read(kept.id, "pets"))
    assert (original.version, content) == (2, b"old")
    assert second.expires_at == kept.expires_at


def test_of_two_tabs_one_is_told(uploads):
    kept = keep(uploads)

    async def both():
        tabs = [uploads.save_edited(kept.id, "pets", bytes([n]), 0) for n in range(8)]
        return await asyncio.gather(*tabs, return_exceptions=True)

    ends = run(both())
    assert sum(isinstance(end, Conflict) for end in ends) == 7
    (done,) = [n for n, end in enumerate(ends) if not isinstance(end, Exception)]
    assert run(uploads.read_edited(kept.id, "pets"))[1] == bytes([done])


def test_a_client_has_a_limit_of_files(uploads, clock):
    for _ in range(3):
        keep(uploads)
        clock.now += 100
    with pytest.raises(TooMany) as error:
        keep(uploads)
    assert error.value.retry_after == 3600 - 300 + 1
    keep(uploads, client=BEN)
    clock.now += error.value.retry_after
    keep(uploads)


def test_a_client_has_a_limit_of_bytes_edited_ones_too(uploads):
    kept = keep(uploads, bytes(3000))
    with pytest.raises(TooMany):
        keep(uploads, bytes(2000))
    with pytest.raises(TooMany):
        run(uploads.save_edited(kept.id, "pets", bytes(2000), 0))
    run(uploads.save_edited(kept.id, "pets", bytes(1500), 0))
    run(uploads.save_edited(kept.id, "pets", bytes(1600), 1))  # in the place of the other


def test_no_equally_light_client_is_evicted(uploads):
    kept = [keep(uploads, bytes(3500), client=client * 64) for client in "abc"[:2]]
    with pytest.raises(Unavailable) as error:
        keep(uploads, bytes(3500), client="c" * 64)
    assert 0 < error.value.retry_after <= 3601
    for upload in kept:
        assert len(run(uploads.read(upload.id, "pets"))[1]) == 3500


def test_the_oldest_untouched_upload_of_the_heaviest_client_goes_first(uploads, clock):
    light = keep(uploads, bytes(3000), client=BEN)
    heavy = []
    for size in (1600, 1500, 1400):
        heavy.append(keep(uploads, bytes(size)))
        clock.now += 10
    run(uploads.save_edited(heavy[0].id, "pets", bytes(10), 0))
    new = keep(uploads, bytes(2000), client="c" * 64)
    # The oldest was edited, so the second went.
    with pytest.raises(NotFound):
        run(uploads.read(heavy[1].id, "pets"))
    for left in (light, heavy[0], heavy[2], new):
        run(uploads.read(left.id, "pets"))


def test_a_client_that_would_be_the_heaviest_evicts_nobody(uploads):
    kept = [keep(uploads, bytes(2000), client=client * 64) for client in "abcd"]
    with pytest.raises(Unavailable):
        keep(uploads, bytes(2000), client=ADA)
    with pytest.raises(Unavailable):
        run(uploads.save_edited(kept[0].id, "pets", bytes(2000), 0))
    assert all(run(uploads.read(each.id, "pets")) for each in kept)


def test_a_folder_full_of_files_makes_room_for_a_light_client(tmp_path, clock):
    limits = UploadLimits(total_files=4)
    uploads = Uploads(tmp_path / "uploads", limits, clock)
    light = keep(uploads, client=BEN)
    heavy = [keep(uploads) for _ in range(3)]
    new = keep(uploads, client="c" * 64)
    run(uploads.read(light.id, "pets"))
    run(uploads.read(new.id, "pets"))
    found = sum(isinstance(end, tuple) for end in _ends(uploads, heavy))
    assert found == 2


def _ends(uploads, kept):
    async def all_of_them():
        reads = [uploads.read(each.id, "pets") for each in kept]
        return await asyncio.gather(*reads, return_exceptions=True)

    return run(all_of_them())


def test_one_file_has_a_limit(uploads):
    with pytest.raises(TooLarge):
        keep(uploads, bytes(4001))


def test_an_hour_is_over_before_anything_is_swept(uploads, clock, tmp_path):
    kept = keep(uploads)
    run(uploads.save_edited(kept.id, "pets", b"new", 0))
    clock.now += 3599
    run(uploads.read(kept.id, "pets"))
    clock.now += 1
    for late in (
        uploads.read(kept.id, "pets"),
        uploads.read_edited(kept.id, "pets"),
        uploads.save_edited(kept.id, "pets", b"", 1),
    ):
        with pytest.raises(Gone):
            run(late)
    assert run(uploads.sweep()) == 2
    assert not list((tmp_path / "uploads").iterdir())
    with pytest.raises(NotFound):
        run(uploads.read(kept.id, "pets"))


def test_what_a_crash_left_is_swept(uploads, clock, tmp_path):
    kept = keep(uploads)
    folder = tmp_path / "uploads"
    old = clock.now - 3601
    for name, at in (
        ("partial", clock.now),
        (f"{'0' * 32}-{ADA}-edited", clock.now + 1000),
        (f"{'1' * 32}-{ADA}", clock.now + 10**6),
        ("stranger", old),
        ("recent", clock.now),
    ):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (at, at))
    (folder / "link").symlink_to(tmp_path)  # older than the test's clock
    assert run(uploads.sweep()) == 5
    left = {path.name for path in folder.iterdir()}
    assert left == {f"{kept.id}-{ADA}", "recent"}
    assert tmp_path.exists()


def test_a_torn_file_is_not_found(uploads, clock, tmp_path):
    keep(uploads)
    torn = tmp_path / "uploads" / f"{'0' * 32}-{ADA}"
    torn.write_bytes(bytes(100))
    os.utime(torn, (clock.now + 10, clock.now + 10))
    with pytest.raises(NotFound):
        run(uploads.read("0" * 32, "pets"))


def test_who_writes_is_alone_and_does_not_wait_for_ever(uploads, tmp_path, monkeypatch):
    """As if another process were stopped while it writes; readers go on."""
    monkeypatch.setattr(upload_folder, "LOCK_SECONDS", 0.1)
    kept = keep(uploads)
    held = os.open(tmp_path / "uploads", os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_SH)
        for write in (
            uploads.keep(ADA, "pets", "x", b""),
            uploads.save_edited(kept.id, "pets", b"", 0),
            uploads.sweep(),
        ):
            with pytest.raises(Unavailable):
                run(write)
        assert run(uploads.read(kept.id, "pets"))[1] == b"{}"
    finally:
        os.close(held)
    keep(uploads)


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path):
    (tmp_path / "uploads").write_text("a file")
    with pytest.raises(Unavailable):
        keep(Uploads(tmp_path / "uploads"))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Mounts.json", "Mounts.json"),
        ("..\\..\\My Prospect.json", "My Prospect.json"),
        ("/etc/passwd", "passwd"),
        ("", "save.json"),
        ("..", "save.json"),
        ('a"b\r\n\0<c>\u202e.json', "a_b_c_.json"),
        ("\ud800x.json", "x.json"),
        ("Höhle.json", "Höhle.json"),
        ("ö" * 300 + ".json", "ö" * 125 + ".json"),
        ("." + "x" * 300, "x" * 255),
    ],
)
def test_names_are_made_safe(name, safe):
    assert safe_name(name) == safe
    assert len(safe.encode()) <= 255
