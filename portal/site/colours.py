"""The site's own colour, made readable: what the configuration names becomes lighter or darker
until text of it can be read on every ground of the pages.

Colours are `#rrggbb`. Contrast is WCAG's: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio.
"""

import colorsys
from dataclasses import dataclass

# As in static/values.css: the grounds that text of the accent stands on, and where it is hardest.
LIGHT_GROUNDS = ("#eef1f4", "#f6f7f9", "#ffffff", "#fdeecb", "#fbe3e1")
DARK_GROUNDS = ("#232b34", "#1a2027", "#12161b", "#3c2f12", "#43201e")
TEXT = 4.5  # the least for text (WCAG 1.4.3)
ON_DARK = 6.0  # more: light on dark is read less well


@dataclass(frozen=True, slots=True)
class Accent:
    """The accent of light pages and of dark ones; `strong` is where a pointer is over it."""

    light: str
    light_strong: str
    dark: str
    dark_strong: str


def accent(colour: str) -> Accent:
    """What a colour becomes on the pages."""
    light, dark = (
        _readable(colour, 0, LIGHT_GROUNDS, TEXT),
        _readable(colour, 1, DARK_GROUNDS, ON_DARK),
    )
    return Accent(light, mix(light, "#000000", 0.25), dark, mix(dark, "#ffffff", 0.35))


def theme(colour: str) -> str:
    """The style sheet that sets it, over values.css."""
    made = accent(colour)
    return (
        f":root {{ --accent: {made.light}; --accent-strong: {made.light_strong}; }}\n"
        "@media (prefers-color-scheme: dark) {\n"
        f"  :root {{ --accent: {made.dark}; --accent-strong: {made.dark_strong}; }}\n"
        "}\n"
    )


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def mix(colour: str, other: str, part: float) -> str:
    """A colour with so great a part (0 to 1) of another in it."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


def _readable(colour: str, end: float, grounds: tuple[str, ...], least: float) -> str:
    """The colour, its lightness as little nearer to `end` (0 or 1) as makes it text on all grounds.

    Hue and saturation stay.
    """
    hue, lightness, saturation = colorsys.rgb_to_hls(*(c / 255 for c in _channels(colour)))
    for step in range(41):
        lighter = lightness + (end - lightness) * step / 40
        rgb = colorsys.hls_to_rgb(hue, lighter, saturation)
        shade = "#" + "".join(f"{round(255 * channel):02x}" for channel in rgb)
        if all(contrast(shade, ground) >= least for ground in grounds):
            return shade
    return "#000000" if end == 0 else "#ffffff"


def _channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def _luminance(colour: str) -> float:
    linear = [_linear(channel / 255) for channel in _channels(colour)]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
