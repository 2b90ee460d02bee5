"""Template expansion: SQL that is the same for several sections but for table and columns."""

import re
from collections.abc import Sequence

from jinja2 import Environment, StrictUndefined, TemplateError

from sql.errors import StatementError
from sql.sections import EventSection

# What is made is SQL and no HTML: nothing is escaped. Only `sql.sections` is ever put in.
_JINJA = Environment(  # noqa: S701  # nosec B701
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
)
_BLANK = re.compile(r"(?m)^[ ]+\n")  # what is left of a line that held only a condition


def expanded(template: str, **facts: EventSection | Sequence[EventSection]) -> str:
    """The text for these facts. Raises `StatementError`, as for a name that is not among them."""
    try:
        made = _JINJA.from_string(template).render(facts)
    except TemplateError as error:
        raise StatementError(f"a template of SQL is wrong: {error}") from error
    return _BLANK.sub("", made) if made != template else template
