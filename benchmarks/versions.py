"""Writes versions of generated data tables to disk, one for each week.

    python -m benchmarks.versions FOLDER [--versions 30] [--scale 1] [--seed 1] [--copies]

Files that did not change are hard links to those of the last version, or copies with `--copies`.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from benchmarks.tables import Tables, Week

FIRST_VERSION = 90  # so that the names become longer: 100 follows 99
FIRST_DATE = date(2024, 1, 5)


class Versions:
    """Writes one version after another into `folder`, each atomically."""

    def __init__(
        self, folder: Path, seed: int = 1, scale: float = 1, *, copies: bool = False
    ) -> None:
        self.folder = folder
        self.tables = Tables(seed, scale)
        self.names: list[str] = []
        self._copies = copies

    @property
    def rows(self) -> int:
        """The number of rows in the newest version."""
        return sum(len(table.rows) for table in self.tables.tables)

    def write_next(self) -> Week:
        """Write the first or the next version; what changed."""
        if self.names:
            week = self.tables.next_week()
        else:
            week = Week(
                touched={table.path for table in self.tables.tables},
                added=self.rows,
                new_tables=len(self.tables.tables),
            )
        name = str(FIRST_VERSION + len(self.names))
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self.folder.parent) as staging:
            whole = Path(staging) / name
            self._write(whole, week)
            whole.rename(self.folder / name)
        self.names.append(name)
        return week

    def _write(self, whole: Path, week: Week) -> None:
        for table in self.tables.tables:
            path = whole / table.path
            path.parent.mkdir(parents=True, exist_ok=True)
            if table.path in week.touched:
                path.write_bytes(table.text().encode())
            else:
                last = self.folder / self.names[-1] / table.path
                (shutil.copyfile if self._copies else os.link)(last, path)
        published = FIRST_DATE + timedelta(weeks=len(self.names))
        told = {"label": f"Week {whole.name}", "date": published.isoformat()}
        (whole / "version.json").write_text(json.dumps(told), encoding="utf-8")


def main(argv: Sequence[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.versions")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--versions", type=int, default=30)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--copies", action="store_true")
    options = parser.parse_args(argv)
    made = Versions(options.folder, options.seed, options.scale, copies=options.copies)
    for _ in range(options.versions):
        week = made.write_next()
        print(
            f"{made.names[-1]}: {len(week.touched)} tables,"
            f" +{week.added} -{week.removed} ~{week.changed} rows"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
