"""Command line of the operator's commands: backup, rebuild, prune."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from portal.config.model import Config
from sql.backup import backup, note_backup
from sql.errors import UpkeepError
from sql.operations import Progress
from sql.prune import PrunePreview, preview, prune
from sql.rebuild import Rebuilt, rebuild
from sql.sections import SECTIONS
from sql.spill import waiting

WINDOW_DAYS = 90
NAMES = {section.id: section.noun for section in SECTIONS}

Command = Callable[[Config], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--backup`, `--rebuild-totals` and `--prune-before`, one at a time, and `--yes`."""
    group = parser.add_argument_group("on the database, while the portal serves or does not")
    commands = group.add_mutually_exclusive_group()
    commands.add_argument(
        "--backup", type=Path, metavar="FILE", help="write a copy of the database to a new file"
    )
    commands.add_argument(
        "--rebuild-totals", action="store_true", help="make the totals true again from the rows"
    )
    commands.add_argument(
        "--prune-before",
        type=past_day,
        metavar="DATE",
        help="delete the rows of earlier days (YYYY-MM-DD, UTC); totals stay",
    )
    group.add_argument("--yes", action="store_true", help="prune without asking")


def chosen(options: argparse.Namespace) -> Command | None:
    """The command of the options, or None; it returns the exit status."""
    work: Command
    if options.backup is not None:
        work = partial(_backup, target=options.backup)
    elif options.rebuild_totals:
        work = _rebuild
    elif options.prune_before is not None:
        work = partial(_prune, before=options.prune_before, sure=options.yes)
    else:
        return None
    return partial(_attempt, work)


def past_day(text: str) -> date:
    """A day as YYYY-MM-DD that is not to come; argparse shows the error's sentence."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or str(day) != text:
        raise argparse.ArgumentTypeError(f"{text} is not a day; write it as YYYY-MM-DD")
    if day > _today():
        raise argparse.ArgumentTypeError(f"{text} is to come")
    return day


def _attempt(work: Command, config: Config) -> int:
    """Run a command; an expected failure is one sentence on standard error."""
    try:
        return work(config)
    except (UpkeepError, OSError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail("Interrupted. What was done is whole; run it again for the rest.")


def _backup(config: Config, target: Path) -> int:
    with _bars() as progress:
        size = backup(config.database, target, progress)
    _say(f"{target}: {size:,} bytes, checked.")
    if events := waiting(config.spill_dir, config.database):
        _say(
            f"Not in it: {_count(events, 'event')} in {config.spill_dir}, "
            "not yet in the database either."
        )
    try:
        note_backup(config.database, size)
    except UpkeepError as error:
        return _fail(f"The backup is good, but /metrics will not say so: {error}")
    return 0


def _rebuild(config: Config) -> int:
    with _bars() as progress:
        done = rebuild(config.database, progress)
    _say(_rebuilt(done))
    return 0


def _rebuilt(done: Rebuilt) -> str:
    differed = (
        f"{_count(done.totals, 'daily total')}, {_count(done.sums, 'sum')} over days and "
        f"{_count(done.clients, 'count')} of clients differed and are mended"
    )
    since = f" Days before {done.since} are as they were: their rows are pruned." * bool(done.since)
    wrong = done.totals or done.sums or done.clients
    return (
        f"{_count(done.rows, 'row')} read: {differed if wrong else 'every total was right'}.{since}"
    )


def _prune(config: Config, before: date, sure: bool) -> int:
    with _bars() as progress:
        progress("looking for rows", 0, 0)
        found = preview(config.database, before)
    if found.nothing:
        _say(f"No row is of a day before {before}: nothing to do.")
        return 0
    _say("\n".join(_plan(found, before)))
    if not sure and not _confirmed():
        return 1
    with _bars() as progress:
        rows = prune(
            config.database, before, _today(), sum(old.rows for old in found.old), progress
        )
    _say(f"{_count(rows, 'row')} deleted.")
    return 0


def _plan(found: PrunePreview, before: date) -> Iterator[str]:
    yield f"Rows of days before {before}, to be deleted for good:"
    for old in found.old:
        days = f"  {old.first} to {old.last}" if old.rows else ""
        yield f"  {NAMES[old.section]:15}{old.rows:>12,}{days}"
    yield "Every total stays, and is from then on no longer rebuilt for these days."
    yield f"Clients last seen before {before} are forgotten: one that returns counts as a new one."
    if (_today() - before).days < WINDOW_DAYS:
        yield f"That is within the last {WINDOW_DAYS} days, so in these windows it counts twice."


def _confirmed() -> bool:
    """Ask a person; a program has to say --yes."""
    if not sys.stdin.isatty():
        _fail("Nothing is deleted: nobody can be asked here. Add --yes to do it.")
        return False
    sys.stdout.write("Delete them? [y/N] ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    _fail("Nothing is deleted.")
    return False


class Bars:
    """Progress bars on standard error, one for each step; none where it is no terminal."""

    def __init__(self) -> None:
        self._what = ""
        self._bar: tqdm[NoReturn] | None = None

    def progress(self, what: str, done: int, of: int) -> None:
        """So much is done, of so much; of an unknown number if that is 0."""
        bar = self._bar
        if bar is None or what != self._what:
            self.close()
            # None: not where standard error is no terminal.
            bar = tqdm(desc=what, unit="", unit_scale=True, disable=None, leave=False)
            self._bar, self._what = bar, what
        bar.total = of or None
        bar.update(done - bar.n)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.close()


@contextmanager
def _bars() -> Iterator[Progress]:
    with closing(Bars()) as bars:
        yield bars.progress


def _today() -> date:
    return datetime.now(UTC).date()


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _fail(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1
