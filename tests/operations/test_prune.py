"""--prune-before: rows go, totals stay, whatever happens meanwhile."""

import fcntl
import os
import pty
import random
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

from sql import prune as pruning
from sql.errors import UpkeepError
from sql.locks import COMMAND, locked
from sql.prune import preview, prune
from sql.rebuild import rebuild
from sql.upkeep import Upkeep
from tests.operations.test_rebuild import kill
from tests.support.events.maintenance import ROOT, House, ago, corrupt, today

TABLES = ("downloads", "clones", "tool_usage", "catalog_interactions")
BEFORE = ago(100)
# Calls of `told` after which it is killed, or None for any moment.
KILLS = [2, 3, 5, 9, 12, 15, None, None]


@pytest.fixture
def house(tmp_path, monkeypatch):
    monkeypatch.setattr(pruning, "CHUNK", 30)
    return House(tmp_path).fill()


def old_rows(house, before=BEFORE):
    return [
        house.rows(f"select count(*) from {table} where timestamp < ?", str(before))[0][0]  # noqa: S608
        for table in TABLES
    ]


def frozen(house):
    """All that is kept but the clients themselves."""
    return {table: rows for table, rows in house.kept().items() if table != "clients"}


def test_rows_go_and_totals_stay(house):
    kept, old = frozen(house), sum(old_rows(house))
    fresh = house.rows("select count(*) from downloads where timestamp >= ?", str(BEFORE))
    assert prune(house.database, BEFORE, today(), old) == old > 100
    assert old_rows(house) == [0] * 4
    assert house.rows("select count(*) from downloads") == fresh
    assert house.rows("select count(*) from clients where last_day < ?", str(BEFORE)) == [(0,)]
    assert frozen(house) == kept
    assert house.rows("select name, detail from operations") == [("prune", str(BEFORE))]
    assert preview(house.database, BEFORE).nothing


def test_every_client_is_counted_first(house):
    with house.connect() as connection:
        for number in range(50):
            connection.execute(
                "insert into clones (project, timestamp, ip_hash, user_agent) "
                "values ('pets', ?, ?, 'g')",
                (f"{ago(120)} 12:00:00", f"late{number}"),
            )
    (before,) = house.rows("select count from client_sums where section = 'clones' and scope = ''")
    prune(house.database, BEFORE, today(), 0)
    (after,) = house.rows("select count from client_sums where section = 'clones' and scope = ''")
    assert after[0] == before[0] + 50


def test_what_cannot_be_counted_is_not_deleted(house, monkeypatch):
    old = old_rows(house)

    def fails(*_, **__):
        raise UpkeepError("behind")

    monkeypatch.setattr(Upkeep, "run", fails)
    with pytest.raises(UpkeepError, match="behind"):
        prune(house.database, BEFORE, today(), 0)
    assert old_rows(house) == old
    assert house.rows("select * from operations") == []


def test_rows_that_come_meanwhile_wait_for_their_clients_to_be_counted(house):
    came = []
    with house.connect() as connection:

        def told(what, *_):
            if what == "rows deleted":
                came.append(f"late{len(came)}")
                assert len(came) < 200, "it deletes what comes meanwhile"
                connection.execute(
                    "insert into clones (project, timestamp, ip_hash, user_agent) "
                    "values ('pets', ?, ?, 'g')",
                    (f"{ago(120)} 12:00:00", came[-1]),
                )

        prune(house.database, BEFORE, today(), 0, told)
    assert len(came) > 10
    assert house.rows("select ip_hash from clones where ip_hash like 'late%' order by id") == [
        (name,) for name in came
    ]
    (before,) = house.rows("select count from client_sums where section = 'clones' and scope = ''")
    prune(house.database, BEFORE, today(), 0)
    assert old_rows(house) == [0] * 4
    (after,) = house.rows("select count from client_sums where section = 'clones' and scope = ''")
    assert after[0] == before[0] + len(came)
    done = rebuild(house.database)
    assert (done.totals, done.sums) == (0, 0)


def test_a_rebuild_afterwards_only_touches_later_days(house):
    kept = frozen(house)
    prune(house.database, BEFORE, today(), 0)
    done = rebuild(house.database)
    assert (done.totals, done.sums, done.clients, done.since) == (0, 0, 0, str(BEFORE))
    with house.connect() as connection:
        earlier = "select * from download_totals where day < ?"
        corrupt(connection, random.Random(2))  # noqa: S311
        connection.execute("delete from download_totals where day < ?", (str(BEFORE),))
        connection.execute("insert into download_totals values (?, 'p', 'v', 'a', 9)", (BEFORE,))
        connection.execute("delete from clients where last_day < ?", (str(BEFORE),))
        connection.execute("delete from client_totals where last_day < ?", (str(BEFORE),))
        frozen_totals = [row for row in kept["client_totals"] if row[2] < str(BEFORE)]
        connection.executemany("insert into client_totals values (?, ?, ?, ?)", frozen_totals)
    rebuild(house.database)
    assert house.rows(earlier, str(BEFORE)) == []
    mended = frozen(house)
    for table in ("download_totals", "clone_totals", "catalog_totals"):
        later = [row for row in kept[table] if row[0] >= str(BEFORE)]
        assert [row for row in mended[table] if row[0] >= str(BEFORE)] == later
    for table in ("client_totals", "client_sums"):
        assert mended[table] == kept[table]


