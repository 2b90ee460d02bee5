"""What the site says of itself: the table [site] of the configuration."""

from dataclasses import dataclass

from portal.config.toml_table import TomlTable

TITLE = "Portal"
COLOUR = "#0b5c8a"


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the footer."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Site:
    """The site's name, words and colour (`#rrggbb`).

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


def read(table: TomlTable) -> Site:
    """The table, with its faults left in the reader."""
    return Site(
        title=table.text("title", TITLE),
        description=table.text("description", ""),
        url=table.origin("url", ""),
        accent=table.colour("accent", COLOUR),
        footer=table.text("footer", ""),
        links=tuple(
            Link(link.text("label", None), link.link("url"))
            for link in table.tables("links", least=0)
        ),
        security_contact=table.contact("security_contact"),
        badges=table.flag("badges"),
    )
