"""What the operator's commands refuse: each with a sentence, and nothing is changed."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support.events.maintenance import ROOT, House, ago, today

# Two days ahead: one may be over before the test runs.
TOMORROW = ago(-2)
# Arguments, exit status, and what is said; {} is the test's folder.
REFUSED = {
    "a file that is there": (["--backup", "{}/portal.toml"], 1, "is there already"),
    "the database itself": (["--backup", "{}/data/portal.sqlite3"], 1, "is there already"),
    "a folder": (["--backup", "{}"], 1, "is there already"),
    "no such folder": (["--backup", "{}/none/x"], 1, "{}/none: No such file or directory"),
    "a file as folder": (["--backup", "{}/portal.toml/x"], 1, "Not a directory"),
    "a link that leads nowhere": (["--backup", "{}/link"], 1, "is there already"),
    "no name": (["--backup", ""], 1, "is there already"),
    "no file": (["--backup"], 2, "expected one argument"),
    "nobody to ask": (["--prune-before", str(today())], 1, "Add --yes"),
    "tomorrow": (["--prune-before", str(TOMORROW)], 2, f"{TOMORROW} is to come"),
    "no day": (["--prune-before", "2024-02-30"], 2, "2024-02-30 is not a day"),
    "another form": (["--prune-before", "20240229"], 2, "write it as YYYY-MM-DD"),
    "a time": (["--prune-before", "2024-02-29T00:00"], 2, "write it as YYYY-MM-DD"),
    "no text": (["--prune-before", ""], 2, "is not a day"),
    "two at once": (["--backup", "{}/x", "--rebuild-totals"], 2, "not allowed with"),
    "all at once": (["--rebuild-totals", "--prune-before", "2024-01-01"], 2, "not allowed with"),
    "a wrong configuration": (["--rebuild-totals", "--config", "{}/none"], 2, "cannot be read"),
}
COMMANDS = {
    "backup": ["--backup", "{}/x"],
    "rebuild": ["--rebuild-totals"],
    "prune": ["--prune-before", "2024-01-01", "--yes"],
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("house")).fill(days=10)
    (house.folder / "link").symlink_to("nowhere")
    return house


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def run(house, arguments, **options):
    filled_in = [argument.replace("{}", str(house.folder)) for argument in arguments]
    return house.run(*filled_in, **options)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(filled, name):
    arguments, expected, sentence = REFUSED[name]
    kept, files = filled.kept(), sorted(filled.folder.rglob("*"))
    status, _, errors = run(filled, arguments)
    assert status == expected
    assert sentence.replace("{}", str(filled.folder)) in errors
    assert "Traceback" not in errors
    assert status == 2 or errors.count("\n") == 1
    assert filled.kept() == kept
    assert filled.rows("select * from operations") == []
    assert [path for path in sorted(filled.folder.rglob("*")) if path not in files] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_no_database_yet(house, name):
    status, said, errors = run(house, COMMANDS[name])
    assert (status, said) == (1, "")
    assert errors == f"{house.database}: there is no database yet; the portal makes it\n"
    assert not house.data.exists()


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_no_database(house, name):
    house.data.mkdir()
    house.database.write_bytes(b"something else" * 1000)
    status, said, errors = run(house, COMMANDS[name])
    assert (status, said) == (1, "")
    assert errors == f"{house.database}: file is not a database\n"


@pytest.mark.parametrize("name", ["rebuild", "prune"])
def test_another_version(house, name):
    house.fill(days=1).rows("pragma user_version = 1")
    status, _, errors = run(house, COMMANDS[name])
    assert status == 1
    assert "is of another version of the portal; start this one once" in errors


@pytest.mark.parametrize("name", COMMANDS)
def test_a_disk_that_is_full(house, name):
    """A limit on the size of files stands for it: the writes fail in the same places."""
    house.fill(days=60)
    with house.connect() as connection:
        connection.execute("delete from download_totals")
        kept = house.kept()

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 15, 1 << 15))

        status, said, errors = run(
            house,
            [argument.replace("2024-01-01", str(ago(9))) for argument in COMMANDS[name]],
            preexec_fn=limit,
        )
    assert status == 1, said
    assert errors.count("\n") == 1
    assert "Traceback" not in errors
    assert house.kept() == kept
    assert not [path for path in house.folder.iterdir() if path.name.startswith("x")]
    assert run(house, COMMANDS["rebuild"])[0] == 0


# Once all is imported, it is another user's: root's own files are closed to that one.
AS_NOBODY = "import os, sys, server; os.seteuid(65534); sys.exit(server.main(sys.argv[1:]))"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("mode", [0o700, 0o755])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_user_that_may_not(name, mode):
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder)).fill(days=2)
        house.folder.chmod(0o755)
        house.data.chmod(mode)
        arguments = [part.replace("{}", folder) for part in COMMANDS[name]]
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, "--config", house.config, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stdout) == (1, "")
        reason = "Permission denied" if mode == 0o700 else "unable to open database file"
        assert done.stderr == f"{house.database}: {reason}\n"
