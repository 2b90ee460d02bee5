"""Addresses made from the routes themselves: whatever a route's pattern matches, and near misses.

A new route needs nothing here. It is asked for by the links to it that the portal's own pages hold
(`Words.gather`), by their words in other places, and by whatever else its pattern allows, with the
methods that its handler takes and with others. What no page links to goes into `Words(more)`.
"""

import re
import re._constants as op
import re._parser as parser
import string
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tornado.web import RequestHandler

from tests.support.browser.crawl import crawl, links_of
from tests.support.running import ROOT

NOISE = (
    *("..", ".", "%2e%2e", "%2e%2e%2f", "%252e", "..%5c", "%00", "%ff", "%c0%ae", "%0d%0aX-Evil:1"),
    *("{{7*7}}", "${7*7}", "'--", "%27%20or%201=1--", "%22", "<script>", "=cmd|x", "%", "%zz", "~"),
    *("%F0%9F%90%BA", "%E2%80%AE", "%ED%A0%80", "0", "-1", "9" * 30, "a" * 3000, "latest", "con"),
    *("\x7f", "\x80", "\xff", " ", "\t", ";", "&", "?", "#", "\\", "|", "@", ":", "null", "true"),
)
PLAIN = string.ascii_lowercase + string.digits + "._-"


class Words:
    """What the portal's pages link to and their forms hold: segments, queries, names of fields."""

    def __init__(self, more=()):
        self.links = set()
        self.segments = {*more, "pets", "prospects", "v2.1.0", "latest", "SHA256SUMS"}
        self.queries = {"service=git-upload-pack", "service=git-receive-pack"}
        source = "".join(path.read_text() for path in sorted(Path(ROOT, "handlers").rglob("*.py")))
        self.fields = {"token", "window", "format", "table", "expires", "signature"}
        self.fields |= set(re.findall(r'get_(?:query_)?arguments?\(\s*"(\w+)"', source))

    def gather(self, url, starts, pages=150):
        """Follow the links of pages that a visitor sees."""
        for _, _, page in crawl(url, starts, pages):
            self.fields |= set(re.findall(r'\sname="([^"]{1,40})"', unescape(page)))
            for link in links_of(page):
                parts = urlsplit(link)
                self.links.add(parts.path)
                self.segments |= {segment for segment in parts.path.split("/") if segment}
                self.queries |= {parts.query} - {""}
        return self


ODD = ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "FOO", "get", "M-SEARCH", "POST")


def methods_of(handler):
    """What a handler takes; GET for one that refuses whatever the method."""
    own = [
        method
        for method in RequestHandler.SUPPORTED_METHODS
        if getattr(handler, method.lower()) is not getattr(RequestHandler, method.lower())
    ]
    # A HEAD is a GET of which the least is seen.
    usual = [method for method in own if method != "HEAD"]
    return [*3 * usual, "HEAD"] if "GET" in own else usual or ["GET", "POST"]


class Paths:
    """Draws methods and addresses; `routes` are pairs of a pattern and a handler."""

    def __init__(self, routes, words, chance):
        self.methods = {pattern: methods_of(handler) for pattern, handler in routes}
        self.patterns = list(self.methods)
        self.chance = chance
        self.links = {
            pattern: sorted(link for link in words.links if re.fullmatch(pattern, link))
            for pattern in self.patterns
        }
        self.segments = sorted(words.segments)
        self.queries, self.fields = sorted(words.queries), sorted(words.fields)
        self.hits = dict.fromkeys(self.patterns, 0)

    def draw(self):
        """A method and an address, with or without a query."""
        pattern = self.chance.choice(self.patterns)
        self.hits[pattern] += 1
        odd = self.chance.random() < 0.07
        method = self.chance.choice(ODD if odd else self.methods[pattern])
        linked = self.links[pattern] and self.chance.random() < 0.6
        path = self.chance.choice(self.links[pattern]) if linked else self.of(pattern)
        if self.chance.random() < 0.08:
            path = self.bent(path)
        return method, path + self.query() if self.chance.random() < 0.5 else path

    def of(self, pattern):
        """A string that the pattern matches, its groups filled with known words where they fit."""
        for known in (0.9, 0.9, 0.9, 0.5, 0.0):
            made = self._of(parser.parse(pattern), known)
            if re.fullmatch(pattern, made):
                return made
        return made

    def bent(self, path):
        """A path changed so that no route, or another one, may match."""
        at = self.chance.randrange(len(path)) if path else 0
        ways = (
            lambda: path[:at] + self.chance.choice(NOISE) + path[at:],
            lambda: "/" + path,
            lambda: path + self.chance.choice(("/", "%2f", "/.", "/..", "//")),
            lambda: path[:at] + f"%{ord(path[at : at + 1] or 'a') & 255:02x}" + path[at + 1 :],
            path.upper,
            lambda: "http://evil.example" + path,
            lambda: path.replace("/", "\\"),
            lambda: unquote(path),
        )
        return self.chance.choice(ways)()

    def query(self):
        """A query: one that pages have, or fields with values."""
        if self.chance.random() < 0.3 and self.queries:
            return "?" + self.chance.choice(self.queries)
        count = self.chance.choice((1, 1, 2, 3, 50))
        pairs = (f"{self.chance.choice(self.fields)}={self.value()}" for _ in range(count))
        return "?" + "&".join(pairs)

    def value(self):
        """Something that a field or a group may be given."""
        kind = self.chance.random()
        if kind < 0.4:
            return self.chance.choice(self.segments)
        if kind < 0.8:
            return self.chance.choice(NOISE)
        return "".join(self.chance.choices(PLAIN, k=self.chance.randint(0, 40)))

    def _of(self, parsed, known):
        return "".join(self._one(*node, known) for node in parsed)

    def _one(self, code, value, known):  # the forms are those of `re._parser`
        if code is op.LITERAL:
            return chr(value)
        if code in (op.MAX_REPEAT, op.MIN_REPEAT):
            low, high, inner = value
            count = self.chance.randint(low, min(high, max(low, self.chance.choice((1, 8, 40)))))
            return "".join(self._of(inner, known) for _ in range(count))
        if code is op.SUBPATTERN:
            if value[0] is not None and self.chance.random() < known:
                return self.chance.choice(self.segments)
            return self._of(value[3], known)
        if code is op.BRANCH:
            return self._of(self.chance.choice(value[1]), known)
        if code is op.IN:
            return self._of_set(value)
        if code in (op.ANY, op.NOT_LITERAL):
            return self._noise({chr(value)} if code is op.NOT_LITERAL else set())
        return ""

    def _of_set(self, items):
        if items[0][0] is op.NEGATE:
            return self._noise({chr(value) for code, value in items[1:] if code is op.LITERAL})
        code, value = self.chance.choice(items)
        if code is op.RANGE:
            return chr(self.chance.randint(*value))
        return chr(value) if code is op.LITERAL else self.chance.choice(PLAIN)

    def _noise(self, without):
        if self.chance.random() < 0.1:
            token = self.chance.choice(NOISE)
            if not without & set(token):
                return token
        return self.chance.choice(PLAIN)
