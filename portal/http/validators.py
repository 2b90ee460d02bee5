"""Validators and caching of files: entity tags (RFC 9110, 8.8.3 and 13.1) and Cache-Control."""

import re
from collections.abc import Mapping

# Headers by which a client says what it has already, or which part it wants.
CONDITIONAL_HEADERS = (
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "If-Unmodified-Since",
    "If-Range",
    "Range",
)

_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_ELEMENT = re.compile(rf"[\s,]*{_TAG.pattern}\s*(?:,|$)")
_DIRECTIVE = re.compile(r'([\w-]+)(?:=(?:"(?:[^"\\]|\\.)*"|[^",]*))?', re.ASCII)
# What an upstream may ask for beyond our own directives.
_STRICTER = ("no-store", "no-transform")


def checksum_tag(sha256: str) -> str:
    """The strong entity tag of a file whose SHA-256 is known, in lower-case hex."""
    return f'"sha256-{sha256}"'


def is_checksum_tag(tag: str) -> bool:
    """Whether a tag has the form of ours."""
    return tag.startswith('"sha256-')


def is_strong(tag: str) -> bool:
    """Whether this is one strong entity tag."""
    match = _TAG.fullmatch(tag)
    return match is not None and match[1] is None


def names_tag(field: str, tag: str, *, weak: bool) -> bool:
    """Whether If-Match or If-None-Match names a strong `tag`; `weak` selects the comparison.

    If-None-Match compares weakly, If-Match and If-Range strongly (RFC 9110, 13.1). `*` names all.
    """
    if field.strip() == "*":
        return True
    at = 0
    while match := _ELEMENT.match(field, at):
        if match[2] == tag and (weak or not match[1]):
            return True
        at = match.end()
    return False


def precondition(asked: Mapping[str, str], tags: tuple[str, ...]) -> int | None:
    """412 or 304 where If-Match or If-None-Match says so of a file with these tags, else None."""
    match, none_match = asked.get("If-Match"), asked.get("If-None-Match")
    if match is not None and not any(names_tag(match, tag, weak=False) for tag in tags):
        return 412
    if none_match is not None and any(names_tag(none_match, tag, weak=True) for tag in tags):
        return 304
    return None


def file_caching(upstream: str = "") -> str:
    """Cache-Control of a file, given the upstream's own (which can make it stricter).

    `private`: a shared cache would give one client's file to others, who would not be counted.
    `no-cache`: without it a cache may reuse a file with Last-Modified for a tenth of the file's age
    (RFC 9111, 4.2.2), so that a replaced file comes old and nobody sees the request.
    """
    named = {match[1].lower() for match in _DIRECTIVE.finditer(upstream)}
    return ", ".join(["private", "no-cache", *(name for name in _STRICTER if name in named)])
