"""What systemd is told: when the portal serves, that it goes on, that it stops."""

import asyncio
import os
import secrets
import signal
import time

import pytest

from portal.process.systemd import Notifier, Pulse
from tests.process.test_stopping import BIG, children
from tests.support.deploy.notify import NotifySocket
from tests.support.running import ask, begin

pytestmark = pytest.mark.long

WATCHDOG = 2.0  # seconds; a beat takes a quarter, a hang is noticed after half


@pytest.fixture
def systemd(tmp_path):
    with NotifySocket(str(tmp_path / "notify")) as listening:
        yield listening


def watched(systemd, **environ):
    """The environment of a service that systemd watches."""
    return {
        "NOTIFY_SOCKET": systemd.address,
        "WATCHDOG_USEC": str(int(WATCHDOG * 1e6)),
        **environ,
    }


def test_an_abstract_address(start_portal):
    with (
        NotifySocket(f"@{secrets.token_hex(8)}") as systemd,
        start_portal(environ={"NOTIFY_SOCKET": systemd.address}) as portal,
    ):
        systemd.until("READY=1")
        assert portal.stop() == 0
        systemd.until("STOPPING=1")


def test_ready_only_when_all_serve(systemd):
    pulse = Pulse(Notifier({"NOTIFY_SOCKET": systemd.address}, os.getpid()), 2)
    for slot, states in ((1, []), (1, []), (0, ["READY=1"]), (0, ["READY=1"])):
        asyncio.run(pulse.keep(slot))
        systemd.receive(0)
        assert systemd.states == states


@pytest.mark.parametrize("processes", [1, 2])
def test_ready_alive_stopping(start_portal, systemd, processes):
    with start_portal(processes=processes, environ=watched(systemd)) as portal:
        systemd.until("READY=1")
        assert ask(f"{portal.url}/healthz")[0] == 200
        for _ in range(3):
            systemd.until("WATCHDOG=1", WATCHDOG / 2)
        with begin(portal, BIG):  # it stops only when this ends, and says meanwhile that it lives
            portal.process.send_signal(signal.SIGTERM)
            systemd.until("STOPPING=1")
            for _ in range(3):
                systemd.until("WATCHDOG=1", WATCHDOG / 2)
        assert portal.process.wait(10) == 0
        assert [systemd.states.count(state) for state in ("READY=1", "STOPPING=1")] == [1, 1]


@pytest.mark.parametrize(
    "environ",
    [
        {"WATCHDOG_USEC": ""},
        {"WATCHDOG_PID": "1"},  # another process is watched
        {"WATCHDOG_USEC": "nonsense"},
    ],
)
@pytest.mark.parametrize("processes", [1, 2])
def test_no_watchdog(start_portal, systemd, processes, environ):
    with start_portal(processes=processes, environ=watched(systemd, **environ)) as portal:
        systemd.until("READY=1")
        assert systemd.silent(1)
        assert portal.stop() == 0
        systemd.until("STOPPING=1")
        assert systemd.states == ["READY=1", "STOPPING=1"]


def test_a_loop_that_hangs_is_silent(start_portal, systemd):
    with start_portal(environ=watched(systemd)) as portal:
        systemd.until("WATCHDOG=1")
        portal.process.send_signal(signal.SIGSTOP)
        assert systemd.silent(WATCHDOG)
        portal.process.send_signal(signal.SIGCONT)
        systemd.until("WATCHDOG=1")


def test_a_process_that_hangs_is_replaced(start_portal, systemd):
    """One of two; the other serves on, and systemd's patience is never tried."""
    with start_portal(processes=2, environ=watched(systemd)) as portal:
        systemd.until("READY=1")
        hung, other = children(portal.process.pid)
        os.kill(hung, signal.SIGSTOP)
        until = time.monotonic() + 20
        while hung in (now := children(portal.process.pid)) or len(now) < 2:
            assert time.monotonic() < until, now
            assert systemd.receive(WATCHDOG) == "WATCHDOG=1"
        assert other in now
        for _ in range(3):
            systemd.until("WATCHDOG=1", WATCHDOG)
        assert systemd.states.count("READY=1") == 1
        assert "process 0 hangs and is ended (SIGABRT)" in portal.log()
        assert "process 0 hangs and is ended (SIGKILL)" in portal.log()
        assert portal.stop() == 0


def test_an_aborted_process_says_where_it_was(start_portal):
    with start_portal() as portal:
        portal.process.send_signal(signal.SIGABRT)
        assert portal.process.wait(10) == -signal.SIGABRT
        assert "Fatal Python error: Aborted" in portal.log()
        assert 'server.py", line' in portal.log()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("vsock:2:1234", "neither a path nor abstract"),
        ("/nonexistent/notify", "systemd cannot be told READY=1"),
    ],
)
def test_an_address_of_no_use_hinders_nothing(start_portal, address, said):
    with start_portal(environ={"NOTIFY_SOCKET": address}) as portal:
        assert ask(f"{portal.url}/healthz")[0] == 200
        assert said in portal.log()
        assert portal.stop() == 0


def test_nobody_listens(caplog):
    notifier = Notifier({"WATCHDOG_USEC": "1000000"}, os.getpid())
    notifier.send("READY=1")
    assert (notifier.listens, notifier.watchdog_seconds, caplog.text) == (False, 0, "")
