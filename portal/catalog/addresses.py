"""Where things of the catalog are on the web."""

from urllib.parse import quote, urlencode

ROOT = "/catalog"
# No path may have these as a segment, not even encoded: browsers take them for steps.
_STEPS = (".", "..")


def address(version: str, category: str = "", table: str = "", row: str | None = None) -> str:
    """The page of a version, a category, a table or a row."""
    path = _joined(version, *filter(None, (category, table)))
    return path if row is None else _with_row(path, row)


def history(category: str, table: str, row: str) -> str:
    """The page of a row through all versions."""
    return _with_row(_joined("history", category, table), row)


def search(**query: str | int) -> str:
    """The page of a search."""
    return with_query(f"{ROOT}/search", **query)


def diff(old: str, new: str, category: str = "", table: str = "", **query: str | int) -> str:
    """The page that compares two versions, or a table in both."""
    return with_query(diff_path(category, table), **{"from": old, "to": new}, **query)


def diff_path(category: str = "", table: str = "") -> str:
    """The same without the versions, for a form."""
    return _joined("diff", *filter(None, (category, table)))


def with_query(path: str, *first: tuple[str, str], **query: str | int) -> str:
    """A path with the fields that are not empty; `first` has those that may stand twice."""
    fields = [*first, *((name, value) for name, value in query.items() if value != "")]
    mark = "&" if "?" in path else "?"
    # A field can be called by half of a surrogate pair, which no address has.
    return f"{path}{mark}{urlencode(fields, errors='replace')}" if fields else path


def _with_row(path: str, row: str) -> str:
    return with_query(path, row=row) if row in _STEPS else f"{path}/{_quoted(row)}"


def _joined(*segments: str) -> str:
    return "/".join([ROOT, *map(_quoted, segments)])


def _quoted(segment: str) -> str:
    return quote(segment, safe="", errors="replace")
