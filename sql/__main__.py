"""Print the SQL statements as they are run: `python -m sql [NAME ...]`.

Names may be patterns, as `old_*`.
"""

import argparse
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase

import sql
from sql import catalog, outbox

FOLDERS = (sql.QUERIES, outbox.QUERIES, catalog.QUERIES)


def found(patterns: list[str]) -> Iterator[str]:
    """The statements whose names match any of the patterns, each under its name."""
    for folder in FOLDERS:
        for name, statement in sql.load(folder).items():
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                yield f"-- name: {name}\n{statement}\n"


def main(argv: list[str]) -> int:
    """The command; 1 where no statement has such a name."""
    parser = argparse.ArgumentParser(prog="python -m sql", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these, as old_* or days")
    texts = list(found(parser.parse_args(argv).names or ["*"]))
    sys.stdout.write("\n".join(texts))
    return 0 if texts else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
