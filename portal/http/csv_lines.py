"""CSV (RFC 4180) for spreadsheets: lines without formulas, in UTF-8 that Excel recognises."""

import csv
import io
from collections.abc import Iterable, Sequence

Cell = str | int | None

BYTE_ORDER_MARK = "\ufeff"  # at the start of a file; without it Excel does not read UTF-8

# A spreadsheet takes text that begins so for a formula (OWASP, "CSV Injection"): the apostrophe
# makes it text. Some skip white space, or take the full-width forms too.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def csv_lines(rows: Iterable[Sequence[Cell]]) -> str:
    """The rows as lines, each with its end; None is an empty cell.

    Half of a surrogate pair becomes a question mark, since UTF-8 has no form for it.
    """
    text = io.StringIO()
    csv.writer(text).writerows(
        [harmless(cell) if isinstance(cell, str) else cell for cell in cells] for cells in rows
    )
    return text.getvalue().encode("utf-8", "replace").decode()


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
