"""The facts of `sql.sections` against the schema that the migrations have made."""

import re

import pytest

import sql
from sql.__main__ import main, migration
from sql.database import SCHEMA, migrated_schema
from sql.sections import SECTIONS

LIVE = dict(migrated_schema(SCHEMA))


def plain(statement):
    """Without comments, line breaks and its own name."""
    text = re.sub(r"--.*", "", statement)
    text = re.sub(r"\s+", " ", text).replace("( ", "(").replace(" )", ")")
    return re.sub(r"^create view ", "", text.strip().rstrip(";"), flags=re.IGNORECASE)


def made_by(script):
    """What a migration makes: a statement by each name."""
    parts = re.split(r";\n\n|end;\n\n", script)
    found = (re.search(r"create (?:table|view|trigger) (\w+).*", part, re.DOTALL) for part in parts)
    return {match[1]: match[0] for match in found if match}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.id)
def test_the_views_over_all_sections_are_as_the_facts_say(section):
    views = made_by(migration(section.id))
    for name in ("day_counts", "live_counts"):
        assert plain(views[name]) == plain(LIVE[name])


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.id)
def test_the_tables_have_the_columns_of_the_facts(section):
    made = made_by(migration(section.id))
    for table in (section.events, section.totals):
        columns = re.findall(r"^    (\w+) (?:text|integer|datetime)", made[table], re.MULTILINE)
        live = re.findall(r"(\w+) (?:text|integer|datetime)", LIVE[table])
        assert set(columns) == set(live)


def test_each_fact_is_of_one_section():
    for name in ("id", "kind", "events", "totals"):
        assert len({getattr(section, name) for section in SECTIONS}) == len(SECTIONS)
    for section in SECTIONS:
        assert set(section.keys) <= set(section.fields)
        assert len(section.keys) <= 3


def test_a_migration_is_printed(capsys):
    assert main(["--migration", "clones"]) == 0
    assert capsys.readouterr().out == migration("clones")
    with pytest.raises(SystemExit):
        main(["--migration", "nonsense"])


def test_a_template_with_an_unknown_name_is_an_error():
    with pytest.raises(sql.StatementError, match="nonsense"):
        sql.expand("select {{ nonsense }}", sections=SECTIONS)
