"""Requests that nobody should send, and some that people do: methods, headers, bodies."""

import gzip
import json
from urllib.parse import quote

from tests.saves.test_fuzz import EDITS, mutated, mutated_files
from tests.support.fuzz.paths import NOISE
from tests.support.running import TOKEN

WEBSITE = "00000000-0000-4000-8000-000000000000"
PAGE = {"hostname": "x", "url": "/", "title": "x", "language": "en", "screen": "1x1"}
MORE = {"name": "e", "data": {"a": 1}, "referrer": "", "tag": "t", "id": "i"}
EVENT = {"type": "event", "payload": {"website": WEBSITE, **PAGE, **MORE}}
# What each header is given, besides noise and the words of the portal's pages.
HEADERS = {
    "Accept": ("text/html", "application/json", "*/*", "text/plain;version=0.0.4", ";q=,", "a;q=9"),
    "Accept-Encoding": ("gzip", "identity;q=0", "br, gzip"),
    "Authorization": (f"Bearer {TOKEN}", "Bearer x", "Basic Og==", "Bearer", "Digest a=1"),
    "Content-Encoding": ("gzip", "identity", "deflate"),
    "Content-Type": (
        *("multipart/form-data; boundary=fuzz", "multipart/form-data", "application/json"),
        *("application/x-www-form-urlencoded", "application/x-git-upload-pack-request"),
        *("multipart/form-data; boundary=" + "b" * 300, 'multipart/form-data; boundary="', "a;b"),
    ),
    "Cookie": ("a=b", "a=\x01;b", "=" * 200),
    "DNT": ("1", "0"),
    "Expect": ("100-continue", "200-ok"),
    "Git-Protocol": (
        "version=2",
        "version=1",
        "version=99",
        "version=2:object-format=sha1",
        "a\tb",
    ),
    "If-Match": ("*", '"a"', '"a', 'W/"a", "b"'),
    "If-Modified-Since": ("Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 99 Foo 9999 25:61:61", "0"),
    "If-None-Match": ("*", '"a"', 'W/"a"', '"' * 99),
    "If-Range": ('"a"', "Thu, 01 Jan 1970 00:00:00 GMT"),
    "If-Unmodified-Since": ("Thu, 01 Jan 1970 00:00:00 GMT",),
    "Origin": ("null", "https://evil.example", "http://[::1", "file://"),
    "Range": (
        *(
            "bytes=0-",
            "bytes=0-0",
            "bytes=-1",
            "bytes=5-2",
            "bytes=0-1,3-4,5-",
            "bytes=-",
            "lines=1",
        ),
        *(f"bytes={'9' * 25}-", f"bytes=0-{'9' * 25}", "bytes=" + "0-1," * 500, "bytes=\u0661-"),
    ),
    "Sec-Fetch-Site": ("same-origin", "cross-site", "none", "x"),
    "User-Agent": ("git/2.39.5", "curl/8", "", "a" * 5000, "{{7*7}}", "'); drop table clones;--"),
    "X-Forwarded-For": ("unknown", "1.2.3.4, ", "::ffff:1.2.3.4", "fe80::1%x", "1" * 999, ",,,"),
    "X-Metrics-Token": (TOKEN, "x"),
    "x-umami-cache": ("x", "a.b.c"),
}


