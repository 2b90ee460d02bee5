"""server.py --check-config --probe: what it says of Umami, what it sends, what it leaves."""

import json
import subprocess

import pytest
from tornado.httputil import HTTPHeaders

from portal.analytics.client import UmamiResponse
from portal.analytics.faults import fault_of
from tests.support.running import ROOT
from tests.support.umami.rules import WEBSITE
from tests.support.umami.standin import Umami

OTHER = "00000000-0000-4000-8000-000000000000"
VERSIONLESS = "00000000-0000-0000-8000-000000000000"  # a UUID for Python, and none for Umami


@pytest.fixture
def umami(tmp_path):
    with Umami(tmp_path / "umami", "/umami", started=False) as away:
        yield away


def probe(portal, *arguments):
    """Run it; the exit status and the lines that it prints."""
    portal.write_config()
    done = subprocess.run(
        [*portal.command, "--check-config", "--probe", *arguments],
        cwd=ROOT, env=portal.environ, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith(("sending", "Umami is not")))
    return done.returncode, [line for line in lines[first:] if "files can be written" not in line]


def test_all_is_well(start_portal, umami):
    umami.start()
    status, lines = probe(start_portal(umami=umami.settings))
    assert (status, [line[:6] for line in lines]) == (0, ["sendin", *["ok    "] * 4])
    assert f"knows the website {WEBSITE}, and has stored the event" in lines[2]


def test_what_it_leaves_is_one_event_that_says_what_it_is(start_portal, umami):
    """No page view, one visitor however often, and nothing of it in figures or in the portal."""
    umami.start()
    portal = start_portal(umami=umami.settings)
    said = [probe(portal)[1][0] for _ in range(2)]
    stored = umami.stored()
    assert [(e["name"], e["url"]) for e in stored] == [("portal_probe", "/portal-probe")] * 2
    assert all("portal_probe" in line and "/portal-probe" in line for line in said)
    assert len({e["session"] for e in stored}) == 1
    assert not portal.data_dir.exists()


@pytest.mark.parametrize(
    ("modes", "settings", "lines"),
    [
        (None, {}, ["nobody listens at http://127.0.0.1:"]),
        (
            {},
            {"url": ""},
            ["/api/heartbeat answers 404: does the address end with Umami's BASE_PA"],
        ),
        ({"every": "fails"}, {}, ["/api/heartbeat answers 500"]),
        ({}, {"website": OTHER}, [f"it does not know the website {OTHER}: add it in Umami"]),
        ({}, {"website": VERSIONLESS}, ["the form of the event: payload.website Invalid UUID"]),
        ({"send": "fails"}, {}, ["it answers 500 to an event: Internal Server Error"]),
        ({"send": "closes"}, {}, ["an event got no answer"]),
        (
            {},
            {"share": "/umami/share/none"},
            ["share page /umami/share/none gives no figures: 404"],
        ),
        ({"share/AbCdEfGh": "closes"}, {}, ["its share page gave no answer"]),
    ],
)
def test_what_is_wrong(start_portal, umami, modes, settings, lines):
    if modes is not None:
        umami.behave(**modes)
        umami.start()
    settings = {**umami.settings, **settings}
    settings["url"] = settings["url"] or umami.url.removesuffix("/umami")
    status, said = probe(start_portal(umami=settings))
    faults = "\n".join(line for line in said if line.startswith("FAULT "))
    assert status == 1
    assert all(line in faults for line in lines), said


@pytest.mark.parametrize(
    ("database", "sentence"),
    [
        ("away", "its database is locked by another program"),
        ("read-only", "its database is locked by another program"),
        ("not migrated", "its database is not migrated to its version"),
        ("older", "its database is not migrated to its version"),
        ("no extension", "its SQLite extension cannot be loaded: db/sqlite/ext/regexp.so must be"),
        ("no folder", "it cannot open its database: look at DATABASE_URL"),
        ("junk", "its database file is damaged or no SQLite database"),
        ("not writable", "it may not write its database"),
        ("moved", "its database file was moved or replaced while Umami ran"),
        ("stopped", "its database is away: PostgreSQL does not run"),
        ("other password", "PostgreSQL does not accept the user or the password"),
        ("other name", "PostgreSQL has no database of the name in DATABASE_URL"),
        ("geo", "it looks a public address up in a geo database that it does not have"),
        ("other", "it fails at an event: something else"),
    ],
)
def test_what_is_wrong_with_its_database(start_portal, umami, database, sentence):
    """Each fault has one sentence, and the steps that need no database are fine."""
    umami.behave(database=database)
    umami.start()
    status, said = probe(start_portal(umami=umami.settings))
    (fault,) = (line for line in said if line.startswith("FAULT "))
    assert (status, fault.startswith(f"FAULT {sentence}")) == (1, True), said
    assert umami.stored() == []


@pytest.mark.parametrize(
    ("told", "status", "sentence"),
    [
        ({"beep": "boop"}, 200, "it takes the portal for a robot and stores nothing: set DISABLE_"),
        ({"error": {"message": "Forbidden", "status": 403}}, 403, "it refuses the sender's addres"),
        ({}, 200, "it takes an event and stores nothing: {}"),
        ([], 200, "it answers 200 to an event: []"),
        ({"error": "x"}, 500, 'it answers 500 to an event: {"error": "x"}'),
        ({"error": {"errorObject": {"cause": ["SQLITE_BUSY"]}}}, 500, "its database is locked"),
        ({"error": {"errorObject": "a text"}}, 500, 'it fails at an event: "a text"'),
        ({"error": {"properties": {"payload": 5}, "errors": [3]}}, 400, "it refuses the form of t"),
        ({"sessionId": "s"}, 200, ""),
    ],
)
def test_words_for_any_answer(told, status, sentence):
    answer = UmamiResponse(status, HTTPHeaders(), json.dumps(told).encode())
    fault = fault_of(answer, WEBSITE)
    assert fault.startswith(sentence)
    assert bool(fault) == bool(sentence)


def test_a_tracker_that_is_none(start_portal, umami):
    (umami.directory / "script.js").write_text("<html>")
    umami.start()
    status, said = probe(start_portal(umami=umami.settings))
    assert status == 1
    assert "FAULT Umami's /script.js is no script; pages carry the portal's own" in "\n".join(said)


def test_without_a_website(start_portal):
    status, said = probe(start_portal())
    assert (status, said) == (0, ["Umami is not configured: pages carry no tracker"])


def test_it_goes_with_check_config_only(start_portal):
    portal = start_portal()
    portal.write_config()
    done = subprocess.run([*portal.command, "--probe"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "--probe goes with --check-config" in done.stderr
