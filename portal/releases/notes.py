"""Release notes: CommonMark from GitLab, as HTML that can stand in our own pages.

Whoever may write a release may write anything here. So there is no raw HTML, nothing is loaded
from another host (an image becomes a link to it), links lead only to the web or to mail and pass
on neither rank nor referrer, and headings take their place below the page's own.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup

from portal.releases import flavored

LENGTH = 50_000  # characters; what is longer is cut, and says so
RENDERED = 1024  # notes that are remembered

_ALLOWED = re.compile(r"(https?://|mailto:)[^\s]+", re.IGNORECASE)
_TOP_HEADING = 3  # h1 is the page's, h2 the release's
_CUT = Markup("<p><em>These notes are longer than what is shown here.</em></p>\n")


@lru_cache(maxsize=RENDERED)
def render(notes: str) -> Markup:
    """The notes as safe HTML, remembered: a page shows the same ones at every view."""
    # Safe since raw HTML is off and every link and image goes through _tame.
    html = Markup(_MARKDOWN.render(notes[:LENGTH]))  # noqa: S704  # nosec B704
    return html + _CUT if len(notes) > LENGTH else html


def _tame(state: StateCore) -> None:
    """The rule that runs after parsing, over the whole document."""
    levels = _levels(token.tag for token in state.tokens if token.type == "heading_open")
    before = ["", ""]
    for token in state.tokens:
        if token.type == "inline" and before == ["list_item_open", "paragraph_open"]:
            flavored.task(token.children or [])
        if token.type == "inline" and before == ["blockquote_open", "paragraph_open"]:
            token.children = flavored.alert(token.children or [])
        before = [before[1], token.type]
        if token.type == "heading_open":
            heading = token.tag = f"h{next(levels)}"
        elif token.type == "heading_close":
            token.tag = heading
        elif token.type == "table_open":
            token.attrs["tabindex"] = 0  # it scrolls where it is wide, so a keyboard must reach it
        elif token.type in ("th_open", "td_open") and "style" in token.attrs:
            # Our own policy forbids style attributes; the style sheet knows the classes.
            token.attrs = {"class": str(token.attrs["style"]).replace("text-align:", "align-")}
        elif token.type == "inline":
            token.children = _tamed(token.children or [])


def _levels(tags: Iterable[str]) -> Iterator[int]:
    """The levels of headings: the highest takes its place, and none is more than one below another.

    Writers begin at any level and skip some; who reads by headings would look for what is missing.
    """
    written = [int(tag[1]) for tag in tags]
    top, above = min(written, default=1), _TOP_HEADING - 1
    for level in written:
        above = min(level - top + _TOP_HEADING, above + 1, 6)
        yield above


def _tamed(tokens: Sequence[Token]) -> list[Token]:
    """Inline tokens without images, and with only the links that are allowed.

    What is in a link that goes stays, as text.
    """
    tamed: list[Token] = []
    linked = within = False
    for token in tokens:
        if token.type in ("link_open", "link_close"):
            within = token.type == "link_open"
        if token.type == "text" and not within:
            tamed += _flavored(token.content)
        elif token.type == "link_open":
            linked = _leads_out(str(token.attrs.get("href", "")))
            tamed += [_link(str(token.attrs["href"]))] if linked else []
        elif token.type == "link_close":
            tamed += [token] if linked else []
            linked = False
        elif token.type == "image":
            tamed += _instead(token, linked)
        else:
            tamed.append(token)
    return tamed


def _flavored(content: str) -> Iterator[Token]:
    """A text with its bare addresses as links."""
    for kind, found in flavored.pieces(content):
        if kind == "br":
            yield Token("hardbreak", "br", 0)
        elif kind == "address" and _leads_out(found):
            yield from (_link(found), flavored.text(found), Token("link_close", "a", -1))
        elif found:
            yield flavored.text(found)


def _leads_out(address: str) -> bool:
    return _ALLOWED.fullmatch(address) is not None


def _link(address: str) -> Token:
    attributes: dict[str, str | int | float] = {
        "href": address,
        "rel": "nofollow noopener noreferrer",
    }
    return Token("link_open", "a", 1, attrs=attributes)


def _instead(image: Token, linked: bool) -> list[Token]:
    """A link to the image with its alternative text; within a link, or nowhere, the text."""
    source = str(image.attrs.get("src", ""))
    alternative = Token("text", "", 0, content=_plain(image.children or []) or "image")
    if linked or not _leads_out(source):
        return [alternative]
    return [_link(source), alternative, Token("link_close", "a", -1)]


def _plain(tokens: Sequence[Token]) -> str:
    return "".join(_plain(t.children) if t.children else t.content for t in tokens).strip()


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # Every link is parsed, so that _tame decides about all of them in one place.
    markdown.validateLink = _any_address  # type: ignore[method-assign]
    markdown.core.ruler.push("tame", _tame)
    return markdown


def _any_address(url: str) -> bool:  # noqa: ARG001 - markdown-it's form
    return True


_MARKDOWN = _markdown()
