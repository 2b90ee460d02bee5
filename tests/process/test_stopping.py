"""Starting and stopping: signals, several processes, faults at the start."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.conftest import LARGE
from tests.support.programs import needs
from tests.support.running import ROOT, ask, begin, curl

BIG = "/downloads/pets/v2.1.0/pets-2.1.0-soak.bin"


def rest(connection):
    """How many bytes still come."""
    count = 0
    while data := connection.recv(1 << 20):
        count += len(data)
    return count


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_lets_transfers_finish(start_portal, processes, number):
    with start_portal(processes=processes) as portal, begin(portal, BIG) as connection:
        portal.process.send_signal(number)
        until = time.monotonic() + 5
        while time.monotonic() < until:  # it accepts no more
            try:
                socket.create_connection(("127.0.0.1", portal.port)).close()
            except ConnectionRefusedError:
                break
            time.sleep(0.02)
        else:
            pytest.fail("still accepting")
        assert portal.process.poll() is None
        assert rest(connection) > LARGE
        assert portal.process.wait(5) == 0


@pytest.mark.parametrize("processes", [1, 2])
def test_a_second_signal_ends_at_once(start_portal, clients, processes):
    with start_portal(processes=processes) as portal, begin(portal, BIG) as connection:
        portal.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert portal.process.poll() is None
        portal.process.send_signal(signal.SIGTERM)
        portal.process.wait(3)
        assert rest(connection) < LARGE
        assert portal.rows("select count(*) from downloads") == [(1,)]
        assert portal.rows("pragma integrity_check") == [("ok",)]


def test_a_stop_waits_only_so_long(start_portal):
    with start_portal(drain_seconds=0.5) as portal, begin(portal, BIG):
        begun = time.monotonic()
        assert portal.stop() == 0
        assert 0.4 < time.monotonic() - begun < 5


@needs("curl")
def test_what_is_recorded_outlives_a_kill(start_portal, clients):
    with start_portal() as portal:
        url = f"{portal.url}/downloads/pets/v2.1.0/SHA256SUMS"
        served = []

        def load():
            while True:
                client = clients.new()
                done = curl("-o", "/dev/null", url, client=client, check=False)
                if done.returncode:
                    return
                served.append(client)

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 30
        while len(served) < 20:  # in the middle of more
            assert time.monotonic() < until
            time.sleep(0.01)
        portal.process.kill()
        portal.process.wait()
        for thread in threads:
            thread.join()
        portal.start()
        assert [client for client in served if portal.count("downloads", client) != 1] == []
        assert portal.stop() == 0


def test_a_killed_process_is_replaced_and_orphans_end(start_portal):
    with start_portal(processes=2) as portal:
        first = children(portal.process.pid)
        assert len(first) == 2
        os.kill(first[0], signal.SIGKILL)
        until = time.monotonic() + 10
        while time.monotonic() < until and len(children(portal.process.pid) - first) < 1:
            time.sleep(0.05)
        second = children(portal.process.pid)
        assert len(second) == 2
        assert first[0] not in second
        for _ in range(10):
            assert ask(portal.url + "/healthz")[0] == 200
        portal.process.kill()
        portal.process.wait()
        until = time.monotonic() + 10
        while any(Path(f"/proc/{pid}").exists() for pid in second) and time.monotonic() < until:
            time.sleep(0.05)
        assert not any(Path(f"/proc/{pid}").exists() for pid in second)


class children(list):  # noqa: N801 - reads as a function
    """The ids of a process's children."""

    def __init__(self, pid):
        tasks = Path(f"/proc/{pid}/task/{pid}/children")
        super().__init__(map(int, tasks.read_text(encoding="ascii").split()))

    def __sub__(self, other):
        return [pid for pid in self if pid not in other]


def server(*arguments, **environ):
    """Run server.py to its end; status and standard error."""
    done = subprocess.run(
        [sys.executable, ROOT / "server.py", *map(str, arguments)],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        timeout=20,
    )
    return done.returncode, done.stderr


def test_check_config(start_portal, tmp_path):
    portal = start_portal()
    portal.write_config()
    assert server("--config", portal.config, "--check-config") == (0, "")
    bad = tmp_path / "bad.toml"
    bad.write_text(portal.config.read_text() + '\n[[projects]]\nslug = "metrics"\n')
    status, said = server("--config", bad, "--check-config", METRICS_TOKEN="with space")
    assert status == 2
    assert said.splitlines() == [
        'projects["metrics"].slug: "metrics" is one of the portal\'s own paths',
        'projects["metrics"].gitlab: must be set',
        "METRICS_TOKEN: must be printable ASCII without spaces",
    ]
    assert not portal.data_dir.exists()


def test_a_port_that_is_taken_and_a_newer_database(start_portal):
    with start_portal() as portal:
        status, said = server("--config", portal.config, "--port", portal.port)
        assert status == 1
        assert "cannot run" in said
        assert "Traceback" not in said
        for processes in (1, 2):  # each tries to record what this one records
            status, said = server(
                *("--config", portal.config, "--port", 0, "--processes", processes)
            )
            assert status != 0
            assert "another process records" in said
            assert "Traceback" not in said
        assert server("--config", portal.config, "--port", 99999)[0] == 2
        portal.stop()
        portal.rows("pragma user_version = 999")
        status, said = server("--config", portal.config, "--port", 0)
        assert status == 1
        assert "newer" in said
        assert "Traceback" not in said


def test_one_bad_projects_list_hides_no_other(start_portal):
    with start_portal() as portal:
        portal.stop()
        text = portal.config.read_text().replace("icarus/pets", "icarus/gone")
        portal.write_config = lambda: portal.config.write_text(text)
        portal.start()
        page = ask(portal.url)[2].decode()
        assert "v1.3.0" in page
        assert ask(f"{portal.url}/downloads/pets")[0] == 404
