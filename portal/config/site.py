"""The site's name, words and colour: the table [site] of the configuration."""

from dataclasses import dataclass

TITLE = "Portal"
COLOUR = "#0b5c8a"


@dataclass(frozen=True, slots=True)
class Link:
    """A link in the footer."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Site:
    """What every page shows of the site; `accent` is a colour (`#rrggbb`).

    `url` is its public address without a trailing slash, "" where addresses are taken from each
    request. `security_contact` is where faults are reported ("" for nowhere), an address with
    https:, mailto: or tel:. `badges` says whether counts of downloads are public.
    """

    title: str = TITLE
    description: str = ""
    url: str = ""
    accent: str = COLOUR
    footer: str = ""
    links: tuple[Link, ...] = ()
    security_contact: str = ""
    badges: bool = False
