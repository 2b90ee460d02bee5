"""A GitLab that fails in one way, for programs (git, curl) that need a server of their own."""

import json
import socketserver
import threading
import time

ADVERTISEMENT = "application/x-git-upload-pack-advertisement"


def _head(status, body=b"", length=None, **headers):
    fields = {"Content-Length": len(body) if length is None else length, **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body


# Each fault: the bytes that are sent, None for silence.
FAULTS = {
    "silent": None,
    "closes": b"",
    "garbage": b"\x00\xff nonsense\r\n\r\n",
    "401": _head(401, b"HTTP Basic: Access denied", WWW_Authenticate='Basic realm="GitLab"'),
    "403": _head(403, b"no"),
    "404": _head(404, b"no"),
    "429": _head(429, b"Retry later", Retry_After=7, Content_Type="text/plain"),
    "500": _head(500, b"<html>secret stack trace</html>"),
    "503": _head(503, b"maintenance", Retry_After=9),
    "moved": _head(301, Location="https://gitlab.example.com/users/sign_in"),
    "html": _head(200, b"<html>sign in</html>", Content_Type="text/html"),
    "truncated": _head(200, b"001e# service=git-upload", 5000, Content_Type=ADVERTISEMENT),
}


# Files that go wrong, each in its way: what is sent for it, None for silence.
FILES = {
    "truncated.bin": _head(200, bytes(100_000), 5_000_000),
    "chunked.bin": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
    "silent.bin": None,
    "stalls.bin": _head(200, bytes(1000), 5000) + b"...",
    "loop.bin": _head(302, Location="loop.bin"),
    "elsewhere.bin": _head(302, Location="http://127.0.0.2:1/x"),
    "metadata.bin": _head(302, Location="http://169.254.169.254/latest/meta-data"),
    "garbage.bin": FAULTS["garbage"],
    "gone.bin": FAULTS["404"],
    "forbidden.bin": FAULTS["403"],
    "throttled.bin": FAULTS["429"],
    "failing.bin": FAULTS["500"],
    "empty.bin": _head(200),
    "crlf.bin": _head(200, b"x", Content_Type="text/css", X_Evil="1"),
}


def _api(path, url, files, more, texts, archives=()):
    """The answers of an API whose one release has these files, and more links.

    There is another release for each of the texts, with it wherever text can stand.
    """
    project = "/api/v4/projects/icarus%2Fpets"
    place = f"{url}/api/v4/projects/7/packages/generic/faulty/1"
    named = {**{name: f"{place}/{name}" for name in files}, **more}
    links = [
        {"id": i, "name": name, "url": url, "direct_asset_url": f"{place}/{name}"}
        for i, (name, url) in enumerate(named.items())
    ]
    sources = [{"format": form, "url": ""} for form in archives]
    assets = {"links": links, "sources": sources}
    release = {"tag_name": "v1", "name": "v1", "description": "", "assets": assets}
    release["released_at"] = "2026-01-01T00:00:00Z"
    releases = [release]
    for text in texts:
        named = [{**one, "name": text} for one in links]
        words = {"tag_name": text, "name": text, "description": text, "assets": {"links": named}}
        releases.append(release | words)
    answers = {project: {"id": 7}, f"{project}/releases": releases, f"{project}/packages": []}
    body = json.dumps(answers.get(path, [])).encode()
    return _head(200, body, Content_Type="application/json")


class FaultyGitLab:
    """Answers every request with one fault, or where there is none has one release of `files`.

    `links` are files of that release that lie elsewhere, `texts` are of releases beside it,
    `archives` the formats of its source archives. A
    context; `url` is its origin; `fault` can be set at any time.
    """

    def __init__(
        self, fault=None, files=FILES, links=None, texts=(), address="127.0.0.1", archives=()
    ):
        origin, self.fault = self, fault
        elsewhere = {"other.bin": "http://10.0.0.1/other.bin"} if links is None else links
        self.requests = requests = []
        self.ended = ended = threading.Event()

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                request = self.rfile.readline()
                while self.rfile.readline() not in (b"\r\n", b""):
                    pass
                requests.append(request.decode())
                path = requests[-1].split()[1].partition("?")[0]
                name = path.rpartition("/")[2]
                if origin.fault:
                    answer = FAULTS[origin.fault]
                else:
                    api = _api(path, origin.url, files, elsewhere, texts, archives)
                    answer = files.get(name, api)
                if answer is not None:
                    self.wfile.write(answer)
                if answer is None or answer.endswith(b"..."):
                    self.request.settimeout(0.1)
                    while not ended.is_set():
                        time.sleep(0.02)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server((address, 0), Handler)
        self.url = f"http://{address}:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
