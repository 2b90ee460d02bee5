"""Block rule for `<details>` with `<summary>`, the only HTML elements that notes may use.

The elements are tokens of our own, with no attribute that a writer chose but `open`; what is in
them is Markdown. Elements that are not closed, or not on lines of their own, stay text.
"""

import re

from markdown_it.rules_block import StateBlock

_OPEN = re.compile(r"\s{0,3}<details(?P<open>\s+open(?:=\"[^\"]*\")?)?\s*>", re.IGNORECASE)
_CLOSE = re.compile(r"\s*</details>\s*\Z", re.IGNORECASE)
_ENDED = re.compile(r"</details>\s*\Z", re.IGNORECASE)
_SUMMARY = re.compile(r"\s*<summary>(?P<summary>.*?)</summary>", re.IGNORECASE | re.DOTALL)
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_SUMMARY_LINES = 5  # within which a summary ends


def details(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The rule: whether an element begins at the line `start`."""
    if state.is_code_block(start):
        return False
    line = _text(state, start, start + 1)
    opened = _OPEN.match(line)
    closing = _closings(state).get(start, end)
    if opened is None or closing >= end:
        return False
    if silent:
        return True
    element = state.push("details_open", "details", 1)
    element.block = True
    if opened["open"]:
        element.attrs = {"open": ""}
    first = start
    rest = line[opened.end() :]
    ahead = min(closing, start + _SUMMARY_LINES) if closing > start else start + 1
    after = _text(state, start, ahead)[opened.end() :]
    found = _SUMMARY.match(after)
    if found:
        first += after.count("\n", 0, found.end())
        rest = after[found.end() :].partition("\n")[0]
    _inline(state, "summary", found["summary"].strip() if found else "Details", start)
    if rest := _ENDED.sub("", rest).strip():
        _inline(state, "p", rest, first)
    _blocks(state, first + 1, closing)
    state.push("details_close", "details", -1).block = True
    state.line = closing + 1
    return True


def _closings(state: StateBlock) -> dict[int, int]:
    """The line of each element's end by that of its beginning; found once in a document."""
    if "details" not in state.env:
        pairs: dict[int, int] = {}
        within: list[int] = []
        fence = ""
        for number, line in enumerate(state.src.split("\n")):
            if mark := _FENCE.match(line):
                fence = mark[1] if not fence else "" if fence == mark[1] else fence
            elif not fence and _OPEN.match(line):
                if _ENDED.search(line):
                    pairs[number] = number
                else:
                    within.append(number)
            elif not fence and within and _CLOSE.match(line):
                pairs[within.pop()] = number
        state.env["details"] = pairs
    found: dict[int, int] = state.env["details"]
    return found


def _text(state: StateBlock, begin: int, end: int) -> str:
    return state.getLines(begin, end, state.blkIndent, False)


def _inline(state: StateBlock, tag: str, content: str, line: int) -> None:
    """An element with Markdown of one line in it."""
    kind = "paragraph" if tag == "p" else tag
    state.push(f"{kind}_open", tag, 1).block = True
    token = state.push("inline", "", 0)
    token.content, token.map, token.children = content, [line, line + 1], []
    state.push(f"{kind}_close", tag, -1).block = True


def _blocks(state: StateBlock, begin: int, end: int) -> None:
    """The Markdown between two lines."""
    if begin >= end:
        return
    parent, last = state.parentType, state.lineMax
    state.parentType, state.lineMax = "details", end
    state.md.block.tokenize(state, begin, end)
    state.parentType, state.lineMax = parent, last
