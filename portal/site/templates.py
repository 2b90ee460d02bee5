"""How pages are made: the Jinja2 environment and the few filters that templates may use."""

from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from portal.catalog import addresses, cells
from portal.metrics.cells import bar, figures
from portal.releases.model import asset_path

TEMPLATES = Path(__file__).parent.parent.parent / "templates"


def environment(templates: Path = TEMPLATES) -> Environment:
    """Everything is escaped, and a name that is missing is an error, not a blank.

    The caller adds the globals `site` (with `.title` and `.description`) and `static`
    (`static("portal.css")` gives the file's address).
    """
    made = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(filesize=filesize, date=date, moment=moment, thousands=thousands)
    made.filters["clock"] = clock
    made.filters.update(figures=figures, bar=bar)
    made.globals["asset_path"] = asset_path
    made.globals["catalog"] = addresses
    made.filters.update(cell=cells.cell, full=cells.full, json_text=cells.json_text)
    return made


def filesize(size: int | None) -> Markup:
    """Bytes for people, in binary units (IEC 80000-13), the exact number as title; "–" for None."""
    if size is None:
        return Markup('<span title="unknown">–</span>')
    value, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 999.95 or unit == "TiB":
            break
        value /= 1024
    shown = f"{size}" if unit == "B" else f"{value:.1f}"
    span = Markup('<span class="size" title="{} bytes">{} {}</span>')
    return span.format(thousands(size), shown, unit)


def date(time: datetime) -> Markup:
    """The day (UTC) of an aware time, for people and for machines."""
    time = time.astimezone(UTC)
    element = Markup('<time datetime="{}" title="{} UTC">{}</time>')
    return element.format(_machine(time), f"{time:%Y-%m-%d %H:%M:%S}", f"{time:%Y-%m-%d}")


def moment(time: datetime) -> Markup:
    """The minute (UTC) of an aware time, for people and for machines."""
    time = time.astimezone(UTC)
    element = Markup('<time datetime="{}">{} UTC</time>')
    return element.format(_machine(time), f"{time:%Y-%m-%d %H:%M}")


def clock(seconds: float) -> Markup:
    """The minute (UTC) of a Unix time, for people and for machines."""
    time = datetime.fromtimestamp(seconds, UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(_machine(time), f"{time:%H:%M}")


def thousands(number: int) -> str:
    """12345 as 12,345."""
    return f"{number:,}"


def _machine(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
