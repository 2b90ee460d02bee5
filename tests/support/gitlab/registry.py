"""A GitLab whose package registry has files that a test replaces, before a store of any habits."""

import hashlib
import json
import threading
from contextlib import suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from urllib.parse import quote, unquote

from portal.http.ranges import requested_part
from portal.http.validators import names_tag

BOUNDARY = "3d6b6a416f9b5"
PLACE = "/api/v4/projects/7/packages/generic/tool/1"


class Registry:
    """One project `icarus/pets` with the release v1, whose files are `files`; a context.

    `files` maps names to bytes, and `listed` to what the registry's list says of them where that is
    not the truth. `tag(name, content)` is the upstream's ETag or None, `age` how many seconds old
    every file is, `fields` more headers of a file's answer. `requests` holds the (method, path,
    headers) of what was asked for.
    """

    def __init__(self, **files):
        self.files = {name.replace("__", "."): content for name, content in files.items()}
        self.listed, self.fields, self.requests = {}, {}, []
        self.tag = lambda name, content: f'"store-{len(name)}-{hash(content):x}"'
        self.age, self.lists = 3600, True
        registry = self

        class Handler(_Handler):
            site = registry

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def asked(self, name):
        """The requests for a file: each one's headers, names in lower case."""
        return [headers for _, path, headers in self.requests if path == f"{PLACE}/{quote(name)}"]

    def list(self, path):
        """What the API answers, or None."""
        project = "/api/v4/projects/icarus%2Fpets"
        if path == project:
            return {"id": 7, "path_with_namespace": "icarus/pets"}
        if path == f"{project}/releases":
            urls = {name: f"{self.url}{PLACE}/{quote(name)}" for name in self.files}
            links = [
                {"id": i, "name": name, "url": url, "direct_asset_url": url}
                for i, (name, url) in enumerate(urls.items())
            ]
            release = {
                "tag_name": "v1",
                "name": "v1",
                "description": "",
                "assets": {"links": links},
            }
            return [release | {"released_at": "2026-01-01T00:00:00Z"}]
        if not self.lists:
            return None
        if path.endswith("/packages"):
            return [{"id": 5, "name": "tool", "version": "1", "package_type": "generic"}]
        if path.endswith("/package_files"):
            return [
                {
                    "id": i,
                    "file_name": name,
                    "size": len(content),
                    "file_sha256": hashlib.sha256(content).hexdigest(),
                }
                for i, (name, content) in enumerate({**self.files, **self.listed}.items())
            ]
        return []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Registry

    def do_GET(self):
        path = self.path.partition("?")[0]
        asked = {name.lower(): value for name, value in self.headers.items()}
        self.site.requests.append((self.command, path, asked))
        with suppress(ConnectionError):
            if path.startswith(f"{PLACE}/"):
                self.file(unquote(path.rpartition("/")[2]), asked)
            else:
                said = self.site.list(path)
                body = json.dumps(said).encode()
                self.answer(200 if said is not None else 500, body, Content_Type="application/json")

    def file(self, name, asked):
        """A file as a store answers it that knows conditions and ranges."""
        content = self.site.files[name]
        tag, modified = (
            self.site.tag(name, content),
            formatdate(time() - self.site.age, usegmt=True),
        )
        fields = {"Last_Modified": modified, **({"ETag": tag} if tag else {}), **self.site.fields}
        if tag and names_tag(asked.get("if-none-match", ""), tag, weak=True):
            self.answer(304, **fields)
            return
        wanted = asked.get("range") if asked.get("if-range", tag) in (tag, modified) else None
        part = requested_part(wanted, len(content))
        if wanted and "," in wanted:
            self.several(content, wanted, fields)
        elif part is None:
            self.answer(416, Content_Range=f"bytes */{len(content)}")
        elif wanted:
            where = f"bytes {part[0]}-{part[-1]}/{len(content)}"
            self.answer(206, content[part.start : part.stop], Content_Range=where, **fields)
        else:
            self.answer(200, content, **fields)

    def several(self, content, wanted, fields):
        """Several ranges in one answer (RFC 9110, 14.6)."""
        body = b""
        for each in wanted.partition("=")[2].split(","):
            part = requested_part(f"bytes={each.strip()}", len(content))
            where = f"Content-Range: bytes {part[0]}-{part[-1]}/{len(content)}"
            body += f"\r\n--{BOUNDARY}\r\n{where}\r\n\r\n".encode()
            body += content[part.start : part.stop]
        body += f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = f"multipart/byteranges; boundary={BOUNDARY}"
        self.answer(206, body, **{**fields, "Content_Type": kind})

    def answer(self, status, body=b"", **fields):
        """Send a whole answer; a field that is None is left out."""
        self.send_response(status)
        for name, value in {"Content_Length": len(body), **fields}.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if status != 304:
            self.wfile.write(body)

    def log_message(self, *_):
        """Tests read what was asked in `requests`."""
