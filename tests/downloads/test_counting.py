"""Which requests are one download: ranges, resumes, probes, conditions, over real sockets."""

import re
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.http.client import ip_hash
from tests.conftest import LARGE
from tests.support.files import BIG, SMALL
from tests.support.running import ask, begin

LAST = LARGE - 1

# Each case: the requests of one client, as (Range, more headers), and how many downloads they are.
# "-I" stands for a HEAD.
CASES = {
    "two plain GETs from one address are two": ([None, None], 2),
    "a HEAD is none": (["-I"], 0),
    "a HEAD before a GET adds none": (["-I", None], 1),
    "a probe is none and opens no window": (["bytes=0-0", "bytes=0-1023"], 0),
    "a probe, then the file": (["bytes=0-0", None], 1),
    "the end of the file is a probe": (["bytes=-500"], 0),
    "range first and first byte last": ([f"bytes=4096-{LAST}", "bytes=0-4095"], 1),
    "a resume continues": ([None, "bytes=100000-"], 1),
    "everything from 0 is a part": (["bytes=0-", "bytes=0-"], 1),
    "several ranges in one header": (["bytes=0-4095,8192-12287"], 1),
    "several small ranges are a probe": (["bytes=0-9,20-29"], 0),
    "axel -n 8": (["bytes=0-", "bytes=0-1048575", "bytes=1048576-2097151", "bytes=2097152-"], 1),
    "axel -n 1": (["bytes=0-", f"bytes=0-{LAST}"], 1),
    "lftp and aria2c": ([None, *(f"bytes={i << 19}-{((i + 1) << 19) - 1}" for i in range(15))], 1),
    "wget2": (["-I", *(f"bytes={i << 20}-{((i + 1) << 20) - 1}" for i in range(8))], 1),
    "nothing there": ([f"bytes={LARGE}-"], 0),
    "a part, then the whole": (["bytes=5000-", None], 2),
}


@pytest.mark.parametrize(("requests", "downloads"), CASES.values(), ids=CASES)
def test_one_download(portal, clients, requests, downloads):
    client = clients.new()
    for requested in requests:
        if requested == "-I":
            assert ask(portal.url + BIG, client, "HEAD")[0] == 200
        else:
            ask(portal.url + BIG, client, **({"Range": requested} if requested else {}))
    assert portal.count("downloads", client) == downloads


def test_sixteen_ranges_at_once_over_two_processes_are_one(start_portal, clients):
    with start_portal(processes=2) as portal:
        for _ in range(3):
            client = clients.new()
            step = LARGE // 16

            def part(i, client=client, step=step):
                asked = f"bytes={i * step}-{(i + 1) * step - 1}"
                return ask(portal.url + BIG, client, Range=asked)[0]

            with ThreadPoolExecutor(16) as pool:
                assert set(pool.map(part, range(16))) == {206}
            assert portal.count("downloads", client) == 1
        assert portal.stop() == 0


def test_a_resume_after_the_window_counts_again(portal, clients):
    client = clients.new()
    ask(portal.url + SMALL, client)
    for seconds, downloads in ((590, 1), (605, 2)):
        portal.rows(
            "update download_window set seen = seen - ? where ip_hash = ?",
            seconds,
            ip_hash(client, ""),
        )
        ask(portal.url + SMALL, client, Range="bytes=5-")
        assert portal.count("downloads", client) == downloads


def test_every_request_has_its_verdict(start_portal, clients):
    with start_portal() as portal:
        client = clients.new()
        etag = ask(portal.url + SMALL, client)[1]["etag"]
        ask(portal.url + SMALL, client, Range="bytes=5-")
        ask(portal.url + SMALL, client, Range="bytes=0-0")
        ask(portal.url + SMALL, client, "HEAD")
        ask(portal.url + SMALL, client, If_None_Match=etag)
        ask(portal.url + SMALL, client, Range="bytes=99999-")
        verdicts = dict(portal.rows("select verdict, count from request_totals"))
        reasons = ("counted", "continued", "probe", "head", "not_modified", "failed")
        assert verdicts == dict.fromkeys(reasons, 1)


def test_a_transfer_keeps_its_window_open_to_its_end(portal, clients):
    """As if it had begun ten minutes ago: what comes after it still belongs to it."""
    client = clients.new()
    hashed = ip_hash(client, "")
    with begin(portal, BIG, client) as connection:
        portal.rows("update download_window set seen = seen - 700 where ip_hash = ?", hashed)
        time.sleep(1.1)  # the end is told from the beginning by the second
        while connection.recv(1 << 20):
            pass
    until = time.monotonic() + 5
    while time.monotonic() < until:
        [(seen,)] = portal.rows("select seen from download_window where ip_hash = ?", hashed)
        if abs(seen - time.time()) < 60:
            break
        time.sleep(0.02)
    assert abs(seen - time.time()) < 60


def test_the_row_is_there_before_the_first_byte(portal, clients):
    """Whoever has read a byte of a file can find its row at that moment."""
    for _ in range(20):
        client = clients.new()
        with begin(portal, SMALL, client):
            assert portal.count("downloads", client) == 1


def test_a_database_that_is_locked_holds_nothing_up_for_long(start_portal, clients):
    with start_portal() as portal:
        lock = sqlite3.connect(portal.data_dir / "portal.sqlite3", isolation_level=None)
        lock.execute("begin immediate")
        begun = time.monotonic()
        waiting = [clients.new() for _ in range(5)]
        threads = [
            threading.Thread(target=ask, args=(portal.url + SMALL, client)) for client in waiting
        ]
        for thread in threads:
            thread.start()
        assert ask(portal.url + "/healthz")[0] == 200
        assert time.monotonic() - begun < 1
        for thread in threads:
            thread.join()
        assert time.monotonic() - begun < 3
        page = ask(f"{portal.url}/metrics?token=metrics-token")[2].decode()
        found = re.search(r"(\d+)\s+events\s+wait", page)
        assert found
        assert 5 <= int(found[1]) <= 10  # each download, and maybe that its transfer has ended
        lock.execute("rollback")
        lock.close()
        until = time.monotonic() + 5
        while time.monotonic() < until and not portal.count("downloads", waiting[-1]):
            time.sleep(0.05)
        assert [portal.count("downloads", client) for client in waiting] == [1] * 5
        assert portal.stop() == 0
