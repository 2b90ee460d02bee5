"""docs/alerts.yml in Prometheus' own words: promtool checks the rules, and fires each of them."""

import json
import re
import subprocess

import pytest

from tests.metrics.test_series import documented
from tests.support.programs import needs
from tests.support.running import ROOT

RULES = ROOT / "docs/alerts.yml"
TEXT = RULES.read_text(encoding="utf-8")
ALERTS = re.findall(r"^ *- alert: (\w+)$", TEXT, re.MULTILINE)
needs_promtool = needs("promtool")

REQUESTS = 'portal_download_requests_total{project="pets", verdict="%s"}'
EVENTS = 'portal_page_events_total{outcome="%s"}'
FRESH = 'portal_gitlab_project_state{project="pets",state="fresh"}'
DROPPED = 'portal_outbox_dropped_clients{reason="%s"}'
# One sample a minute, in promtool's notation: `a+bxn` is a, a+b, ... a+n*b; `_xn` is n times none.
# In a test the time begins at 0, which is 1970.
WELL = {
    "up": "1+0x2000",
    "portal_spilled_events": "0+0x2000",
    "portal_clients_behind_seconds": "2+0x2000",
    "portal_disk_free_bytes": "50000000000+0x2000",
    "portal_database_bytes": "4000000000+0x2000",
    "portal_last_backup_timestamp_seconds": "0+0x1439 86400+0x560",  # once a day
    "portal_transfers_running": "40+0x2000",
    "portal_gitlab_token_refused": "0+0x2000",
    "portal_gitlab_token_expires_seconds": "30000000-60x2000",
    FRESH: "1+0x2000",
    "portal_upstream_failures_total": "7+0.1x2000",
    REQUESTS % "counted": "0+10x2000",
    REQUESTS % "failed": "0+0.5x2000",
    "portal_outbox_waiting_events": "0+0x2000",
    "portal_outbox_bytes": "0+0x2000",
    "portal_outbox_oldest_timestamp_seconds": "_x2000",
    EVENTS % "refused": "3+0x2000",
    EVENTS % "dropped": "0+0x2000",
    DROPPED % "room": "2+0x2000",
    DROPPED % "share": "0+1x2000",
    EVENTS % "uncertain": "0+0.1x2000",
    EVENTS % "sent": "0+10x2000",
}
# What is otherwise than in WELL; the minute at which the alert does not fire yet, and one at which
# it does; the labels that the alert has besides those of the target.
FIRING = {
    "PortalDown": ({"up": "1+0x9 0+0x50"}, 14, 16, {}),
    "PortalEventsWait": ({"portal_spilled_events": "0+0x9 3+0x50"}, 14, 16, {}),
    "PortalClientsBehind": ({"portal_clients_behind_seconds": "0+60x50"}, 15, 17, {}),
    "PortalDiskLow": ({"portal_disk_free_bytes": "3900000000+0x50"}, 14, 16, {}),
    "PortalBackupOld": ({"portal_last_backup_timestamp_seconds": "0+0x2000"}, 1569, 1572, {}),
    "PortalBackupMissing": ({"portal_last_backup_timestamp_seconds": "_x2000"}, 1559, 1561, {}),
    "PortalGitLabTokenRefused": ({"portal_gitlab_token_refused": "1+0x50"}, 1, 3, {}),
    "PortalGitLabTokenExpires": (
        {"portal_gitlab_token_expires_seconds": "1209660-60x50"}, 10, 15, {},
    ),
    "PortalProjectNotFresh": ({FRESH: "0+0x50"}, 14, 17, {"project": "pets", "state": "fresh"}),
    "PortalTransfersNearLimit": ({"portal_transfers_running": "451+0x50"}, 4, 6, {}),
    "PortalUpstreamFails": ({"portal_upstream_failures_total": "7+0x9 10+3x50"}, 12, 25, {}),
    "PortalDownloadsFail": (
        {REQUESTS % "failed": "0+3x50"},
        4, 15, {"project": "pets"},
    ),
    "PortalUmamiAway": ({"portal_outbox_oldest_timestamp_seconds": "0+0x50"}, 19, 22, {}),
    "PortalOutboxNearlyFull": ({"portal_outbox_bytes": "209715201+0x50"}, 4, 6, {}),
    "PortalPageEventsLost": (
        {EVENTS % "refused": "3+0x9 4+0x50"},
        9, 20, {"outcome": "refused"},
    ),
    "PortalPageEventsUncertain": ({EVENTS % "uncertain": "0+1x200"}, 10, 70, {}),
    "PortalOutboxHasNoRoom": ({DROPPED % "room": "2+0x99 3+0x50"}, 100, 110, {"reason": "room"}),
}  # fmt: skip
# The second half of a rule, which the first must not hide.
MORE = {
    "a small disk that has less than 1 GiB": (
        "PortalDiskLow",
        {"portal_disk_free_bytes": "1073741823+0x50", "portal_database_bytes": "1000000+0x50"},
        16,
    ),
    "many small events": ("PortalOutboxNearlyFull", {"portal_outbox_waiting_events": "400001+0x50"},
                          6),
    "dropped events": ("PortalPageEventsLost", {EVENTS % "dropped": "0+0x9 5+0x50"}, 20),
}  # fmt: skip
QUIET = {
    "few failures of a project that is seldom asked for": {
        REQUESTS % "counted": "0+0x2000",
        REQUESTS % "failed": "0+0.2x2000",
    },
    "a portal without Umami": {
        name: "_x2000" for name in WELL if re.search("outbox|page_ev", name)
    },
    "an Umami that was restarted": {"portal_outbox_oldest_timestamp_seconds": "0+0x12 _x2000"},
    "a restart of the portal": {"up": "1+0x9 0+0x1 1+0x2000"},
}


