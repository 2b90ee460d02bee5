"""Content negotiation: Accept and Accept-Encoding (RFC 9110, 12.5), for every address."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from portal.http.crawlers import declares_itself

Form = Literal["html", "json", "text", "csv", "prometheus", "openmetrics"]

_UTF8 = ("utf-8", "utf8")
_VERSIONS = ("0.0.1", "0.0.4", "1.0.0")


class Media(NamedTuple):
    """A media type that the portal sends, and the values of its parameters that it satisfies."""

    kind: str
    parameters: dict[str, tuple[str, ...]]


# The first type of a form is what is sent. The others are names for it that must stand in Accept
# in full, since a wildcard speaks of what is sent.
MEDIA: dict[Form, tuple[Media, ...]] = {
    "html": (Media("text/html", {"charset": _UTF8}), Media("application/xhtml+xml", {})),
    "json": (Media("application/json", {"charset": _UTF8}),),
    "text": (Media("text/plain", {"charset": _UTF8}),),
    "csv": (Media("text/csv", {"charset": _UTF8, "header": ("present",)}),),
    # The values of `escaping` that Prometheus 3 sends: the names of the portal need no escaping.
    "prometheus": (
        Media(
            "text/plain",
            {
                "charset": _UTF8,
                "version": _VERSIONS[1:],
                "escaping": ("allow-utf-8", "underscores", "dots", "values"),
            },
        ),
    ),
    "openmetrics": (
        Media(
            "application/openmetrics-text",
            {
                "charset": _UTF8,
                "version": _VERSIONS,
                "escaping": ("allow-utf-8", "underscores", "dots", "values"),
            },
        ),
    ),
}

# Commas and semicolons inside a quoted string separate nothing. An unclosed one ends the header.
_ENTRY = re.compile(r'(?:[^,"]|"(?:\\.|[^"\\])*(?:"|\Z|\\\Z))+', re.DOTALL)
_PART = re.compile(r'(?:[^;"]|"(?:\\.|[^"\\])*(?:"|\Z|\\\Z))+', re.DOTALL)
_WEIGHT = re.compile(r"\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}", re.ASCII)
_RANGE = re.compile(r"\*/\*|[^\s/*]+/(?:\*|[^\s/*]+)")

# Browsers, and programs that make a preview of a link: some accept anything and need the page.
_PAGE_READERS = re.compile(
    r"mozilla|whatsapp|telegram|slack|skype|mastodon|signal|pinterest|embed|lynx|w3m|links",
    re.IGNORECASE,
)


class Offer(NamedTuple):
    """One entry of a header, in lower case: `parameters` without the weight, which is 0 to 1."""

    kind: str
    parameters: dict[str, str]
    quality: float


class Rating(NamedTuple):
    """How well a form suits a client: what is compared first stands first."""

    quality: float
    specificity: int
    position: int  # negative: the entry that stands earlier wins


def offers(header: str) -> Iterator[Offer]:
    """The entries of an Accept or Accept-Encoding header, in its order.

    A weight over 1 counts as 1, and so does one that is not a number. An entry without a name is
    left out.
    """
    for entry in _ENTRY.findall(header.lower()):
        pieces = [piece.strip() for piece in _PART.findall(entry)]
        if not pieces or not pieces[0] or entry.lstrip().startswith(";"):
            continue
        kind, *parts = pieces
        parameters: dict[str, str] = {}
        for part in parts:
            name, _, value = part.partition("=")
            parameters.setdefault(name.strip(), value.strip().strip('"'))
        parameters.pop("", None)
        weight = _WEIGHT.fullmatch(parameters.pop("q", "1"))
        yield Offer(kind, parameters, min(float(weight[0]), 1.0) if weight else 1.0)


def _ranges(accept: str) -> list[Offer]:
    """The media ranges of Accept; `*` alone, which old Java clients send, means `*/*`."""
    entries = (o._replace(kind="*/*") if o.kind == "*" else o for o in offers(accept))
    return [entry for entry in entries if _RANGE.fullmatch(entry.kind)]


def _specificity(offer: Offer, media: Media, strict: bool) -> int | None:
    """How closely a media range fits a type: 0 for `*/*`, 1 for `text/*`, 2 and more for the type
    and each of its parameters; None where it does not fit."""
    kind, subtype = media.kind.split("/")
    wildcard = {"*/*": 0, f"{kind}/*": 1, f"{kind}/{subtype}": 2}.get(offer.kind)
    if wildcard is None or not strict:
        return wildcard
    fits = all(value in media.parameters.get(n, ()) for n, value in offer.parameters.items())
    return wildcard + len(offer.parameters) if fits else None


def _rating(ranges: list[Offer], media: Media, by_name: bool, strict: bool) -> Rating:
    """The rating of one type: the most specific range that fits decides."""
    fitting = [
        (specificity, offer.quality, -position)
        for position, offer in enumerate(ranges)
        if (specificity := _specificity(offer, media, strict)) is not None
        and (specificity >= 2 or not by_name)
    ]
    if not fitting:
        return Rating(0.0, 0, 0)
    specificity, quality, position = max(fitting)
    return Rating(quality, specificity, position)


def choose(accept: str, forms: Sequence[Form]) -> Form:
    """The form that Accept prefers, of `forms`, which stand as the portal itself prefers them.

    The highest weight wins; among equals the type that is named more exactly, then the one that is
    named earlier, then the one that the portal prefers. Where nothing is acceptable, the parameters
    of the ranges are disregarded (`application/json;odata=verbose` gets JSON), and after that the
    header, as RFC 9110 allows: a client can do more with some answer than with a 406.
    """
    ranges = _ranges(accept)
    for strict in (True, False):
        rated = {
            form: max(
                _rating(ranges, media, by_name=number > 0, strict=strict)
                for number, media in enumerate(MEDIA[form])
            )
            for form in forms
        }
        best = max(forms, key=rated.__getitem__)
        if rated[best].quality > 0:
            return best
    return forms[0]


def release_forms(accept: str, user_agent: str) -> tuple[Form, ...]:
    """The forms of a page of releases, as the portal prefers them for this client.

    Clients that accept anything (curl, wget, most libraries) prefer text, unless they are known to
    read pages. Clients that send no Accept get the page.
    """
    reads_pages = _PAGE_READERS.search(user_agent) or declares_itself(user_agent)
    acceptable = any(offer.quality > 0 for offer in _ranges(accept) if "*" in offer.kind)
    return ("text", "html", "json") if acceptable and not reads_pages else ("html", "text", "json")


def takes_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header accepts gzip."""
    weights = {kind: quality for kind, _, quality in offers(header)}
    return weights.get("gzip", weights.get("x-gzip", 0.0)) > 0
