"""docs/recipes.md, "A new kind of event": a section made by it is counted and shown everywhere."""

import csv
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from sql.database import SCHEMA
from tests.support.running import ROOT, TOKEN, RunningPortal, ask

PARTS = ("sql", "portal", "handlers", "templates", "static", "catalog", "server.py")
MOST_FILES = 8  # besides the handler and the migration
TODAY = datetime.now(UTC).date()
OLD = TODAY - timedelta(days=40)

SECTION = """
SIGHTINGS = EventSection(
    id="sightings",
    kind="sighting",
    events="sightings",
    totals="sighting_totals",
    fields=("species", "place", "user_agent"),
    keys=("species", "place"),
    scope="species",
    noun="sightings",
)
"""
EVENT = '''
@dataclass(frozen=True, slots=True)
class Sighting:
    """An animal that was seen."""

    kind: ClassVar[str] = "sighting"
    species: str
    place: str
    ip_hash: str
    user_agent: str
    time: int = field(default_factory=now)

'''
TABLES = """
SIGHTINGS = Section(
    "sightings",
    "Sightings",
    "sightings",
    "One for each animal that was seen.",
    "sightings",
    "Sightings.",
    (
        MetricsTable(
            "sightings-by-species",
            "By species",
            "Animals that were seen",
            ("species",),
            "section_by_1",
            {"section": "sightings"},
            _project,
        ),
    ),
)
"""
SENTENCES = """
[events.sightings]
what = "One row for each animal that was seen."
kept = "Until the operator deletes old rows."

[events.sightings.columns]
id = "A number in order."
species = "Which species."
place = "Where."
timestamp = "When."
ip_hash = "A hash in the place of the address."
user_agent = "What the browser calls itself."

[sums.sighting_totals]
what = "Sightings, day by day."
kept = "For good."

[sums.sighting_totals.columns]
day = "The day, in UTC."
species = "Which species."
place = "Where."
count = "How many."
"""

RECORD = """
import asyncio, sys
from datetime import date
from pathlib import Path
from portal.events import Sighting
from sql.database import migrate
from sql.recorder import Recorder
from sql.upkeep import Upkeep

async def main(folder, old, now, today):
    database = folder / "portal.sqlite3"
    migrate(database)
    recorder = Recorder(database, folder / "spill")
    recorder.start()
    for number in range(5):
        time = old if number < 2 else now
        await recorder.record(Sighting("moa", "cave", f"h{number % 2}", "u" * 2000, time))
    await recorder.record(Sighting("wolf", "hill", "h9", "u", now))
    await asyncio.to_thread(recorder.close)
    Upkeep(database).run(date.fromisoformat(today))

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
"""


