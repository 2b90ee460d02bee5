"""The Prometheus series of a running portal against the table in docs/metrics.md."""

import re
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sql.database import migrate
from tests.support.running import ROOT, TOKEN, ask
from tests.support.umami.standin import Umami, event, eventually, outbox, post

DOCUMENT = ROOT / "docs/metrics.md"
# The last part of a name is its base unit (prometheus.io's naming), and what the table calls it.
UNITS = {"bytes": "bytes", "timestamp_seconds": "Unix time", "seconds": "seconds"}
CELL = r" *([^|]*?) *\|"
ROW = re.compile(rf"^\| `(portal_\w+)` \|{CELL * 4}$", re.MULTILINE)


def documented():
    """The table's rows by name: labels, unit, meaning, alert."""
    rows = ROW.findall(DOCUMENT.read_text(encoding="utf-8"))
    return {name: (set(re.findall(r"`(\w+)`", labels)), *rest) for name, labels, *rest in rows}


def scrape(portal):
    """The samples of one scrape, as lists by name."""
    status, _, body = ask(
        f"{portal.url}/metrics?format=prometheus", Authorization=f"Bearer {TOKEN}"
    )
    assert status == 200
    samples = {}
    for family in text_string_to_metric_families(body.decode()):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append(sample)
    return samples


@pytest.fixture(scope="module")
def samples(start_portal, clients, tmp_path_factory):
    """The scrape of a portal that has something to say in each series: rows, a backup, a page
    event that waits."""
    with Umami(tmp_path_factory.mktemp("umami"), started=False) as umami:
        portal = start_portal(umami=umami.settings)
        migrate(portal.data_dir / "portal.sqlite3")
        now = f"{datetime.now(UTC):%Y-%m-%d} 00:00:01"
        for statement in (
            "insert into downloads values (null, 'pets', 'v1', 'a.zip', ?, 'h', 'u')",
            "insert into clones values (null, 'prospects', ?, 'h', 'git')",
            "insert into tool_usage values (null, 'pets', 'upload', ?, 'h', 'u')",
            "insert into catalog_interactions values (null, 'search', 'wolf', 1, ?, 'h')",
            "insert into operations values ('backup', ?, '1')",
        ):
            portal.rows(statement, now)
        with portal:
            ask(f"{portal.url}/downloads/pets/v2.1.0/SHA256SUMS", clients.new())
            assert post(portal, event(), clients.new())[0] == 200
            eventually(lambda: outbox(portal)["waiting"], bool)
            yield eventually(lambda: scrape(portal), lambda seen: "portal_clients" in seen)


def test_every_series_is_documented_and_there(samples):
    assert sorted(samples) == sorted(documented())


def test_labels_are_documented(samples):
    table = documented()
    for name, group in samples.items():
        for sample in group:
            assert set(sample.labels) == table[name][0], name


def test_units_are_those_of_the_names():
    for name, (_, unit, meaning, _alert) in documented().items():
        assert unit, name
        assert meaning, name
        base = name.removesuffix("_total")
        ending = next((ending for ending in UNITS if base.endswith(f"_{ending}")), None)
        if ending:
            assert unit == UNITS[ending], name


def test_every_label_value_that_is_ours_is_documented(samples):
    """Projects and versions are the operator's own; all other values stand in the table."""
    table = documented()
    for name, group in samples.items():
        for sample in group:
            for label, value in sample.labels.items():
                if label in ("project", "version", "scope", "tool"):
                    continue
                assert f"`{value}`" in table[name][2], (name, label, value)


def test_without_umami_there_are_no_series_of_it(portal):
    """As docs/metrics.md says."""
    absent = {"portal_last_backup_timestamp_seconds"}
    absent |= {name for name in documented() if "outbox" in name or "page_events" in name}
    names = set(scrape(portal))
    assert names & absent == set()
    assert names >= {name for name in documented() if "`" not in table_labels(name)} - absent


def table_labels(name):
    return "".join(f"`{label}`" for label in documented()[name][0])
