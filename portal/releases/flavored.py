"""GitLab Flavored Markdown beyond CommonMark, as far as it is text: task lists, alerts, bare
addresses, `<br>` and emoji names (https://docs.gitlab.com/user/markdown/).

Each rule makes tokens of its own kinds only, so nothing that a writer types becomes other HTML.
"""

import re
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

_TASK = re.compile(r"\[([ xX~])\]\s+")
_ALERT = re.compile(r"\[!(note|tip|important|caution|warning)\]\s*", re.IGNORECASE)
_PIECES = re.compile(
    r"(?P<address>https?://[^\s<>\"'`]+)|(?P<br><br\s*/?>)|:(?P<emoji>[a-z0-9_+-]{1,40}):"
)
_TRAILING = ".,;:!?)]}*_~"
_BOXES = {" ": "☐ ", "x": "☑ ", "~": "☒ "}
EMOJI = {
    "rocket": "🚀",
    "tada": "🎉",
    "bug": "🐛",
    "sparkles": "✨",
    "warning": "⚠️",
    "fire": "🔥",
    "boom": "💥",
    "lock": "🔒",
    "zap": "⚡",
    "memo": "📝",
    "package": "📦",
    "wrench": "🔧",
    "heart": "❤️",
    "star": "⭐",
    "eyes": "👀",
    "books": "📚",
    "construction": "🚧",
    "+1": "👍",
    "thumbsup": "👍",
    "-1": "👎",
    "thumbsdown": "👎",
    "white_check_mark": "✅",
    "x": "❌",
    "heavy_check_mark": "✔️",
    "art": "🎨",
    "bulb": "💡",
    "gear": "⚙️",
    "smile": "😄",
    "bell": "🔔",
    "information_source": "ℹ️",
    "arrow_up": "⬆️",
    "arrow_down": "⬇️",
    "recycle": "♻️",
}


def task(children: Sequence[Token]) -> None:
    """The box of a task list's item, whose text begins with it."""
    if children and children[0].type == "text" and (match := _TASK.match(children[0].content)):
        children[0].content = _BOXES[match[1].lower()] + children[0].content[match.end() :]


def alert(children: list[Token]) -> list[Token]:
    """An alert's kind in bold, at the beginning of its quotation."""
    match = _ALERT.match(children[0].content) if children and children[0].type == "text" else None
    if match is None:
        return children
    children[0].content = children[0].content[match.end() :]
    title = [Token("strong_open", "strong", 1), text(match[1].capitalize())]
    return [*title, Token("strong_close", "strong", -1), *children]


def pieces(content: str) -> Iterator[tuple[str, str]]:
    """The parts of a text by kind: "text", "address", "br"; emoji names are text already."""
    at, plain = 0, ""
    for match in _PIECES.finditer(content):
        kind, found, end = str(match.lastgroup), match[0], match.end()
        if kind == "emoji":
            plain += content[at : match.start()] + EMOJI.get(match["emoji"], found)
        else:
            if kind == "address":
                found = found.rstrip(_TRAILING)
                end = match.start() + len(found)
            yield "text", plain + content[at : match.start()]
            yield kind, found
            plain = ""
        at = end
    yield "text", plain + content[at:]


def text(content: str) -> Token:
    """A token of plain text."""
    return Token("text", "", 0, content=content)
