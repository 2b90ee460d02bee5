"""A badge with a number, as an SVG picture."""

from html import escape

# Widths in units of a tenth of a pixel at 11 pixels of Verdana, for what is not listed: 70.
_WIDTHS = {**dict.fromkeys("ijlI.,:;'|!", 34), **dict.fromkeys("frt-() ", 43)}
_WIDTHS |= {**dict.fromkeys("mwMW%@", 105), **dict.fromkeys("ABCDEGHKNOQRUVX", 80)}
_PADDING = 60
HEIGHT = 20


def width(text: str) -> int:
    """About how wide a text is, in pixels."""
    return -(-sum(_WIDTHS.get(c, 70) for c in text) // 10)


def badge(label: str, message: str, colour: str) -> str:
    """The picture; `colour` (#rrggbb) is behind the message, and white must be readable on it."""
    left, right = (width(text) + 2 * _PADDING // 10 for text in (label, message))
    title = escape(f"{label}: {message}")
    texts = "".join(
        f'<text x="{x}" y="14" textLength="{width(text)}">{escape(text)}</text>'
        for x, text in ((left / 2, label), (left + right / 2, message))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{HEIGHT}" '
        f'role="img" aria-label="{title}"><title>{title}</title>'
        f'<clipPath id="r"><rect width="{left + right}" height="{HEIGHT}" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="{HEIGHT}" fill="#444c56"/>'
        f'<rect x="{left}" width="{right}" height="{HEIGHT}" fill="{colour}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" '
        f'font-size="11">{texts}</g></svg>\n'
    )
