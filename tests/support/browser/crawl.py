"""Every page that a visitor gets to by links."""

import re
from html import unescape
from urllib.parse import urlsplit

from tests.support.running import ask

_LINK = re.compile(r'\s(?:href|src|action|formaction)="(/[^"]*)"')


def links_of(page):
    """The addresses of the portal's own in a page, with their queries."""
    return [unescape(link).partition("#")[0] for link in _LINK.findall(page)]


def crawl(url, starts, pages):
    """Path, headers and text of each page, up to so many; what is no page is passed over."""
    waiting, seen = list(starts), set()
    while waiting and len(seen) < pages:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        _, headers, body = ask(url + path, Accept="text/html")
        if not headers.get("content-type", "").startswith("text/html"):
            continue
        page = body.decode("utf-8", "replace")
        yield path, headers, page
        waiting += [link for link in links_of(page) if not is_file(link)]


def is_file(link):
    """Whether a link leads to a file, which would be counted, or is one of the pages' own."""
    path = urlsplit(link).path
    download = path.startswith("/downloads/") and path.count("/") > 3
    return (
        download or path.startswith("/static/") or "format=" in link or path.endswith("/download")
    )