def test_the_horizon_only_moves_on(house):
    prune(house.database, BEFORE, today(), 0)
    prune(house.database, ago(130), today(), 0)
    assert house.rows("select detail from operations") == [(str(BEFORE),)]


def test_kill(house):
    kept, killed = frozen(house), 0
    for call in KILLS:
        killed += kill(house, str(BEFORE), call)
        assert frozen(house) == kept
        horizons = house.rows("select detail from operations where name = 'prune'")
        assert horizons or sum(old_rows(house)) > 100
    assert killed > 3  # or this test shows little
    assert house.run(f"--prune-before={BEFORE}", "--yes")[0] == 0
    assert old_rows(house) == [0] * 4
    assert frozen(house) == kept
    assert rebuild(house.database).clients == 0


def test_it_says_what_it_would_do_and_needs_a_yes(house):
    old, number = old_rows(house), house.rows("select count(*) from clients")
    status, said, errors = house.run(f"--prune-before={ago(20)}")
    assert status == 1
    assert errors == "Nothing is deleted: nobody can be asked here. Add --yes to do it.\n"
    assert f"Rows of days before {ago(20)}, to be deleted for good:" in said
    assert "Every total stays" in said
    assert "in these windows it counts twice" in said
    (rows, first, last) = house.rows(
        "select count(*), min(date(timestamp)), max(date(timestamp)) from clones "
        "where timestamp < ?",
        str(ago(20)),
    )[0]
    assert f"  clones         {rows:>12,}  {first} to {last}\n" in said
    assert old_rows(house) == old
    assert house.rows("select count(*) from clients") == number
    assert house.rows("select * from operations") == []


def test_with_a_yes(house):
    rows = sum(old_rows(house))
    status, said, errors = house.run(f"--prune-before={BEFORE}", "--yes")
    assert (status, errors) == (0, "")
    assert said.endswith(f"{rows:,} rows deleted.\n")
    assert "counts twice" not in said
    assert house.run(f"--prune-before={BEFORE}") == (
        0,
        f"No row is of a day before {BEFORE}: nothing to do.\n",
        "",
    )


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (b"y\n", 0, "rows deleted."),
        (b"n\n", 1, "Nothing is deleted."),
        (b"\n", 1, "Nothing is deleted."),
        (b"\x03", 1, "Interrupted."),
    ],
)
def test_a_person_is_asked(house, answer, status, said):
    """At a terminal; progress bars are shown there, and nowhere else."""
    old = old_rows(house)
    command = [sys.executable, str(ROOT / "server.py"), "--config", str(house.config)]
    child, terminal = pty.fork()
    if not child:
        os.execve(sys.executable, [*command, f"--prune-before={BEFORE}"], {"TERM": "dumb"})  # noqa: S606
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    output = read_until(terminal, b"[y/N] ")
    time.sleep(0.2)  # until it reads: a signal just before would only be seen at the next key
    os.write(terminal, answer)
    output += read_until(terminal, b"never")
    os.close(terminal)  # ends it, if it has not ended
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == status
    assert said in output.decode()
    assert ("rows deleted:" in output.decode()) == (status == 0)
    assert (old_rows(house) == old) == (status != 0)


def read_until(terminal, text):
    """What the terminal shows until there is that, or the program has ended."""
    output, until = b"", time.monotonic() + 20
    while text not in output and time.monotonic() < until:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                output += os.read(terminal, 4096)
            except OSError:
                break
    return output


def test_one_at_a_time(house):
    with (
        locked(house.database.with_name(COMMAND), wait=False),
        pytest.raises(UpkeepError, match="another rebuild or prune is at work"),
    ):
        prune(house.database, BEFORE, today(), 0)


def test_ctrl_c_ends_a_statement_that_runs(house):
    """As of a rebuild, whose longest takes a minute."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom sql.operations import opened\n"
        "with opened(Path(sys.argv[1])) as connection:\n"
        "    print('runs', flush=True)\n"
        "    connection.execute('with recursive n (n) as (select 1 union all select n + 1 from n) "
        "select count(*) from n').fetchall()\n"
    )
    command = [sys.executable, "-c", program, str(house.database)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(5) == -signal.SIGINT
            assert b"KeyboardInterrupt" in process.stderr.read()
        finally:
            process.kill()