def python(folder, *arguments):
    """Run Python in the copy; what it prints."""
    command = [sys.executable, "-W", "error", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def contents(folder):
    """Every file of the copy that a person writes."""
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def follow(folder):
    """The recipe's steps that are code; docs/metrics.md, docs/counting.md and the changelog are
    prose and counted by the caller."""

    def edit(name, *changes):
        text = (folder / name).read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, (name, old)
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")

    order = "# In the order in which they are counted and shown.\n"
    edit(
        "sql/sections.py",
        (order, SECTION.lstrip() + "\n" + order),
        ("TOOLS, CATALOG)", "TOOLS, CATALOG, SIGHTINGS)"),
    )
    edit(
        "portal/events.py",
        ("\nEvent = ", EVENT + "\nEvent = "),
        ("CatalogInteraction | Traffic", "CatalogInteraction | Sighting | Traffic"),
    )
    shown = "SECTIONS = (DOWNLOADS, CLONES, TOOLS, CATALOG)\n"
    edit(
        "portal/metrics/tables.py",
        (shown, TABLES.lstrip() + shown.replace("CATALOG", "CATALOG, SIGHTINGS")),
    )
    edit("portal/site/recorded.toml", ("[sums]\n", SENTENCES.partition("[sums")[0] + "[sums]\n"))
    with (folder / "portal/site/recorded.toml").open("a", encoding="utf-8") as file:
        file.write("\n[sums" + SENTENCES.partition("[sums")[2])
    number = int(max(SCHEMA.glob("*.sql")).name[:4]) + 1
    script = python(folder, "-m", "sql", "--migration", "sightings")
    (folder / f"sql/schema/{number:04}_sightings.sql").write_text(script, encoding="utf-8")


class Copy(RunningPortal):
    """A portal of the copied code, before a GitLab that does not answer."""

    def __init__(self, folder, directory):
        super().__init__(directory, "http://127.0.0.1:9")
        self.command[1] = str(folder / "server.py")
        self.environ["PYTHONPATH"] = str(folder)

    def metrics(self, query):
        status, _, body = ask(f"{self.url}/metrics{query}", Authorization=f"Bearer {TOKEN}")
        assert status == 200, body
        return body.decode("utf-8-sig")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The copy with the section, and how many files the recipe has changed or added."""
    folder = tmp_path_factory.mktemp("copy")
    for part in PARTS:
        if (ROOT / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, folder / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, folder / part)
    before = contents(folder)
    follow(folder)
    after = contents(folder)
    changed = {path for path, content in after.items() if before.get(path) != content}
    portal = Copy(folder, tmp_path_factory.mktemp("data"))
    portal.write_config()
    portal.data_dir.mkdir()
    days = (OLD, TODAY)
    times = [int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) for day in days]
    python(folder, "-c", RECORD, portal.data_dir, *times, TODAY)
    return folder, portal, changed


def command(portal, *arguments):
    return subprocess.run(
        [*portal.command[:4], *arguments],
        cwd=portal.directory,
        env=os.environ | portal.environ,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_recipe_touches_few_files(made):
    _, _, changed = made
    prose = {"docs/metrics.md", "docs/counting.md", "CHANGELOG.md"}
    recipe = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")
    assert all(name in recipe for name in prose)
    migration = {path for path in changed if path.parent.name == "schema"}
    assert len(migration) == 1
    assert all(str(path) in recipe for path in changed - migration)
    assert len(changed - migration) + len(prose) <= MOST_FILES


def test_every_statement_of_it_is_there_and_no_query_scans_its_rows(made):
    folder, portal, _ = made
    program = """
import re, sqlite3, sql, sys
from sql.rebuild import SCRATCH
database = sqlite3.connect(sys.argv[1])
database.executescript(SCRATCH.read_text())
for name, text in sql.load().items():
    names = dict.fromkeys(re.findall(r":(\\w+)", text))
    plan = database.execute("explain query plan " + text, names).fetchall()
    if any(step.startswith("SCAN sightings") for *_, step in plan): print("scans", name)
    if "sighting" in name: print(name)
"""
    names = set(python(folder, "-c", program, portal.data_dir / "portal.sqlite3").split())
    assert "scans" not in names
    kinds = ("old", "next_old", "prune", "next", "clients_of", "fresh", "mend", "drop")
    assert names == {"sighting", *(f"{kind}_sightings" for kind in kinds)}


def test_it_is_counted_rolled_up_and_its_clients_are_distinct(made):
    _, portal, _ = made
    assert portal.rows("select count(*), max(length(user_agent)) from sightings") == [(6, 1024)]
    totals = "select day, species, place, count from sighting_totals order by day, species"
    assert portal.rows(totals) == [
        (str(OLD), "moa", "cave", 2),
        (str(TODAY), "moa", "cave", 3),
        (str(TODAY), "wolf", "hill", 1),
    ]
    rolled = "select k1, k2, days_before, days_all from rollups where section = 'sightings'"
    assert portal.rows(rolled) == [("moa", "cave", 2, 2)]
    clients = "select scope, count from client_sums where section = 'sightings' order by scope"
    assert portal.rows(clients) == [("", 3), ("moa", 2), ("wolf", 1)]


def test_it_is_shown_and_exported(made):
    _, portal, _ = made
    with portal:
        page = portal.metrics("")
        shown = json.loads(portal.metrics("?format=json"))["sections"]["sightings"]
        table = portal.metrics("?format=csv&table=sightings-by-species")
        series = portal.metrics("?format=prometheus")
        privacy = ask(f"{portal.url}/privacy")[2].decode()
    assert "One for each animal that was seen." in page
    assert shown["total"]["counts"]["days_all"] == 6
    assert len(shown["days"]) == 90
    assert list(csv.reader(table.split("\r\n")))[1][:5] == ["moa", "3", "2", "5", "5"]
    assert 'portal_sightings_total{species="moa"} 5.0' in series
    assert 'portal_clients{scope="wolf",section="sightings",window="30d"} 1.0' in series
    for sentence in ("Which species.", "Sightings, day by day."):
        assert sentence in privacy


def test_it_is_rebuilt_then_pruned(made):
    _, portal, _ = made
    portal.rows("update sighting_totals set count = 70 where species = 'wolf'")
    portal.rows("delete from sighting_totals where day = ?", str(OLD))
    done = command(portal, "--rebuild-totals")
    assert done.returncode == 0, done.stderr
    totals = "select sum(count) from sighting_totals"
    assert portal.rows(totals) == [(6,)]
    done = command(portal, "--prune-before", str(TODAY), "--yes")
    assert done.returncode == 0, done.stderr
    assert "sightings" in done.stdout
    assert portal.rows("select count(*) from sightings") == [(4,)]
    assert portal.rows(totals) == [(6,)]
