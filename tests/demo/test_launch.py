"""`python -m demo`, from outside: what it prints, what it starts, what it leaves."""

import contextlib
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@contextlib.contextmanager
def launched(**settings):
    """The launcher in a session of its own, with these variables."""
    environment = {k: v for k, v in os.environ.items() if k not in ("CONFIG", "METRICS_TOKEN")}
    with subprocess.Popen(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env=environment | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def children(process):
    """The ids of a process's children."""
    tasks = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(number) for number in tasks.read_text().split()]


def greeting(process):
    """What it prints until everything answers."""
    lines = []
    while not lines or "/metrics" not in lines[-1]:
        lines.append(process.stdout.readline())
        if not lines[-1]:
            pytest.fail("".join(lines) + process.stderr.read())
    return "".join(lines)


def gone(numbers, seconds=10):
    """Whether all of the processes end within so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not any(alive(number) for number in numbers):
            return True
        time.sleep(0.02)
    return False


def alive(number):
    """Whether it runs; a zombie that nobody has waited for does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """One folder for the module: it is filled once."""
    return str(tmp_path_factory.mktemp("launch") / "var")


def test_a_run(data_dir):
    with launched(PORT="0", DATA_DIR=data_dir) as process:
        text = greeting(process)
        base = re.search(r"home +(http://127\.0\.0\.1:\d+)/\n", text)[1]
        assert re.search(rf"{base}/metrics\?token=[\w-]{{32}}\n", text)
        asset = re.search(r"one file +(\S+)\n", text)[1]
        with urllib.request.urlopen(asset, timeout=10) as answer:
            digest = hashlib.file_digest(answer, "sha256").hexdigest()
        sums = (Path(data_dir) / "demo/content/pets/files/2.1.0/SHA256SUMS").read_text("utf-8")
        assert f"{digest}  pets-2.1.0-windows.zip" in sums
        clone = subprocess.run(
            ["git", "clone", "--quiet", f"{base}/pets.git", Path(data_dir) / "clone"],
            capture_output=True,
        )
        assert clone.returncode == 0, clone.stderr
        ended = children(process)
        assert len(ended) == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert gone(ended)


def test_one_project_has_moved(data_dir):
    """The demo's configuration names a former path; files and clones come all the same."""
    with launched(PORT="0", DATA_DIR=data_dir, METRICS_TOKEN="mine") as process:
        base = re.search(r"home +(http://127\.0\.0\.1:\d+)/\n", greeting(process))[1]

        def read(path):
            with urllib.request.urlopen(base + path, timeout=10) as answer:
                return answer.read()

        sums = read("/downloads/prospects/v1.3.0/SHA256SUMS").decode()
        file = read("/downloads/prospects/v1.3.0/prospects-1.3.0.tar.gz")
        assert f"{hashlib.sha256(file).hexdigest()}  prospects-1.3.0.tar.gz" in sums
        target = Path(data_dir) / "moved"
        clone = subprocess.run(
            ["git", "clone", "--quiet", f"{base}/prospects.git", target], capture_output=True
        )
        assert clone.returncode == 0, clone.stderr
        assert b"the configuration says icarus/worlds" in read("/metrics?token=mine")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_token_that_was_given_is_not_printed(data_dir):
    with launched(PORT="0", DATA_DIR=data_dir, METRICS_TOKEN="mine-alone") as process:
        text = greeting(process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert "/metrics?token=<your METRICS_TOKEN>" in text
    assert "mine-alone" not in text + out + err
    assert process.returncode == 0


@pytest.mark.parametrize("victim", [0, 1])
def test_when_one_ends_the_other_does_too(data_dir, victim):
    with launched(PORT="0", DATA_DIR=data_dir) as process:
        greeting(process)
        both = children(process)
        os.kill(both[victim], signal.SIGKILL)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "ended" in err
    assert gone(both)


def test_a_kill_leaves_no_orphan(data_dir):
    with launched(PORT="0", DATA_DIR=data_dir) as process:
        greeting(process)
        both = children(process)
        process.kill()
        assert gone(both)


@pytest.mark.parametrize("port", ["abc", "-1", "65536", "8 0"])
def test_a_port_that_is_none(data_dir, port):
    with launched(PORT=port, DATA_DIR=data_dir) as process:
        _, err = process.communicate(timeout=10)
    assert process.returncode == 2
    assert "PORT must be a number" in err


def test_a_port_that_is_taken(data_dir):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with launched(PORT=port, DATA_DIR=data_dir) as process:
            _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert f"Port {port} cannot be used" in err
    assert "Traceback" not in err


def test_an_operators_configuration(tmp_path):
    with launched(CONFIG=str(tmp_path / "none.toml"), DATA_DIR=str(tmp_path / "var")) as process:
        _, err = process.communicate(timeout=20)
    assert process.returncode != 0
    assert "none.toml" in err
    assert not (tmp_path / "var" / "demo").exists()
