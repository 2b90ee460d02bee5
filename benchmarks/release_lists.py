"""A GitLab that answers with generated lists of releases: `python -m benchmarks.release_lists`.

It prints its port. /api/v4/projects/<releases>x<links>/releases has so many; `POST /change` makes
all of them others, and `POST /etags?0` leaves their ETags out.
"""

import json
import sys
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PAGE = 100
NOTES = "- a line of the notes, with a [link](https://example.org/) and some words\n" * 10


@cache
def page(port: int, releases: int, links: int, number: int, edition: int) -> bytes:
    """One page of a list, as JSON."""
    first = (number - 1) * PAGE
    numbers = range(first, min(first + PAGE, releases))
    return json.dumps([_release(port, i, links, edition) for i in numbers]).encode()


def _release(port: int, number: int, links: int, edition: int) -> dict[str, object]:
    base = f"http://127.0.0.1:{port}/api/v4/projects/7/packages/generic/tool/1.{number}.0"
    clock = f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
    return {
        "tag_name": f"v1.{number}.0",
        "name": f"Release {number}",
        "description": f"Edition {edition}.\n{NOTES}",
        "created_at": "2026-01-01T00:00:00.000Z",
        "released_at": f"2026-01-01T{clock}Z",
        "upcoming_release": False,
        "assets": {
            "sources": [],
            "links": [
                {
                    "id": i,
                    "name": f"File {i}",
                    "url": f"{base}/file-{i}.zip",
                    "direct_asset_url": f"{base}/file-{i}.zip",
                    "link_type": "package",
                }
                for i in range(links)
            ],
        },
    }


class Handler(BaseHTTPRequestHandler):
    """Answers GET with lists, POST with a change."""

    protocol_version = "HTTP/1.1"
    edition, etags = 0, True

    def do_GET(self) -> None:
        """A list, or the number of the project."""
        parts = urlsplit(self.path)
        segments = parts.path.split("/")
        if segments[-1] != "releases":
            self._send(b'{"id": 7}' if len(segments) == 5 else b"[]", {})
            return
        releases, links = map(int, segments[-2].split("x"))
        number = int(parse_qs(parts.query).get("page", ["1"])[0])
        etag = f'W/"{Handler.edition}-{number}"' if Handler.etags else ""
        if etag and self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.end_headers()
            return
        headers = {"ETag": etag} if etag else {}
        if number * PAGE < releases:
            headers["Link"] = f'<?per_page=100&page={number + 1}>; rel="next"'
        port = self.connection.getsockname()[1]
        self._send(page(port, releases, links, number, Handler.edition), headers)

    def do_POST(self) -> None:
        """Change what is answered."""
        Handler.etags = not self.path.endswith("?0")
        Handler.edition += self.path == "/change"
        self._send(b"", {})

    def _send(self, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
