"""What tests read of /metrics: its page, its tables, its JSON; and a database with rows for it."""

import csv
import io
import json
import re
import time
from datetime import UTC, datetime, timedelta
from html import unescape

from tests.support.running import TOKEN, ask

BEARER = {"Authorization": f"Bearer {TOKEN}"}


HOSTILE = (
    "<script>alert(1)</script>",
    "</td></table><img src=x>",
    "\"quotes\" & 'apostrophes'",
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "\N{ARABIC LETTER ALEF}\N{ARABIC LETTER BEH}",
    "a\nb",
    "tab\tand return\r",
    "nul \N{REPLACEMENT CHARACTER}",
    "x" * 100_000,
    "",
)


def fill(portal):
    today = datetime.now(UTC).date()
    old = today - timedelta(days=45)
    for day, clients in ((old, "cd"), (today, "abc")):
        for client in clients:
            who = f"{day} 00:00:01", client
            portal.rows(
                "insert into downloads values (null, 'pets', 'v1', 'a.zip', ?, ?, 'u')", *who
            )
            portal.rows("insert into clones values (null, 'prospects', ?, ?, 'git')", *who)
            portal.rows("insert into tool_usage values (null, 'pets', 'upload', ?, ?, 'u')", *who)
            for event, detail, results in (
                ("category_view", "Items", None),
                ("search", "wolf", 12),
                ("search", "unicorn", 0),
                ("diff_view", "1..2", None),
            ):
                portal.rows(
                    "insert into catalog_interactions values (null, ?, ?, ?, ?, ?)",
                    *(event, detail, results, *who),
                )
    for detail in HOSTILE:
        portal.rows(
            "insert into catalog_interactions values (null, 'search', ?, 0, ?, 'h')",
            *(detail, f"{today} 00:00:02"),
        )
        portal.rows(
            "insert into downloads values (null, 'pets', 'v1', ?, ?, 'h', ?)",
            *(detail, f"{today} 00:00:02", detail),
        )


def condition_when(portal, fine):
    """The state of the portal once it is as it should be; what is behind comes every 2 seconds."""
    until = time.monotonic() + 20
    while not fine(house := as_json(portal)["house"]):
        assert time.monotonic() < until, house
        time.sleep(0.1)
    return house


def as_json(portal, query=""):
    status, headers, body = ask(f"{portal.url}/metrics?format=json{query}", **BEARER)
    assert status == 200, body
    assert headers["content-type"] == "application/json; charset=UTF-8"
    return json.loads(body)


def page(portal, query=""):
    status, _, body = ask(f"{portal.url}/metrics?token={TOKEN}{query}", Accept="text/html")
    assert status == 200
    return body.decode()


def cells(html, table):
    """The rows of a table, as lists of text."""
    body = re.search(rf'id="table-{table}".*?</table>', html, re.DOTALL)[0]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    kept = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[unescape(re.sub(r"</?bdi[^>]*>", "", cell)) for cell in row] for row in kept]


def table_of(portal, name, window="30"):
    """A CSV table, as a spreadsheet reads it."""
    url = f"{portal.url}/metrics?format=csv&table={name}&window={window}"
    status, headers, body = ask(url, **BEARER)
    assert status == 200, body
    assert headers["content-type"] == "text/csv; charset=UTF-8"
    assert f'filename="{name}-' in headers["content-disposition"]
    text = body.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))
