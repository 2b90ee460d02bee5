"""Real download programs, each with its own way of asking: one file is one download."""

import hashlib
import shutil
import subprocess
import time

import pytest

from tests.running import curl

BIG = "/downloads/pets/v2.1.0/pets-2.1.0-soak.bin"

# How each program is called; {client} is its address, {url} the file's, {out} where it goes.
PROGRAMS = {
    "curl": "curl -sS -o {out} -H {header} {url}",
    "curl --compressed": "curl -sS --compressed -o {out} -H {header} {url}",
    "wget": "wget -q -O {out} --header {header} {url}",
    "axel -n 8": "axel -q -n 8 -H {header} -o {out} {url}",
    "axel -n 1": "axel -q -n 1 -H {header} -o {out} {url}",
    "aria2c": "aria2c -q -x 16 -s 16 -k 1M --header {header} -d / -o {out} {url}",
}


@pytest.fixture(scope="module")
def digest(portal):
    """The SHA-256 of the file, as its release says."""
    sums = curl(f"{portal.url}/downloads/pets/v2.1.0/SHA256SUMS").decode()
    return next(line.split()[0] for line in sums.splitlines() if line.endswith("soak.bin"))


def words_of(command, portal, client, out):
    """A command of the tables, for this client; skips where the program is missing."""
    words = command.split()
    if not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is not installed")
    names = {"out": out, "url": portal.url + BIG, "header": f"X-Forwarded-For: {client}"}
    return [word.format(**names) for word in words]


def run(command, portal, client, out):
    """Run a command of the tables to its good end."""
    words = words_of(command, portal, client, out)
    done = subprocess.run(words, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", PROGRAMS.values(), ids=PROGRAMS)
def test_one_file_is_one_download(portal, digest, clients, tmp_path, command):
    client, out = clients.new(), tmp_path / "file"
    run(command, portal, client, out)
    assert hashlib.sha256(out.read_bytes()).hexdigest() == digest
    assert portal.count("downloads", client) == 1


@pytest.mark.parametrize(
    ("slowly", "resumed", "downloads"),
    [
        (
            "curl -sS --limit-rate 500k -o {out} -H {header} {url}",
            "curl -sS -C - -o {out} -H {header} {url}",
            1,
        ),
        (
            "wget -q --limit-rate=500k -O {out} --header {header} {url}",
            "wget -q -c -O {out} --header {header} {url}",
            1,
        ),
        (
            "aria2c -q --max-download-limit=1M --header {header} -d / -o {out} {url}",
            "aria2c -q -c --header {header} -d / -o {out} {url}",
            2,  # it asks for the whole file again before it asks for the rest
        ),
    ],
    ids=["curl", "wget", "aria2c"],
)
def test_a_resumed_file(portal, digest, clients, tmp_path, slowly, resumed, downloads):
    """The first try is killed in the middle; the program's own resume takes the rest."""
    client, out = clients.new(), tmp_path / "file"
    with subprocess.Popen(words_of(slowly, portal, client, out)) as first:
        until = time.monotonic() + 20
        while not (out.exists() and out.stat().st_size) and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(1 if "aria2c" in slowly else 0)  # it reserves the whole file first
        first.terminate()
    assert portal.count("downloads", client) == 1
    assert hashlib.sha256(out.read_bytes()).hexdigest() != digest
    run(resumed, portal, client, out)
    assert hashlib.sha256(out.read_bytes()).hexdigest() == digest
    assert portal.count("downloads", client) == downloads


def test_lftp_is_one_download(portal, digest, clients, tmp_path):
    if not shutil.which("lftp"):
        pytest.skip("lftp is not installed")
    out = tmp_path / "pets-2.1.0-soak.bin"
    before = portal.rows("select count(*) from downloads")[0][0]
    script = f"set cmd:fail-exit yes; pget -n 4 {portal.url + BIG}"
    subprocess.run(
        ["lftp", "-c", script], check=True, capture_output=True, timeout=60, cwd=tmp_path
    )
    assert hashlib.sha256(out.read_bytes()).hexdigest() == digest
    assert portal.rows("select count(*) from downloads")[0][0] == before + 1
