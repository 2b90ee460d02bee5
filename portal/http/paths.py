"""Paths of addresses as clients write them (RFC 3986, 5.2.4 and 6.2.2)."""

_DOTS = {".": ".", "%2e": ".", "..": "..", ".%2e": "..", "%2e.": "..", "%2e%2e": ".."}


def without_dot_segments(path: str) -> str:
    """The path with `.`, `..` and empty segments resolved; a slash at its end stays.

    apt asks for `…/latest/./Packages`, and most clients resolve such paths before they ask.
    """
    resolved: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        dots = _DOTS.get(segment.lower())
        if dots == "..":
            del resolved[-1:]
        elif segment and dots is None:
            resolved.append(segment)
    folder = bool(resolved) and (not segments[-1] or segments[-1].lower() in _DOTS)
    return "/" + "/".join(resolved) + ("/" if folder else "")
