"""One pass over the folder of versions: what is new goes into the index, what is gone goes out.

Runs in a process of its own (`python -m portal.catalog.indexing FOLDER INDEX PARENT`), so that the
portal keeps its memory and its time. Standard output gets a line of JSON for each thing that the
operator should see in the log.
"""

import ctypes
import hashlib
import json
import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from portal.catalog import folders, tables, values, words
from portal.catalog.folders import TableFile, VersionFolder, versions
from portal.catalog.merging import merged
from sql.catalog import prepare
from sql.catalog.sweeping import sweep
from sql.catalog.writing import Content, Index, NewRow, alone
from sql.errors import CatalogError, MigrationError

PRIORITY = 10
MEMORY_BYTES = 3 << 30  # of address space; a table of 128 MiB takes about a third
PR_SET_PDEATHSIG = 1  # linux/prctl.h
SAID = 10  # problems of a version that go to the log; /metrics has all
EVERY = 16  # files in one transaction, after which the progress is seen

Problems = list[tuple[str, str]]


def run(root: Path, path: Path) -> None:
    """The pass, if no other process is at it. Raises OSError where the folder cannot be read, and
    `CatalogError`. An index that turned out to be damaged is made anew."""
    with alone(path) as free:
        if free:
            if why := prepare(path):
                say("anew", "the index", why=why)
            with closing(Index(path)) as index:
                bring_up_to_date(index, root)


def bring_up_to_date(index: Index, root: Path) -> None:
    """The newest version first: it is what most people look for."""
    try:
        found = versions(root)
    except OSError as error:
        unreadable(index, root, error)
        raise
    shown = [folder for folder in found if folder.files]
    known = index.known()
    gone = known.keys() - {folder.name for folder in shown}
    with index.transaction():
        index.run("set_folder", folder=str(root))
        forget(index, gone)
        index.keep_problems(folder.name for folder in found)
        for folder in found:
            if not folder.files:
                index.set_problems(folder.name, folder.problems)
                tell("unusable", folder.name, folder.problems)
    changed = bool(gone) or not index.rows("is_complete")[0][0]
    for folder in reversed(shown):
        before = known.get(folder.name)
        if before is None or not before.ready or before.fingerprint != folder.fingerprint:
            changed = add_version(index, root, folder) or changed
    if changed:
        with index.transaction():
            index.run("complete")
            sweep(index, lambda name, body: words.words(name, json.loads(body)))


def unreadable(index: Index, root: Path, error: OSError) -> None:
    """Say so where the operator looks. What is known is still shown, if it is of this folder."""
    with index.transaction():
        if index.folder() != str(root):
            forget(index, index.known())
            index.run("set_folder", folder=str(root))
        index.keep_problems([])
        index.run("complete")
        index.set_problems("", [(str(root), f"cannot be read: {error.strerror}.")])


def forget(index: Index, names: Iterable[str]) -> None:
    """Versions that are gone."""
    known = index.known()
    for name in names:
        index.forget_version(name, known[name].id)
        say("gone", name)


def add_version(index: Index, root: Path, folder: VersionFolder) -> bool:
    """Read a version and show it; whether anything changed. One that changes meanwhile is left as
    it was: the next pass finds it again."""
    with index.transaction():
        version = index.start_version(folder.name, len(folder.files))
    problems: Problems = list(folder.problems)
    held: dict[int, int] = {}
    for start in range(0, len(folder.files), EVERY):
        with index.transaction():
            for file in folder.files[start : start + EVERY]:
                add_file(index, file, held, problems)
            index.run(
                "version_progress", version=version, done=min(start + EVERY, len(folder.files))
            )
    again = versions(root, only=folder.name)
    if [each.fingerprint for each in again] != [folder.fingerprint]:
        say("changing", folder.name)
        return False
    told = {"name": folder.name, "label": folder.label, "date": folder.date}
    with index.transaction():
        index.finish_version(version, told | {"fingerprint": folder.fingerprint}, held, problems)
    tell("ready", folder.name, problems)
    return True