class Requests:
    """Draws whole requests as bytes. `client` numbers the addresses that they come from."""

    def __init__(self, paths, chance, number):
        self.paths, self.chance, self.number = paths, chance, number
        self.saves = mutated_files(10**9, seed=number)
        self.count = 0

    def draw(self):
        """Method, bytes, and whether they are a whole request: one that must be answered."""
        self.count += 1
        method, path = self.paths.draw()
        has_body = self.chance.random() < (0.9 if method == "POST" else 0.1)
        kind, body = self.body() if has_body else ("", b"")
        version = "1.0" if self.chance.random() < 0.05 else "1.1"
        lines = [f"{method} {path} HTTP/{version}", f"Host: {self.host()}"]
        lines += [f"{name}: {value}" for name, value in self.headers(path, kind)]
        head = "\r\n".join(lines).encode("latin1", "replace")
        if self.chance.random() < 0.2 and body:
            head, body = head + b"\r\nTransfer-Encoding: chunked", self.chunked(body)
        elif body or method == "POST":
            head += f"\r\nContent-Length: {len(body)}".encode()
        whole = head + b"\r\n\r\n" + body
        if self.chance.random() < 0.1:
            return method, mutated(whole, self.chance), False
        # A control character may end the head early, or make two requests of one.
        return method, whole, not any(c < 33 and c not in (13, 10, 32) for c in head)

    def host(self):
        if self.chance.random() < 0.9:
            return "127.0.0.1"
        return self.chance.choice(
            ("evil.example", "", "a:b:c", "[::1]:80", "x" * 300, "a@b", "a/b")
        )

    def headers(self, path, kind):
        """Some headers; the body's own type mostly, and an address of the sender's mostly."""
        n = self.count // 3
        client = f"10.{self.number}.{n // 250 % 250}.{n % 250}"
        drawn = {"X-Forwarded-For": client}
        if kind and self.chance.random() < 0.9:
            drawn["Content-Type"] = kind
        if self.chance.random() < 0.4:
            drawn["Accept"] = self.chance.choice(HEADERS["Accept"])
        for _ in range(self.chance.choice((0, 0, 1, 1, 2, 5))):
            name = self.chance.choice(tuple(HEADERS))
            usual = self.chance.random() < 0.8
            value = self.chance.choice(HEADERS[name]) if usual else self.paths.value()
            drawn[name] = value
        if path.count("/") > 3 and self.chance.random() < 0.3:  # likely a file
            drawn["Range"] = self.chance.choice(HEADERS["Range"])
        if self.chance.random() < 0.01:
            drawn |= {f"X-{i}": "a" * 20 for i in range(self.chance.choice((5, 500)))}
        return drawn.items()

    def body(self):
        """A body and its type."""
        ways = (self.form, self.json, self.file, self.pack, self.noise)
        return self.chance.choices(ways, (2, 3, 3, 2, 1))[0]()

    def form(self):
        names = self.chance.choices(self.paths.fields, k=self.chance.randint(1, 8))
        pairs = (f"{quote(name)}={self.paths.value()}" for name in names)
        body = "&".join(["version=0", *pairs]).encode("latin1", "replace")
        return "application/x-www-form-urlencoded", self.maybe(body)

    def json(self):
        edits = self.chance.choice(tuple(EDITS.values()))
        told = {"edits": self.chance.sample(edits, 1)}
        told |= {"version": 0} if self.chance.random() < 0.3 else {}
        document = self.chance.choice((EVENT, told, told, [], None, {"payload": None}))
        for _ in range(self.chance.randint(0, 2)):
            document = self.twisted(document)
        return "application/json", self.maybe(json.dumps(document).encode())

    def twisted(self, value):
        """JSON with one value replaced, somewhere."""
        if isinstance(value, dict) and value and self.chance.random() < 0.8:
            key = self.chance.choice(tuple(value))
            return {**value, key: self.twisted(value[key])}
        if isinstance(value, list) and value and self.chance.random() < 0.8:
            return [self.twisted(value[0]), *value[1:]]
        odd = (None, True, -1, 2**70, 1e308, "", "\ud800", [], {}, [[]], {"": None}, "a" * 9000)
        return self.chance.choice((*odd, self.chance.choice(NOISE)))

    def file(self):
        _, content = next(self.saves)
        usual = self.chance.random() < 0.8
        name = "file" if usual else self.chance.choice(self.paths.fields)
        filename = self.chance.choice(("Mounts.json", "../../x", 'a"b', "\xff\x00", "", "a" * 999))
        head = f'--fuzz\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"'
        body = head.encode("latin1") + b"\r\n\r\n" + content + b"\r\n--fuzz--\r\n"
        return "multipart/form-data; boundary=fuzz", self.maybe(body)

    def pack(self):
        lines = (
            "command=ls-refs\n",
            "0001",
            "want " + 40 * "0" + "\n",
            "done\n",
            "0000",
            "filter x\n",
        )
        drawn = self.chance.choices(lines, k=self.chance.randint(0, 6))
        body = "".join(
            x if x in ("0000", "0001") else f"{len(x) + 4:04x}{x}" for x in drawn
        ).encode()
        body = gzip.compress(body) if self.chance.random() < 0.3 else body
        return "application/x-git-upload-pack-request", self.maybe(body)

    def noise(self):
        return "", self.chance.randbytes(self.chance.choice((1, 10, 5000, 200_000)))

    def maybe(self, body):
        """The body, a few of its bytes changed now and then."""
        return mutated(body, self.chance) if body and self.chance.random() < 0.3 else body

    def chunked(self, body):
        """The body in chunks."""
        size = self.chance.choice((1 << 16, 1000, 7)) if len(body) < 5000 else 1 << 14
        pieces = (body[at : at + size] for at in range(0, len(body), size))
        return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
