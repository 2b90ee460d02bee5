"""Several processes, and many visitors: each event once, each visitor once, no address anywhere."""

import os
import re
import signal
import threading

import pytest

from tests.process.test_stopping import children
from tests.support.umami.standin import Umami, amounts, event, eventually, outbox, post_all


def workers(portal):
    """The two processes that serve."""
    return eventually(lambda: children(portal.process.pid), lambda ids: len(ids) == 2)


def test_processes_share_one_outbox_and_one_sends(start_portal, tmp_path, clients):
    """Whichever is killed, what was answered arrives, once and in order of each visitor's."""
    with (
        Umami(tmp_path / "umami", started=False) as umami,
        start_portal(umami=umami.settings, processes=2) as portal,
    ):
        # A connection is with one process; eight of them are with both.
        for number in range(8):
            client = clients.new()
            assert post_all(portal, [(client, event(f"/{number}/{n}")) for n in range(20)]) == 20
        assert outbox(portal)["waiting"] == 160
        for child in workers(portal):
            os.kill(child, signal.SIGKILL)
        workers(portal)
        umami.start()
        umami.until(160)
        eventually(lambda: amounts(portal), lambda seen: seen == {"sent": 160})
        urls = [stored["url"] for stored in umami.stored()]
        assert urls == [f"/{number}/{n}" for number in range(8) for n in range(20)]


VIEWS, VISITORS, THREADS = 10_000, 1_000, 4
ADDRESS = re.compile(rb"198\.51\.\d+\.\d+")


@pytest.mark.long
@pytest.mark.parametrize("away", [False, True])
def test_ten_thousand_views_of_a_thousand_visitors(start_portal, tmp_path, away):
    addresses = [f"198.51.{n >> 8}.{n & 255}" for n in range(256, 256 + VISITORS)]
    with (
        Umami(tmp_path / "umami", started=not away) as umami,
        start_portal(umami=umami.settings, processes=2) as portal,
    ):

        def view(part):
            numbers = range(part, VIEWS, THREADS)
            views = [(addresses[n % VISITORS], event(f"/{n}")) for n in numbers]
            assert post_all(portal, views) == len(views)

        threads = [threading.Thread(target=view, args=(part,)) for part in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if away:
            assert outbox(portal)["waiting"] == VIEWS
            umami.start()
        stored = eventually(umami.stored, lambda events: len(events) >= VIEWS, 120)
        assert sorted(each["url"] for each in stored) == sorted(f"/{n}" for n in range(VIEWS))
        assert len({each["session"] for each in stored}) == VISITORS
        assert len({each["ip"] for each in stored}) == VISITORS
        assert set(amounts(portal)) <= {"sent"}
        files = [path for path in portal.data_dir.rglob("*") if path.is_file()]
        files += [portal.log_file, *umami.directory.iterdir()]
        assert [path for path in files if ADDRESS.search(path.read_bytes())] == []
