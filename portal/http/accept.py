"""What a client would like: Accept and Accept-Encoding (RFC 9110, 12.5), and who says nothing."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from portal.http.crawlers import declares_itself

PageForm = Literal["html", "json", "text"]

_QUALITY = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
_FORMS: dict[str, PageForm] = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/json": "json",
    "text/plain": "text",
}
# Browsers, and what makes a preview of a link: some take anything, and want the page. Crawlers are
# known besides.
_PAGE_READERS = re.compile(
    r"mozilla|whatsapp|telegram|slack|skype|mastodon|signal|pinterest|embed|lynx|w3m|links",
    re.IGNORECASE,
)


class Offer(NamedTuple):
    """One entry of the header, in lower case."""

    kind: str
    parameters: tuple[str, ...]
    quality: float


def offers(header: str) -> Iterator[Offer]:
    """The entries of an Accept header, in its order; a quality that is none is 1."""
    for entry in header.lower().split(","):
        kind, *parameters = (part.strip() for part in entry.split(";"))
        if kind:
            found = (match for p in parameters if (match := _QUALITY.fullmatch(p)))
            match = next(found, None)
            yield Offer(kind, tuple(parameters), float(match[1]) if match else 1.0)


def form(accept: str, user_agent: str) -> PageForm:
    """In which form to answer a page of releases.

    What Accept names decides, by its quality, then by its order. Who takes anything (curl, wget,
    most libraries) gets text, unless it is known to read pages; who says nothing gets the page.
    """
    best, chosen = 0.0, None
    anything = False
    for kind, _, quality in offers(accept):
        named = _FORMS.get(kind)
        if named and quality > best:
            best, chosen = quality, named
        anything = anything or (kind in ("*/*", "text/*") and quality > 0)
    if chosen:
        return chosen
    reads_pages = _PAGE_READERS.search(user_agent) or declares_itself(user_agent)
    return "text" if anything and not reads_pages else "html"


def takes_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header names gzip."""
    return any(kind in ("gzip", "x-gzip") and quality > 0 for kind, _, quality in offers(header))
