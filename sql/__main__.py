"""Print the SQL statements as they are run: `python -m sql [NAME ...]`.

Names may be patterns, as `old_*`. `--migration SECTION` prints what a migration for that section
of `sql.sections` has to hold: its tables, its triggers, and the views over all sections.
"""

import argparse
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import sql
from sql import catalog, outbox
from sql.sections import SECTIONS

MIGRATION = Path(__file__).parent / "migration.sql"
FOLDERS = (sql.QUERIES, outbox.QUERIES, catalog.QUERIES)


def found(patterns: list[str]) -> Iterator[str]:
    """The statements whose names match any of the patterns, each under its name."""
    for folder in FOLDERS:
        for name, statement in sql.load(folder).items():
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                yield f"-- name: {name}\n{statement}\n"


def migration(section: str) -> str:
    """What a migration for a section has to hold, where the database has the others already."""
    (own,) = (each for each in SECTIONS if each.id == section)
    template = MIGRATION.read_text(encoding="utf-8")
    return sql.expand(template, section=own, sections=SECTIONS)


def main(argv: list[str]) -> int:
    """The command; 1 where no statement has such a name."""
    parser = argparse.ArgumentParser(prog="python -m sql", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these, as old_* or days")
    parser.add_argument("--migration", metavar="SECTION", choices=[each.id for each in SECTIONS])
    options = parser.parse_args(argv)
    if options.migration:
        texts = [migration(options.migration)]
    else:
        texts = list(found(options.names or ["*"]))
    sys.stdout.write("\n".join(texts))
    return 0 if texts else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
