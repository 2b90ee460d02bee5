"""The supervisor among children that are not its own, stopped ones, and closed streams."""

import os
import signal
import subprocess
import sys
import time

from tests.process.test_stopping import children
from tests.support.running import ROOT, ask

STRANGER = """
import os, sys, time
if not os.fork():
    time.sleep(1.5)
    os._exit(3)
from server import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_child_of_another_ends_and_nothing_else(start_portal):
    portal = start_portal(processes=2)
    portal.command = [sys.executable, "-c", STRANGER, *portal.command[2:]]
    with portal:
        time.sleep(2.5)
        assert portal.process.poll() is None
        assert ask(f"{portal.url}/healthz")[0] == 200
        assert portal.stop() == 0
        assert "Traceback" not in portal.log()


def test_a_stopped_child_ends_with_the_others(start_portal):
    with start_portal(processes=2, drain_seconds=1) as portal:
        until = time.monotonic() + 20
        while portal.log().count("serving on") < 2 and time.monotonic() < until:
            time.sleep(0.05)
        os.kill(children(portal.process.pid)[0], signal.SIGSTOP)
        assert portal.stop(seconds=10) == 0


def test_it_serves_with_closed_standard_streams(start_portal):
    with start_portal(processes=2) as first:
        first.stop()
    first.write_config()
    command = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *first.command]
    process = subprocess.Popen(command, cwd=ROOT, env=first.environ)
    try:
        until = time.monotonic() + 20
        answer = 0
        while not answer and time.monotonic() < until and process.poll() is None:
            try:
                answer = ask(f"{first.url}/healthz")[0]
            except OSError:
                time.sleep(0.1)
        assert answer == 200
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
