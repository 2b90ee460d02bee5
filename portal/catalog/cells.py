"""Values as HTML. In Python and not in a template: a page has a thousand of them."""

import json
from collections.abc import Iterator, Mapping

from markupsafe import Markup, escape

from portal.catalog.addresses import address
from portal.catalog.links import Links
from portal.catalog.units import with_unit
from portal.catalog.values import (
    NOTHING,
    Reference,
    Value,
    localized,
    names_nothing,
    only_reference,
    plain,
    reference,
    tableless,
)

SHORT = 160  # characters of a cell
FEW = 4  # of a list in a cell
WIDEST = 8  # columns of a list of objects that is shown as a table


def cell(value: Value, links: Links, version: str) -> Markup:
    """A value in a table's cell: short, on one line."""
    if isinstance(value, list) and value and all(map(only_reference, value)):
        shown = Markup(", ").join(_leaf(each, links, version, SHORT) for each in value[:FEW])
        more = Markup(" <span class=quiet>and {} more</span>").format(len(value) - FEW)
        return shown + more if len(value) > FEW else shown
    if isinstance(value, list | dict) and not _is_leaf(value):
        text = plain(value)
        return escape(text if len(text) <= SHORT else f"{text[:SHORT]}…")
    return _leaf(value, links, version, SHORT)


def full(value: Value, links: Links, version: str, field: str = "") -> Markup:
    """A whole value, with what is in it as lists; `field` is where it stands."""
    if isinstance(value, list):
        return _list(value, links, version, field)
    if isinstance(value, dict) and not _is_leaf(value):
        if not value:
            return Markup('<span class="quiet">empty object</span>')
        pairs = Markup("").join(
            Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(
                _leaf(name, links, version, None), full(each, links, version, name)
            )
            for name, each in _parts(value)
        )
        return Markup('<dl class="values">{}</dl>').format(pairs)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return escape(with_unit(field, value))
    return _leaf(value, links, version, None)


def _list(value: list[Value], links: Links, version: str, field: str) -> Markup:
    """Amounts of things as such, objects as a small table, all else as a list."""
    if not value:
        return Markup('<span class="quiet">empty list</span>')
    amounts = [_amount(each) for each in value]
    if all(amounts):
        rows = Markup("").join(
            Markup("<li><span class=amount>{} ×</span> {}</li>").format(
                with_unit("", count), _leaf(thing, links, version, None)
            )
            for count, thing in filter(None, amounts)
        )
        return Markup('<ul class="values amounts">{}</ul>').format(rows)
    if all(isinstance(each, dict) and each and not _is_leaf(each) for each in value):
        columns = dict.fromkeys(name for each in value for name, _ in _parts(each))
        if len(columns) <= WIDEST:
            return _table(value, list(columns), links, version)
    entries = Markup("").join(
        Markup("<li>{}</li>").format(full(each, links, version, field)) for each in value
    )
    return Markup('<ul class="values">{}</ul>').format(entries)


def _amount(value: Value) -> tuple[Value, Value] | None:
    """A number and the reference that it is a number of, where an object is these two."""
    if not isinstance(value, dict) or len(value) != 2:
        return None
    one, other = value.values()
    thing, count = (one, other) if only_reference(one) else (other, one)
    number = isinstance(count, int | float) and not isinstance(count, bool)
    return (count, thing) if number and only_reference(thing) else None


def _table(value: list[Value], columns: list[str], links: Links, version: str) -> Markup:
    """A list of objects: a row for each, a column for each of their fields."""
    heads = Markup("").join(Markup('<th scope="col">{}</th>').format(name) for name in columns)
    rows = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(
                Markup("<td>{}</td>").format(
                    full(parts[name], links, version, name) if name in parts else ""
                )
                for name in columns
            )
        )
        for parts in (dict(_parts(each)) for each in value)
    )
    return Markup(
        '<table class="inner"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
    ).format(heads, rows)


def json_text(value: Value) -> str:
    """As indented JSON, with what UTF-8 cannot have escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=2)
    return text


def _is_leaf(value: Value) -> bool:
    """Whether an object is shown as one name: a reference and nothing beside it."""
    return bool(only_reference(value) or names_nothing(value) or tableless(value))


def _parts(value: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    """The fields of an object; the two of a reference are shown as one link."""
    found = reference(value)
    if found:
        yield "RowName", {"RowName": found.row, "DataTableName": found.table}
    for name, inner in value.items():
        if not (found and name in ("RowName", "DataTableName")):
            yield name, inner


def _leaf(value: Value, links: Links, version: str, most: int | None) -> Markup:
    if found := reference(value):
        return _link(found, links, version)
    if value is None:
        return Markup('<span class="quiet">null</span>')
    if names_nothing(value):
        return Markup('<span class="quiet">{}</span>').format(NOTHING)
    if value == "":
        return Markup('<span class="quiet">empty text</span>') if most is None else Markup("")
    if row := tableless(value):
        return _lost(row, "of no named table")
    text = plain(value)
    if most is not None and len(text) > most:
        text = f"{text[:most]}…"
    found_text = localized(value)
    if found_text and found_text.key:
        return Markup('<span title="{}">{}</span>').format(found_text.key, text)
    return escape(text)


def _link(link: Reference, links: Links, version: str) -> Markup:
    target = links.get(link)
    if target is None:
        return _lost(link.row, f"not in {link.table}")
    path = address(version, target.entry.category, target.entry.name, target.name)
    if target.title:
        hint = f"{link.table}: {link.row}"
        return Markup('<a href="{}" title="{}">{}</a>').format(path, hint, target.title)
    return Markup('<a href="{}" title="{}">{}</a>').format(path, link.table, link.row)


def _lost(row: str, why: str) -> Markup:
    """A reference that leads nowhere, with the reason in words."""
    return Markup('{} <span class="lost">({})</span>').format(row, why)
