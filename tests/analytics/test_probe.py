"""server.py --check-config --probe: what it says of Umami, what it sends, what it leaves."""

import subprocess

import pytest

from tests.support.running import ROOT
from tests.support.umami.rules import WEBSITE
from tests.support.umami.standin import Umami

OTHER = "00000000-0000-4000-8000-000000000000"


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
        ({}, {"website": OTHER}, [f"it does not know the website {OTHER}: ", "Website not found."]),
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
