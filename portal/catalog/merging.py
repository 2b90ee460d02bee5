"""Default values: a row is a delta to its table's Defaults, at every depth of objects.

With `"Itemable": {"RowName": "None", "DataTableName": "D_Itemable"}` in Defaults a row holds
`"Itemable": {"RowName": "Item_Rope"}` and means both. A list of a row replaces the default list.
"""

from collections.abc import Mapping

from portal.catalog.values import Value


def merged(own: Value, default: Value) -> Value:
    """The value that an own value and its default make together; `own` itself where no default
    adds anything to it."""
    if not (isinstance(own, Mapping) and isinstance(default, Mapping)):
        return own
    whole = {
        name: merged(own[name], value) if name in own else value for name, value in default.items()
    }
    whole.update((name, value) for name, value in own.items() if name not in default)
    return whole


def merged_field(own: Mapping[str, Value], defaults: Mapping[str, Value], name: str) -> Value:
    """One field of a row, merged; None where neither has it."""
    if name not in own:
        return defaults.get(name)
    return merged(own[name], defaults[name]) if name in defaults else own[name]
