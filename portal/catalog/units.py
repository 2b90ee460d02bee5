"""Units of numbers that the name of a field ends in: CraftSeconds, RangeMeters, HealPercent."""

import re

from portal.catalog.values import Value

_UNITS = {
    "ms": ("Milliseconds", "Ms"),
    "s": ("Seconds", "Secs"),
    "min": ("Minutes", "Mins"),
    "h": ("Hours",),
    "days": ("Days",),
    "%": ("Percent", "Percentage", "Pct"),
    "kg": ("Kilograms", "Kg"),
    "g": ("Grams",),
    "km": ("Kilometers", "Kilometres", "Km"),
    "m": ("Meters", "Metres"),
    "cm": ("Centimeters", "Centimetres", "Cm"),
    "°": ("Degrees",),
    "°C": ("Celsius",),
    "l": ("Liters", "Litres"),
    "W": ("Watts",),
}
_BY_ENDING = {ending: unit for unit, endings in _UNITS.items() for ending in endings}
_ENDING = re.compile(rf"(?:^|(?<=[a-z0-9_]))({'|'.join(_BY_ENDING)})$")


def with_unit(field: str, value: Value) -> str:
    """A number as it is shown: groups of three digits from five digits on, and its unit."""
    text = f"{value:,}" if abs(value) >= 10_000 and isinstance(value, int) else repr(value)
    found = _ENDING.search(field)
    return f"{text}\N{NO-BREAK SPACE}{_BY_ENDING[found[1]]}" if found else text
