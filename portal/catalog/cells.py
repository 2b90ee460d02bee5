"""Values as HTML. In Python and not in a template: a page has a thousand of them."""

import json
from collections.abc import Mapping

from markupsafe import Markup, escape

from portal.catalog.addresses import address
from portal.catalog.model import TableEntry
from portal.catalog.values import (
    NOTHING,
    Reference,
    Value,
    localized,
    names_nothing,
    plain,
    reference,
)

SHORT = 160  # characters of a cell
FEW = 4  # of a list in a cell

Links = Mapping[Reference, TableEntry]


def cell(value: Value, links: Links, version: str) -> Markup:
    """A value in a table's cell: short, on one line."""
    if isinstance(value, list) and value and all(map(reference, value)):
        shown = Markup(", ").join(_link(each, links, version) for each in value[:FEW])
        more = Markup(" <span class=quiet>and {} more</span>").format(len(value) - FEW)
        return shown + more if len(value) > FEW else shown
    if isinstance(value, list | dict) and not reference(value) and not names_nothing(value):
        text = plain(value)
        return escape(text if len(text) <= SHORT else f"{text[:SHORT]}…")
    return _leaf(value, links, version, SHORT)


def full(value: Value, links: Links, version: str) -> Markup:
    """A whole value, with what is in it as lists."""
    if isinstance(value, list):
        if not value:
            return Markup('<span class="quiet">empty list</span>')
        entries = Markup("").join(
            Markup("<li>{}</li>").format(full(each, links, version)) for each in value
        )
        return Markup('<ul class="values">{}</ul>').format(entries)
    if isinstance(value, dict) and not reference(value) and not names_nothing(value):
        if not value:
            return Markup('<span class="quiet">empty object</span>')
        pairs = Markup("").join(
            Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name, full(each, links, version))
            for name, each in value.items()
        )
        return Markup('<dl class="values">{}</dl>').format(pairs)
    return _leaf(value, links, version, None)


def json_text(value: Value) -> str:
    """As indented JSON, with what UTF-8 cannot have escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=2)
    return text


def _leaf(value: Value, links: Links, version: str, most: int | None) -> Markup:
    if reference(value):
        return _link(value, links, version)
    if value is None:
        return Markup('<span class="quiet">null</span>')
    if names_nothing(value):
        return Markup('<span class="quiet">{}</span>').format(NOTHING)
    if value == "":
        return Markup('<span class="quiet">empty text</span>') if most is None else Markup("")
    text = plain(value)
    if most is not None and len(text) > most:
        text = f"{text[:most]}…"
    found = localized(value)
    if found and found.key:
        return Markup('<span title="{}">{}</span>').format(found.key, text)
    return escape(text)


def _link(value: Value, links: Links, version: str) -> Markup:
    link = reference(value)
    assert link  # noqa: S101 - the caller has looked
    entry = links.get(link)
    if entry is None:
        return Markup('<span title="{} has no such row">{}</span>').format(link.table, link.row)
    path = address(version, entry.category, entry.name, link.row)
    return Markup('<a href="{}" title="{}">{}</a>').format(path, link.table, link.row)
