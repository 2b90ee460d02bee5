"""The forms of the operator's page: CSV, JSON, what Accept prefers; hostile text in each."""

import re
from datetime import UTC, datetime

import pytest

from tests.support.metrics import BEARER, HOSTILE, as_json, cells, page, table_of
from tests.support.running import ask


@pytest.fixture
def portal(filled_portal):
    return filled_portal


@pytest.mark.parametrize("detail", HOSTILE)
def test_hostile_text_is_text_in_every_form(portal, detail):
    html = page(portal)
    shown = detail[:120] + ("…" if len(detail) > 120 else "")
    parsed = shown.replace("\r", "&#13;")
    assert shown in [row[0] for row in cells(html, "searches")]
    assert shown in [row[2] for row in cells(html, "downloads-by-asset") if len(row) > 2]
    assert "<script" not in html
    assert "<img" not in html
    assert parsed is not None
    rows = as_json(portal)["sections"]["catalog"]["tables"]["searches"]["rows"]
    assert detail in [row["search"] for row in rows]
    for table, column in (("searches", 0), ("downloads-by-asset", 2)):
        kept = [line[column] for line in table_of(portal, table)[1:]]
        formula = detail.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert ("'" if formula else "") + detail in kept


def test_a_csv_has_all_that_the_page_has(portal):
    names = re.findall(r"format=csv&amp;table=([\w-]+)", page(portal))
    assert len(names) == 11
    for name in names:
        table = table_of(portal, name)
        assert len({len(line) for line in table}) == 1
    assert table_of(portal, "clones-by-project")[1] == [
        *("prospects", "3", "2", "5", "5", "3", "2", "4", "4")
    ]
    assert table_of(portal, "searches")[1] == ["unicorn", "3", "2", "5", "5", "0"]
    days = table_of(portal, "days")
    assert (days[0], len(days)) == (["section", "day", "count", "clients"], 1 + 4 * 90)


def test_a_long_table_is_cut_and_its_csv_is_not(start_portal):
    with start_portal() as portal:
        today = str(datetime.now(UTC).date())
        for number in range(250):
            portal.rows(
                "insert into catalog_totals (day, event, detail, count, results)"
                " values (?, 'search', ?, ?, 1)",
                *(today, f"word {number}", number + 1),
            )
        assert len(cells(page(portal), "searches")) == 101
        assert "The first 100. " in page(portal)
        assert as_json(portal)["sections"]["catalog"]["tables"]["searches"]["more"] is True
        table = table_of(portal, "searches")
        assert [line[0] for line in table[1:]] == [f"word {n}" for n in range(249, -1, -1)]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("window=31", "30, 90, all"),
        ("window=", "30, 90, all"),
        ("format=xml", "html, json, csv, prometheus"),
        ("format=csv", "downloads-by-project"),
        ("format=csv&table=users", "searches-without-result"),
        ("format=csv&table=%00<b>", "days"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(portal, query, sentence):
    status, _, body = ask(f"{portal.url}/metrics?{query}", **BEARER)
    assert (status, sentence in body.decode()) == (400, True)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/html"),
        ("*/*", "text/html"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("text/plain", "text/plain"),
        ("text/html,text/plain;version=0.0.4;q=0.9", "text/html"),
        ("application/json", "application/json"),
        ("text/plain;version=0.0.4", "text/plain"),
        ("text/plain; version=0.0.4;q=0.5,*/*;q=0.1", "text/plain"),
        (
            "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openmetrics-text",
        ),
    ],
)
def test_the_form_that_accept_prefers(portal, accept, kind):
    answer = ask(f"{portal.url}/metrics", Accept=accept, **BEARER)
    assert answer[0] == 200
    assert answer[1]["content-type"].startswith(kind)
