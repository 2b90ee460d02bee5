"""Every fault under a running load, briefly; `python -m benchmarks faults` does the same at length.

What this machine cannot try (mounts need root, the clock needs libfaketime) is not collected.
"""

import sqlite3
from contextlib import closing

import pytest

from benchmarks.faults.audit import audit
from benchmarks.faults.bars import missing
from benchmarks.faults.injected import ALL, Plan
from benchmarks.faults.trial import tried
from benchmarks.faults.work import Seen
from portal.http.client import ip_hash
from sql.database import migrate
from tests.support.programs import needs

BRIEFLY = Plan(kills=3, process_kills=3, gitlab_kills=2, lock_seconds=3, seconds=2)
# This one is in every run; the others take minutes together.
ALWAYS = ("GitLab: closes mid-body",)
RECOVERY_SECONDS = 20  # a machine that does other things too


def case(fault):
    return pytest.param(
        fault, id=fault.name, marks=() if fault.name in ALWAYS else pytest.mark.long
    )


@needs("curl")
@pytest.mark.parametrize("fault", [case(fault) for fault in ALL if not missing(fault)])
def test_nothing_is_lost_doubled_or_left(content, fault):
    trial = tried(fault, BRIEFLY, content)
    assert trial.faults == []
    assert max(trial.recoveries) < RECOVERY_SECONDS
    for kind in ("download", "clone", "save", "search"):
        assert trial.work[kind, True] > 0, trial.work


@pytest.mark.parametrize(
    ("statement", "seen", "said"),
    [
        ("select 1", Seen("download", "198.18.0.1", True, ("downloads",)), ""),
        ("select 1", Seen("download", "198.18.0.1", False, (), ("downloads",)), ""),
        ("select 1", Seen("download", "198.18.0.1", False), "has 1 rows in downloads, not 0 to 0"),
        ("select 1", Seen("clone", "198.18.0.1", True, ("clones",), ("downloads",)), "has 0 rows"),
        ("select 1", Seen("download", "198.18.0.1", True, ("downloads",), (), "short"), "short"),
        (
            "delete from downloads",
            Seen("download", "198.18.0.1", True, ("downloads",)),
            "has 0 rows in downloads, not 1 to 1",
        ),
        (
            "insert into downloads select 9, project, version, asset, timestamp, ip_hash, ''"
            " from downloads",
            Seen("download", "198.18.0.1", True, ("downloads",)),
            "has 2 rows in downloads, not 1 to 1",
        ),
        ("update download_totals set count = 2", None, "download_totals"),
        ("delete from request_totals", None, "request_totals"),
    ],
)
def test_the_audit_sees_what_is_wrong(tmp_path, statement, seen, said):
    database = tmp_path / "portal.sqlite3"
    migrate(database)
    row = "insert into download_requests values ('pets', 'v1', 'a', ?, 'curl', 'whole', 1)"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(row, [ip_hash("198.18.0.1", "")])
        connection.execute(statement)
        connection.commit()
    found = audit(database, [seen] if seen else [])
    assert (said in found[-1]) if said else found == []
