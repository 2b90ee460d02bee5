"""What no version holds any more, taken out of the index."""

from collections.abc import Callable, Sequence

from sql.catalog.writing import Index, unpacked

Describe = Callable[[str, str], Sequence[str]]


def sweep(index: Index, describe: Describe) -> int:
    """Delete it within one transaction; return how many rows went. `describe` gives the words of a
    row, by its name and body, as they were added. Raises `CatalogError`."""
    for statement in ("sweep_contents", "sweep_files", "sweep_heads", "sweep_links"):
        index.run(statement)
    held: set[int] = set()
    for (members,) in index.rows("all_members"):
        held.update(unpacked(members))
    gone = [row for (row,) in index.rows("all_rows") if row not in held]
    for row in gone:
        ((name, body),) = index.rows("row_as_it_is", row=row)
        column, title, text, value, spelling = describe(name, body)
        index.run("forget_spelling", row=row, spelling=spelling)
        index.run("forget_words", row=row, name=column, title=title, text=text, value=value)
        index.run("forget_links", row=row)
        index.run("forget_row", row=row)
    for statement in ("sweep_keys", "sweep_tables"):
        index.run(statement)
    return len(gone)