def named(name, **labels):
    """A series as promtool writes it; `name` may have labels already."""
    name, _, given = name.rstrip("}").partition("{")
    both = [given] * bool(given) + [f'{label}="{value}"' for label, value in labels.items()]
    return f"{name}{{{', '.join(both)}}}"


def expected(minute, alert, labels):
    """What promtool is to find: the alert fires with these labels, or with None not at all."""
    about = {"alertname": alert, "alertstate": "firing", "job": "portal", **(labels or {})}
    found = {"labels": named("", **about), "value": 1}
    return {
        "expr": f"count without (severity, instance) ({named('ALERTS', **about)})",
        "eval_time": f"{minute}m",
        "exp_samples": [] if labels is None else [found],
    }


def promtool(directory, series, *expectations):
    """Run the rules over these series; what promtool says where an expectation fails."""
    test = {
        "interval": "1m",
        "input_series": [
            {"series": named(name, job="portal", instance="a:8000"), "values": values}
            for name, values in series.items()
        ],
        "promql_expr_test": [expected(*each) for each in expectations],
    }
    path = directory / "test.yml"
    document = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}
    path.write_text(json.dumps(document), encoding="utf-8")  # JSON is YAML
    done = subprocess.run(
        ["promtool", "test", "rules", path], capture_output=True, text=True, timeout=60
    )
    return done.stderr if done.returncode else ""


@needs_promtool
def test_prometheus_can_read_the_rules():
    done = subprocess.run(
        ["promtool", "check", "rules", "--lint=all", "--lint-fatal", RULES],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("alert", ALERTS)
def test_it_fires_after_its_time(alert, tmp_path):
    changed, before, after, labels = FIRING[alert]
    assert promtool(
        tmp_path, WELL | changed, (before, alert, None), (after, alert, labels)
    ) == ""  # fmt: skip


@needs_promtool
@pytest.mark.parametrize(("alert", "changed", "minute"), MORE.values(), ids=MORE)
def test_each_half_of_a_rule_fires(alert, changed, minute, tmp_path):
    outcome = {"outcome": "dropped"} if alert == "PortalPageEventsLost" else {}
    assert promtool(tmp_path, WELL | changed, (minute, alert, outcome)) == ""


@needs_promtool
@pytest.mark.parametrize("changed", [{}, *QUIET.values()], ids=["nothing", *QUIET])
def test_nothing_fires_where_nothing_is_wrong(changed, tmp_path):
    minutes = (10, 20, 60, 1700, 1990)
    quiet = [(minute, alert, None) for minute in minutes for alert in ALERTS]
    assert promtool(tmp_path, WELL | changed, *quiet) == ""


@needs_promtool
def test_a_rule_that_does_not_fire_is_noticed(tmp_path):
    assert "PortalDown" in promtool(tmp_path, WELL, (20, "PortalDown", {}))


def test_rules_and_document_name_the_same_series():
    """Every series of a rule is in docs/metrics.md; what is to be alerted on there has a rule."""
    expressions = "\n".join(re.findall(r"expr: (.*?)\n +for:", TEXT, re.DOTALL))
    used = set(re.findall(r"portal_\w+", expressions))
    table = documented()
    assert used <= set(table)
    assert {name for name, (*_, alert) in table.items() if alert} <= used
    assert set(ALERTS) == set(FIRING)
