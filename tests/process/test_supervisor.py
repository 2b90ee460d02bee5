"""A process of several that was killed, and at first cannot run again."""

import fcntl
import os
import re
import signal
import threading
import time

from tests.process.test_stopping import children
from tests.support.running import ask


def until(true):
    give_up = time.monotonic() + 20
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_it_is_started_until_it_can(start_portal):
    """Its spill file is held by another; the others serve on meanwhile."""
    with start_portal(processes=2) as portal:
        until(lambda: portal.log().count("serving on") == 2)
        pids = children(portal.process.pid)
        with (portal.data_dir / "spill" / "0.spill").open("rb") as spill:
            # Whoever waits for the lock has it before the next process can ask.
            taking = threading.Thread(target=fcntl.flock, args=(spill, fcntl.LOCK_EX))
            taking.start()
            os.kill(pids[0], signal.SIGKILL)
            taking.join()
            until(lambda: len(re.findall(r"process 0 ended with status 69", portal.log())) >= 2)
            assert ask(f"{portal.url}/healthz")[0] == 200
        until(lambda: portal.log().count("serving on") == 3)
        assert len(children(portal.process.pid)) == 2
        assert portal.stop() == 0
