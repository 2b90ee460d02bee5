"""Release notes: GitLab's Markdown, as HTML that can stand in our own pages.

Whoever may write a release may write anything here. So there is no raw HTML but `<details>`,
nothing is loaded from another host (an image becomes a link to it), links lead only to the
release's own uploads, the web or mail and pass on neither rank nor referrer, and headings take
their place below the page's own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import zip_longest
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup
from mdit_py_plugins.footnote import footnote_plugin

from portal.releases import flavored
from portal.releases.details import details
from portal.releases.model import Release, asset_path, image_path, image_type

LENGTH = 50_000  # characters; what is longer is cut, and says so
RENDERED = 1024  # notes that are remembered

_ALLOWED = re.compile(r"(https?://|mailto:)[^\s]+", re.IGNORECASE)
_CONTENTS = ("[[_TOC_]]", "[TOC]")  # GitLab's table of contents, which a page has no need of
_TOP_HEADING = 3  # h1 is the page's, h2 the release's
# What GitLab takes as an image's size; it is written behind the image.
_SIZE = re.compile(r"\{(?:\s*(?:width|height)=(?:\"[^\"{}]*\"|[\w.%]+))+\s*\}")
_CUT = Markup("<p><em>These notes are longer than what is shown here.</em></p>\n")


# The addresses of an upload by the reference to it: of the file, and of the image ("" if none).
Uploads = tuple[tuple[str, str, str], ...]


def release_notes(slug: str, release: Release, origin: str = "") -> Markup:
    """The notes of a release as safe HTML; addresses of uploads begin with `origin`."""
    uploads = tuple(
        (
            upload.label,
            origin + asset_path(slug, release.version, upload.name),
            origin + image_path(slug, release.version, upload.name)
            if image_type(upload.name)
            else "",
        )
        for upload in release.uploads
    )
    return render(release.notes, uploads, release.anchor)


@lru_cache(maxsize=RENDERED)
def render(notes: str, uploads: Uploads = (), anchor: str = "notes") -> Markup:
    """The notes as safe HTML, remembered: a page shows the same ones at every view.

    `anchor` keeps the ids of footnotes apart from those of other notes on the page.
    """
    # Safe since raw HTML is off and every link and image goes through _tame.
    env = {"uploads": {ref: (file, image) for ref, file, image in uploads}, "docId": anchor}
    html = Markup(_MARKDOWN.render(notes[:LENGTH], env))  # noqa: S704  # nosec B704
    return html + _CUT if len(notes) > LENGTH else html


def _tame(state: StateCore) -> None:
    """The rule that runs after parsing, over the whole document."""
    uploads = state.env.get("uploads", {})
    state.tokens = list(_without_contents(state.tokens))
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
            token.children = _tamed(token.children or [], uploads)


def _without_contents(tokens: Sequence[Token]) -> Iterator[Token]:
    """All tokens but those of paragraphs that ask for a table of contents."""
    left_out = 0
    for token, following in zip_longest(tokens, tokens[1:]):
        if token.type == "paragraph_open" and following and following.content in _CONTENTS:
            left_out = 3  # the paragraph's beginning, text and end
        if left_out:
            left_out -= 1
        else:
            yield token


def _levels(tags: Iterable[str]) -> Iterator[int]:
    """The levels of headings: the highest takes its place, and none is more than one below another.

    Writers begin at any level and skip some; who reads by headings would look for what is missing.
    """
    written = [int(tag[1]) for tag in tags]
    top, above = min(written, default=1), _TOP_HEADING - 1
    for level in written:
        above = min(level - top + _TOP_HEADING, above + 1, 6)
        yield above


def _tamed(tokens: Sequence[Token], uploads: Mapping[str, tuple[str, str]]) -> list[Token]:
    """Inline tokens with only the images and links that are allowed.

    What is in a link that goes stays, as text.
    """
    tamed: list[Token] = []
    linked = within = False
    for before, token in zip((None, *tokens[:-1]), tokens, strict=True):
        if before and before.type in ("image", "link_close") and token.type == "text":
            token.content = _without_size(token.content)
        if token.type in ("link_open", "link_close"):
            within = token.type == "link_open"
        if token.type == "text" and not within:
            tamed += _flavored(token.content)
        elif token.type == "link_open":
            link = _opened(str(token.attrs.get("href", "")), uploads)
            linked = link is not None
            tamed += [link] if link else []
        elif token.type == "link_close":
            tamed += [token] if linked else []
            linked = False
        elif token.type == "image":
            tamed += _image(token, linked, uploads)
        else:
            tamed.append(token)
    return tamed


def _without_size(content: str) -> str:
    """What follows an image or a link, without the size that it begins with."""
    size = _SIZE.match(content)
    return content[size.end() :] if size else content


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


def _opened(address: str, uploads: Mapping[str, tuple[str, str]]) -> Token | None:
    """The beginning of a link, None where it may not lead there."""
    if upload := uploads.get(unquote(address)):
        return Token("link_open", "a", 1, attrs={"href": upload[0]})
    return _link(address) if _leads_out(address) else None


def _image(image: Token, linked: bool, uploads: Mapping[str, tuple[str, str]]) -> list[Token]:
    """An upload as an image; of any other, a link with its alternative text; within a link, or
    nowhere, the text."""
    source = str(image.attrs.get("src", ""))
    if (upload := uploads.get(unquote(source))) and upload[1]:
        image.attrs = {"src": upload[1], "alt": "", "loading": "lazy"}
        return [image]
    link = _opened(source, uploads)
    alternative = Token("text", "", 0, content=_plain(image.children or []) or "image")
    if linked or link is None:
        return [alternative]
    return [link, alternative, Token("link_close", "a", -1)]


def _plain(tokens: Sequence[Token]) -> str:
    return "".join(_plain(t.children) if t.children else t.content for t in tokens).strip()


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # Every link is parsed, so that _tame decides about all of them in one place.
    markdown.validateLink = _any_address  # type: ignore[method-assign]
    markdown.use(footnote_plugin, inline=False)
    alternatives: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    markdown.block.ruler.before("html_block", "details", details, alternatives)
    markdown.core.ruler.push("tame", _tame)
    return markdown


def _any_address(url: str) -> bool:  # noqa: ARG001 - markdown-it's form
    return True


_MARKDOWN = _markdown()