def add_file(index: Index, file: TableFile, held: dict[int, int], problems: Problems) -> None:
    """One table of the version; of a file that was read before only its hash is needed."""
    try:
        content = folders.content(file)
    except OSError as error:
        problems.append((file.shown, f"cannot be read: {error.strerror}."))
        return
    if len(content) > folders.MOST_BYTES:
        limit = folders.MOST_BYTES >> 20
        problems.append((file.shown, f"is larger than {limit} MiB and is left out."))
        return
    file_hash = hashed(content)
    number = index.table(file.category, file.table)
    seen = index.seen(number, file_hash)
    if seen is None:
        try:
            held[number], told = add_table(index, number, tables.read(content))
        except tables.BadTable as error:
            problems.append((file.shown, f"{error}"))
            return
        index.remember(number, file_hash, held[number], told)
    else:
        held[number], told = seen
    problems.extend((file.shown, sentence) for sentence in told)


def add_table(index: Index, number: int, table: tables.DataTable) -> tuple[int, list[str]]:
    """The number of what the table holds, once it is in the index, and what is wrong with it.
    Raises `BadTable`."""
    head = values.canonical(table.head).encode()
    if len(head) > tables.MOST_ROW:
        raise tables.BadTable("has more than 1 MiB beside its Rows.")
    bodies = {name: values.compact(row) for name, row in table.rows.items()}
    large = [name for name, body in bodies.items() if len(body) > tables.MOST_ROW]
    for name in large:
        del bodies[name]
    stored = [
        NewRow(name, digest(table.rows[name]), words.title(table.rows[name]), body)
        for name, body in bodies.items()
    ]
    rows, new = index.add_rows(number, stored)
    for row, place in new.items():
        name = stored[place].name
        index.add_words(row, words.words(name, table.rows[name]))
        index.add_links(row, 0, links(table.rows[name]))
    head_number = index.add_head(number, hashed(head), values.compact(table.head))
    bodied = {row: table.rows[name] for row, name in zip(rows, bodies, strict=True)}
    digests = merge(index, head_number, table.defaults, bodied)
    fields = Counter(field for name in bodies for field in table.rows[name] if field != "Name")
    whole = hashed(head + "".join(f",{row}" for row in rows).encode())
    content = index.add_content(number, whole, Content(head_number, rows, digests, fields))
    return content, [*table.problems, *tables.too_large(large)]


def merge(
    index: Index,
    head: int,
    defaults: Mapping[str, values.Value],
    rows: Mapping[int, Mapping[str, values.Value]],
) -> list[int]:
    """The digests of rows merged with a head's Defaults; what they refer to by these is added."""
    known = index.digests(head)
    digests = []
    for row, own in rows.items():
        found = known.get(row)
        if found is None:
            whole = merged(own, defaults)
            found = int.from_bytes(digest(whole)[:8], "little")
            if defaults:
                index.add_links(row, head, links(whole) - links(own))
        digests.append(found)
    return digests


def links(row: Mapping[str, values.Value]) -> set[tuple[str, str]]:
    """The tables and rows that a row refers to, as they are stored."""
    return {
        (values.storable(link.table), values.storable(link.row))
        for link in values.references(list(row.values()))
    }


def digest(row: Mapping[str, values.Value]) -> bytes:
    """The hash of a row's values: the same for values that are equal."""
    return hashed(values.canonical(row).encode())


def hashed(content: bytes) -> bytes:
    """Sixteen bytes that no two contents share."""
    return hashlib.blake2b(content, digest_size=16).digest()


def say(what: str, version: str, **more: object) -> None:
    """A line for the process that waits."""
    sys.stdout.write(json.dumps({"what": what, "version": version, **more}) + "\n")
    sys.stdout.flush()


def tell(what: str, version: str, problems: Problems) -> None:
    """The same with what is wrong, as far as the log should have it."""
    first = [" ".join(each) for each in problems[:SAID]]
    say(what, version, problems=len(problems), first=first)


def confine(parent: int) -> None:
    """End with the portal, and stand behind it."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # systemd signals all; the portal decides when
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before it was watched
        sys.exit()
    os.nice(PRIORITY)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def main(arguments: list[str]) -> int:
    """The command; 1 with a sentence on standard error where it could not be done."""
    folder, path, parent = arguments
    confine(int(parent))
    try:
        run(Path(folder), Path(path))
    except (OSError, CatalogError, MigrationError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
