"""`python -m sql`: every statement as it is run, by its name."""

import pytest

import sql
from sql import catalog, outbox
from sql.__main__ import main
from sql.sections import SECTIONS


def test_all_statements_are_printed_expanded(capsys):
    assert main([]) == 0
    printed = capsys.readouterr().out
    for folder in (sql.QUERIES, outbox.QUERIES, catalog.QUERIES):
        for name, statement in sql.load(folder).items():
            assert f"-- name: {name}\n{statement}\n" in printed
    assert "{{" not in printed
    assert "{%" not in printed


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.id)
def test_one_statement_is_found_by_its_name(capsys, section):
    assert main([f"old_{section.id}"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("-- name: ") == 1
    assert f"from {section.events}\n" in printed


@pytest.mark.parametrize(("name", "status"), [("old_*", 0), ("nonsense", 1)])
def test_the_status_says_whether_there_is_one(capsys, name, status):
    assert main([name]) == status
    assert bool(capsys.readouterr().out) == (status == 0)
