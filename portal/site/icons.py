"""Icons and web app manifest in the site's configured colour.

Nothing is drawn. The PNG files in static/ have a palette of 16 colours, from the accent to white,
and `coloured` replaces that one chunk of the file (https://www.w3.org/TR/png/#11PLTE).
"""

import json
import struct
import zlib

from portal.config.site import COLOUR, Site
from portal.site.colours import mix

SHADES = 16
SIZES = (192, 512)
_PLTE = b"PLTE"


def coloured(png: bytes, accent: str) -> bytes:
    """A PNG file from static/ with its palette from `accent` to white."""
    start = png.index(_PLTE)
    body = _PLTE + b"".join(
        bytes.fromhex(mix(accent, "#ffffff", shade / (SHADES - 1))[1:]) for shade in range(SHADES)
    )
    return png[:start] + body + struct.pack(">I", zlib.crc32(body)) + png[start + len(body) + 4 :]


def svg(drawing: str, accent: str) -> str:
    """An SVG file from static/ in that colour."""
    return drawing.replace(COLOUR, accent)


def ico(png: bytes, size: int) -> bytes:
    """A PNG file as the only picture of an ICO file (of `size` pixels, below 256)."""
    head = struct.pack("<HHH", 0, 1, 1)
    return head + struct.pack("<BBBBHHII", size, size, 0, 0, 1, 32, len(png), 22) + png


def manifest(site: Site, address: dict[int, str]) -> str:
    """The web app manifest (https://www.w3.org/TR/appmanifest/); `address` is by size of icon."""
    icons = [
        {"src": address[size], "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for size in SIZES
        for purpose in ("any", "maskable")
    ]
    said = {
        "name": site.title,
        "short_name": site.title,
        "description": site.description,
        "start_url": "/",
        "scope": "/",
        "display": "browser",
        "theme_color": site.accent,
        "background_color": "#f6f7f9",
        "icons": icons,
    }
    return json.dumps(said, ensure_ascii=False, indent=1)
